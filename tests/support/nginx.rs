//! The real nginx, with the configurations of the guide.

use std::process::Command;

use crate::{daemon::Daemon, guide};

/// Starts it in front of `upstream`, as documented.
///
/// # Panics
///
/// Where it is not installed.
#[must_use]
pub fn start(upstream: &str) -> Daemon {
    start_with(upstream, &shown())
}

/// The same without the setting that the page is about.
///
/// # Panics
///
/// Where it is not installed.
#[must_use]
pub fn start_with_defaults(upstream: &str) -> Daemon {
    let shown = shown();
    let mut lines: Vec<_> = shown.lines().collect();
    let before = lines.len();
    lines.retain(|line| !line.contains("ignore_invalid_headers"));
    assert_eq!(lines.len(), before - 1, "{shown}");
    start_with(upstream, &lines.join("\n"))
}

/// As documented, with the additions for server-sent events and WebSockets.
///
/// # Panics
///
/// Where it is not installed.
#[must_use]
pub fn start_with_streams(upstream: &str) -> Daemon {
    let streams = guide::block(PAGE, "Server-sent events and WebSockets", "nginx");
    let (before, after) = ("location / {", format!("{streams}\nlocation / {{"));
    start_with(upstream, &shown().replace(before, &after))
}

/// Starts it in front of OpenSearch, as in docs/elasticsearch.md.
///
/// # Panics
///
/// If it is not installed.
#[must_use]
pub fn start_for_opensearch(engine: &str) -> Daemon {
    let shown = guide::block("docs/elasticsearch.md", "OpenSearch", "nginx");
    let mut config = format!("http {{\n{shown}}}\n");
    for (word, other) in [("listen 9201;", ""), ("127.0.0.1:9200", engine)] {
        assert!(config.contains(word), "{config}");
        config = config.replace(word, other);
    }
    start_with(engine, &config)
}

const PAGE: &str = "docs/proxies-and-origins.md";

fn shown() -> String {
    guide::block(PAGE, "nginx", "nginx")
}

fn start_with(upstream: &str, shown: &str) -> Daemon {
    Daemon::start(
        |folder, port| {
            let folder = folder.display();
            let http = format!(
                "http {{
                    access_log off;
                    client_body_temp_path {folder}/body;
                    proxy_temp_path {folder}/proxy;
                    fastcgi_temp_path {folder}/fastcgi;
                    uwsgi_temp_path {folder}/uwsgi;
                    scgi_temp_path {folder}/scgi;"
            );
            let shown = shown
                .replace("http {", &http)
                .replace("server {", &format!("server {{ listen 127.0.0.1:{port};"))
                .replace("127.0.0.1:3000", upstream);
            format!(
                "daemon off;
                master_process off;
                pid {folder}/nginx.pid;
                error_log {folder}/error.log info;
                events {{}}
                {shown}"
            )
        },
        |file| {
            let mut nginx = Command::new("nginx");
            nginx
                .arg("-e")
                .arg(file.with_file_name("error.log"))
                .arg("-c")
                .arg(file);
            nginx
        },
    )
}
