//! nginx, as it comes and with the one setting that it needs.

use std::{fs, process::Command};

use crate::{ID, TOKEN, app, authority, proxy::Proxy, session_through};

#[test]
#[ignore = "needs nginx"]
fn by_default_nginx_drops_the_documented_header_and_passes_the_token() {
    let app = app();
    let nginx = nginx(&authority(&app), "");
    assert_eq!(
        session_through(&nginx.url, &app, ("openReplaySession.id", ID)),
        None
    );
    for name in ["X-OpenReplay-SessionToken", "X-OpenReplay-Session-Token"] {
        assert_eq!(
            session_through(&nginx.url, &app, (name, TOKEN)).as_deref(),
            Some(ID),
            "{name}"
        );
    }
    // all that it says about it
    let errors = fs::read_to_string(nginx.folder.path().join("error.log")).unwrap();
    let said: Vec<_> = errors
        .lines()
        .filter(|line| line.contains("[info]") && line.contains("invalid header"))
        .collect();
    assert_eq!(said.len(), 1, "{errors}");
    assert!(said[0].contains("openreplaysession.id"), "{errors}");
}

#[test]
#[ignore = "needs nginx"]
fn with_ignore_invalid_headers_off_both_arrive() {
    let app = app();
    let nginx = nginx(&authority(&app), "ignore_invalid_headers off;");
    for header in [
        ("openReplaySession.id", ID),
        ("X-OpenReplay-SessionToken", TOKEN),
    ] {
        assert_eq!(
            session_through(&nginx.url, &app, header).as_deref(),
            Some(ID),
            "{header:?}"
        );
    }
}

fn nginx(upstream: &str, setting: &str) -> Proxy {
    Proxy::start(
        |folder, port| {
            let folder = folder.display();
            format!(
                "daemon off;
                master_process off;
                pid {folder}/nginx.pid;
                error_log {folder}/error.log info;
                events {{}}
                http {{
                    access_log off;
                    client_body_temp_path {folder}/body;
                    proxy_temp_path {folder}/proxy;
                    fastcgi_temp_path {folder}/fastcgi;
                    uwsgi_temp_path {folder}/uwsgi;
                    scgi_temp_path {folder}/scgi;
                    server {{
                        listen 127.0.0.1:{port};
                        {setting}
                        location / {{ proxy_pass http://{upstream}; }}
                    }}
                }}"
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
