//! A page whose backend is behind a real nginx.

use axum::http::HeaderName;
use integration_tests::{browser, nginx};
use serde_json::json;
use tower_openreplay::{SessionHeaders, SessionLayer};

use crate::{site::Site, ways::TRACKER};

#[test]
#[ignore = "needs Chromium and nginx"]
fn an_id_under_a_name_without_a_dot_passes_with_nginxs_defaults() {
    let name = HeaderName::from_static("x-session-id");
    let site = Site::start_with(
        SessionLayer::new().with_headers(SessionHeaders::new().with_id_header(name)),
        |app| app,
    );
    let nginx = nginx::start_with_defaults(site.url.trim_start_matches("http://"));
    let script = format!(
        r#"
        await page.goto(args.url);
        return page.evaluate(async () => {{
          {TRACKER}
          const id = (await start()).getSessionID();
          await fetch("/ask/dotless", {{ headers: {{ "X-Session-Id": id }} }});
          return id;
        }});
        "#
    );
    let id = browser::run(&script, &json!({ "url": nginx.url() })).value;
    assert!(id.is_string());
    assert_eq!(site.session_of("asked /ask/dotless"), id);
}

#[test]
#[ignore = "needs Chromium and nginx"]
fn events_and_sockets_pass_with_what_the_guide_adds() {
    let session = SessionLayer::new().with_query_parameter("openReplaySession.id");
    let site = Site::start_with(session, |app| app);
    let nginx = nginx::start_with_streams(site.url.trim_start_matches("http://"));
    let script = r#"
        await page.goto(args.url);
        return page.evaluate(async () => {
          const { tracker } = await import("/bundle/session.js");
          const { events, socket } = await import("/bundle/elsewhere.js");
          const source = await events();
          await new Promise((ended) => { source.onerror = ended; });
          source.close();
          const talk = await socket();
          await new Promise((echoed, failed) => {
            talk.onopen = () => talk.send("hello");
            talk.onmessage = echoed;
            talk.onerror = () => failed(new Error("no socket"));
          });
          talk.close();
          // a stream that does not end: its event comes through nonetheless
          const id = tracker.getSessionID();
          const open = new EventSource("/events/open?openReplaySession.id=" + id);
          await new Promise((came) => { open.onmessage = came; });
          open.close();
          return id;
        });
    "#;
    let id = browser::run(script, &json!({ "url": nginx.url() })).value;
    assert!(id.is_string());
    for message in ["event 1", "socket said hello", "open event"] {
        assert_eq!(site.session_of(message), id, "{message}");
    }
}

#[test]
#[ignore = "needs Chromium and nginx"]
fn without_that_a_socket_does_not_open_and_an_event_waits_for_the_streams_end() {
    let site = Site::start();
    let nginx = nginx::start(site.url.trim_start_matches("http://"));
    let script = r#"
        await page.goto(args.url);
        return page.evaluate(async () => {
          const opened = await new Promise((done) => {
            const socket = new WebSocket("/socket");
            socket.onopen = () => done(true);
            socket.onerror = () => done(false);
          });
          const came = [];
          const open = new EventSource("/events/open");
          open.onmessage = ({ data }) => came.push(data);
          const ended = new Promise((ended) => { open.onerror = ended; });
          await fetch("/events/open/sent");
          await fetch("/ask/meanwhile"); // as long as the event would have taken
          const before = [...came];
          await fetch("/events/open/end");
          await ended;
          open.close();
          return { opened, before, came };
        });
    "#;
    let ran = browser::run(script, &json!({ "url": nginx.url() }));
    assert_eq!(
        ran.value,
        json!({ "opened": false, "before": [], "came": ["1", "2"] })
    );
}
