//! The real nginx.

use std::process::Command;

use crate::daemon::Daemon;

/// The one setting that lets the documented header pass.
pub const IGNORE_INVALID_HEADERS_OFF: &str = "ignore_invalid_headers off;";

/// Starts nginx in front of `upstream`, with its default settings and `setting`.
///
/// # Panics
///
/// Where it is not installed.
#[must_use]
pub fn start(upstream: &str, setting: &str) -> Daemon {
    Daemon::start(
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
