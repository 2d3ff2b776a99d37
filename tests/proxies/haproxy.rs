//! HAProxy, in HTTP/1.1 and in HTTP/2 to the app.

use std::process::Command;

use integration_tests::{Tap, daemon::Daemon};

use crate::{ID, app, authority, passes_both_headers, send_as_written};

#[test]
#[ignore = "needs HAProxy"]
fn haproxy_passes_both_headers() {
    let app = app();
    let haproxy = haproxy(&authority(&app), "");
    passes_both_headers(&haproxy, &app);
}

#[test]
#[ignore = "needs HAProxy"]
fn haproxy_passes_both_headers_over_http_2_to_the_app() {
    let app = app();
    let haproxy = haproxy(&authority(&app), "proto h2");
    passes_both_headers(&haproxy, &app);
}

#[test]
#[ignore = "needs HAProxy"]
fn haproxy_sends_names_in_lower_case() {
    let app = app();
    let tap = Tap::start(&authority(&app));
    let haproxy = haproxy(tap.address(), "");
    let response = send_as_written(&haproxy, "openReplaySession.id");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let head = tap.head("/api/endpoint");
    assert!(
        head.contains(&format!("openreplaysession.id: {ID}")),
        "{head:#?}"
    );
}

fn haproxy(upstream: &str, protocol: &str) -> Daemon {
    Daemon::start(
        |_, port| {
            format!(
                "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n\
                 frontend pages\n  bind 127.0.0.1:{port}\n  default_backend app\n\
                 backend app\n  server app {upstream} {protocol}\n"
            )
        },
        |file| {
            let mut haproxy = Command::new("haproxy");
            haproxy.arg("-db").arg("-f").arg(file);
            haproxy
        },
    )
}
