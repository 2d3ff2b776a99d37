//! What cannot set a header sends the id in a query parameter.

use axum::http::Version;
use integration_tests::browser;
use serde_json::{Value, json};
use tower_openreplay::SessionLayer;

use crate::site::{Site, VERSIONS};

#[test]
#[ignore = "needs Chromium"]
fn an_event_source_that_is_opened_at_once_logs_every_event_in_its_session() {
    for version in VERSIONS {
        let site = site(version);
        let id = run(
            &site,
            r#"
            const source = await elsewhere.events();
            await new Promise((ended) => { source.onerror = ended; });
            source.close();
            "#,
        );
        for step in 1..=3 {
            assert_eq!(site.session_of(&format!("event {step}")), id);
        }
        assert_eq!(site.one("/events").version, version);
    }
}

#[test]
#[ignore = "needs Chromium"]
fn an_event_source_that_connects_again_keeps_the_id_that_it_was_opened_with() {
    let site = site(Version::HTTP_11);
    let current = run(
        &site,
        r#"
        const source = await elsewhere.events();
        await new Promise((opened) => { source.onopen = opened; });
        tracker.stop();
        const restarted = await tracker.start({ forceNew: true });
        if (!restarted.success) throw new Error(restarted.reason);
        // the second from now on was asked for after the restart
        for (let again = 0; again < 2; again++) await new Promise((opened) => { source.onopen = opened; });
        source.close();
        "#,
    );
    let records = site.records("event 1", 3);
    let kept = &records[0]["openReplaySession.id"];
    assert!(kept.is_string() && *kept != current, "{records:#?}");
    assert!(
        records
            .iter()
            .all(|record| record["openReplaySession.id"] == *kept),
        "{records:#?}"
    );
}

#[test]
#[ignore = "needs Chromium"]
fn a_web_socket_that_is_opened_at_once_logs_in_its_session_after_the_upgrade() {
    for version in VERSIONS {
        let site = site(version);
        let id = run(
            &site,
            r#"
            const socket = await elsewhere.socket();
            await new Promise((echoed, failed) => {
              socket.onopen = () => socket.send("hello");
              socket.onmessage = echoed;
              socket.onerror = () => failed(new Error("no socket"));
            });
            socket.close();
            "#,
        );
        assert_eq!(site.session_of("socket said hello"), id);
        assert_eq!(site.one("/socket").version, version);
    }
}

#[test]
#[ignore = "needs Chromium"]
fn a_beacon_logs_in_the_session_that_there_is() {
    for version in VERSIONS {
        let site = site(version);
        let id = run(
            &site,
            r#"
            if (!elsewhere.beacon("too early")) throw new Error("refused");
            await sessionId();
            if (!elsewhere.beacon("goodbye")) throw new Error("refused");
            // the browser is closed after this, and with it what is still on its way
            const beacons = () => performance.getEntriesByType("resource").filter((done) => done.initiatorType === "beacon");
            while (beacons().length < 2) await new Promise((later) => setTimeout(later, 20));
            "#,
        );
        assert_eq!(site.session_of("beacon said too early"), Value::Null);
        assert_eq!(site.session_of("beacon said goodbye"), id);
        for seen in site.seen("/beacon") {
            assert_eq!(seen.version, version);
            assert!(seen.header("openreplaysession.id").is_empty());
        }
    }
}

#[test]
#[ignore = "needs Chromium"]
fn without_the_tracker_they_open_without_a_session() {
    let site = site(Version::HTTP_11);
    browser::run(
        r#"
        await page.route("**/ingest/**", () => {}); // never answers
        await page.goto(args.url);
        await page.evaluate(async () => {
          const { events } = await import("/bundle/elsewhere.js");
          const source = await events();
          await new Promise((ended) => { source.onerror = ended; });
          source.close();
        });
        "#,
        &json!({ "url": site.url }),
    );
    assert_eq!(site.session_of("event 1"), Value::Null);
}

#[test]
#[ignore = "needs Chromium"]
fn the_tracker_adds_nothing_to_them_nor_to_images_nor_to_a_worker() {
    for version in VERSIONS {
        let site = Site::start_over(version, SessionLayer::new());
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
              await new Promise((echoed, failed) => {
                const socket = new WebSocket("/socket");
                socket.onopen = () => socket.send("bare");
                socket.onmessage = echoed;
                socket.onerror = () => failed(new Error("no socket"));
              });
              await new Promise((ended) => {
                const image = new Image();
                image.onload = image.onerror = ended;
                image.src = "/ask/image";
              });
              const inside = `onmessage = async ({ data }) => {
                await fetch(data.origin + "/ask/worker");
                await fetch(data.origin + "/ask/told", { headers: { "openReplaySession.id": data.id } });
                postMessage("done");
              }`;
              await new Promise((done) => {
                const worker = new Worker(URL.createObjectURL(new Blob([inside])));
                worker.onmessage = done;
                worker.postMessage({ origin: location.origin, id: tracker.getSessionID() });
              });
            });
            "#,
            &json!({ "url": site.url }),
        );
        for (message, path) in [
            ("beacon said bare", "/beacon"),
            ("event 1", "/events"),
            ("socket said bare", "/socket"),
            ("asked /ask/image", "/ask/image"),
            ("asked /ask/worker", "/ask/worker"),
        ] {
            assert_eq!(site.session_of(message), Value::Null, "{message}");
            let seen = site.one(path);
            assert_eq!(seen.version, version, "{path}");
            for name in tower_openreplay::header_names() {
                assert!(seen.header(name.as_str()).is_empty(), "{path}: {seen:?}");
            }
        }
        // but a worker can set it
        assert!(site.session_of("asked /ask/told").is_string());
    }
}

fn site(version: Version) -> Site {
    let session = SessionLayer::new().with_query_parameter("openReplaySession.id");
    Site::start_over(version, session)
}

/// Runs the code next to `docs/frontend.md`'s modules, before the tracker has started; gives the
/// session's id.
fn run(site: &Site, code: &str) -> Value {
    let script = format!(
        r#"
        await page.goto(args.url);
        return page.evaluate(async () => {{
          const {{ tracker, sessionId }} = await import("/bundle/session.js");
          const elsewhere = await import("/bundle/elsewhere.js");
          {code}
          return tracker.getSessionID();
        }});
        "#
    );
    let ran = browser::run(&script, &json!({ "url": site.url }));
    assert!(ran.value.is_string(), "no session: {:?}", ran.console);
    ran.value
}
