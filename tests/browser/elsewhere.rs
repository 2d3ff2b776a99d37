//! What cannot set a header sends the id in a query parameter.

use integration_tests::browser;
use serde_json::json;
use tower_openreplay::SessionLayer;

use crate::site::Site;

fn site() -> Site {
    let session = SessionLayer::new().with_query_parameter("openReplaySession.id");
    Site::start_with(session, |app| app)
}

#[test]
#[ignore = "needs Chromium"]
fn an_event_source_logs_every_event_in_its_session() {
    let site = site();
    let id = run(
        &site,
        r#"
        const { events } = elsewhere;
        await new Promise((ended) => {
          const source = events();
          source.onerror = () => { source.close(); ended(); };
        });
        "#,
    );
    for step in 1..=3 {
        assert_eq!(site.session_of(&format!("event {step}")), id);
    }
}

#[test]
#[ignore = "needs Chromium"]
fn a_web_socket_logs_in_its_session_after_the_upgrade() {
    let site = site();
    let id = run(
        &site,
        r#"
        const socket = elsewhere.socket();
        await new Promise((echoed, failed) => {
          socket.onopen = () => socket.send("hello");
          socket.onmessage = echoed;
          socket.onerror = failed;
        });
        socket.close();
        "#,
    );
    assert_eq!(site.session_of("socket said hello"), id);
}

#[test]
#[ignore = "needs Chromium"]
fn a_beacon_logs_in_its_session() {
    let site = site();
    let id = run(
        &site,
        r#"if (!elsewhere.beacon("goodbye")) throw new Error("refused");"#,
    );
    assert_eq!(site.session_of("beacon said goodbye"), id);
    let [seen] = &site.seen("/beacon")[..] else {
        panic!("one beacon")
    };
    assert!(seen.header("openreplaysession.id").is_empty());
}

#[test]
#[ignore = "needs Chromium"]
fn without_the_parameter_they_have_no_session_even_with_the_token_header_on() {
    let site = Site::start();
    browser::run(
        r#"
        await page.goto(args.url);
        await page.evaluate(async () => {
          const { tracker } = await import("/bundle/token.js");
          while (!tracker.getSessionID()) await new Promise((later) => setTimeout(later, 20));
          navigator.sendBeacon("/beacon", "bare");
          await new Promise((ended) => {
            const source = new EventSource("/events");
            source.onerror = () => { source.close(); ended(); };
          });
        });
        "#,
        &json!({ "url": site.url }),
    );
    assert!(site.session_of("beacon said bare").is_null());
    assert!(site.session_of("event 1").is_null());
}

/// Runs the code beside `docs/frontend.md`'s module, once the tracker has started; gives the session's id.
fn run(site: &Site, code: &str) -> serde_json::Value {
    let script = format!(
        r#"
        await page.goto(args.url);
        return page.evaluate(async () => {{
          const {{ tracker, sessionHeaders }} = await import("/bundle/session.js");
          const elsewhere = await import("/bundle/elsewhere.js");
          await sessionHeaders();
          {code}
          return tracker.getSessionID();
        }});
        "#
    );
    let ran = browser::run(&script, &json!({ "url": site.url }));
    assert!(ran.value.is_string(), "no session: {:?}", ran.console);
    ran.value
}
