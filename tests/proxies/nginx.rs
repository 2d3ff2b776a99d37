//! nginx, as it comes and with the one setting that it needs.

use std::fs;

use integration_tests::{Tap, nginx};

use crate::{ID, TOKEN, app, authority, passes_both_headers, send_as_written, session_through};

#[test]
#[ignore = "needs nginx"]
fn by_default_nginx_drops_the_documented_header_and_passes_the_token() {
    let app = app();
    let nginx = nginx::start_with_defaults(&authority(&app));
    assert_eq!(
        session_through(nginx.url(), &app, ("openReplaySession.id", ID)),
        None
    );
    for name in ["X-OpenReplay-SessionToken", "X-OpenReplay-Session-Token"] {
        assert_eq!(
            session_through(nginx.url(), &app, (name, TOKEN)).as_deref(),
            Some(ID),
            "{name}"
        );
    }
    // all that it logs about it
    let errors = fs::read_to_string(nginx.folder().join("error.log")).unwrap();
    let logged: Vec<_> = errors
        .lines()
        .filter(|line| line.contains("[info]") && line.contains("invalid header"))
        .collect();
    assert_eq!(logged.len(), 1, "{errors}");
    assert!(logged[0].contains("openreplaysession.id"), "{errors}");
}

#[test]
#[ignore = "needs nginx"]
fn with_ignore_invalid_headers_off_both_arrive() {
    let app = app();
    let nginx = nginx::start(&authority(&app));
    passes_both_headers(&nginx, &app);
}

#[test]
#[ignore = "needs nginx"]
fn nginx_sends_names_as_they_were_written() {
    let app = app();
    let tap = Tap::start(&authority(&app));
    let nginx = nginx::start(tap.address());
    let response = send_as_written(&nginx, "openReplaySession.id");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let head = tap.head("/api/endpoint");
    assert!(
        head.contains(&format!("openReplaySession.id: {ID}")),
        "{head:#?}"
    );
}
