//! The ways of a session id from the tracker to a record, in each version of HTTP.

use axum::http::HeaderName;
use integration_tests::browser;
use serde_json::{Value, json};
use tower_openreplay::{SessionHeaders, SessionLayer};

use crate::{
    ingest::SIGNATURE,
    site::{Site, VERSIONS},
};

#[test]
#[ignore = "needs Chromium"]
fn the_documented_header_reaches_the_record_and_the_recording_its_ingest() {
    for version in VERSIONS {
        let site = Site::start_over(version, SessionLayer::new());
        let ran = browser::run(
            r#"
            await page.goto(args.url);
            return page.evaluate(async () => {
              const { api } = await import("/bundle/fetch.js");
              const answer = await (await api("/ask/fetch")).json();
              const { tracker } = await import("/bundle/session.js");
              setInterval(() => tracker.forceFlushBatch(), 50); // by itself it sends after half a minute
              await fetch("/ingest/recorded");
              return { answer: answer.session, id: tracker.getSessionID() };
            });
            "#,
            &json!({ "url": site.url }),
        );
        let id = site.session_of("asked /ask/fetch");
        assert_eq!(
            ran.value,
            json!({ "answer": id, "id": id }),
            "{:?}",
            ran.console
        );
        let number: u64 = id.as_str().unwrap().parse().unwrap();
        assert!(
            number > 1 << 53,
            "an id that a JavaScript number cannot hold"
        );
        let seen = site.one("/ask/fetch");
        assert_eq!(seen.version, version);
        assert_eq!(seen.header("openreplaysession.id"), [id.as_str().unwrap()]);
        assert!(
            site.ingest.batches() > 0,
            "nothing was recorded: {:?}",
            ran.console
        );
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_trackers_own_token_header_is_enough_on_fetch_and_xhr() {
    for version in VERSIONS {
        let site = Site::start_over(version, SessionLayer::new());
        let id = in_page(
            &site,
            r#"
            const { tracker } = await import("/bundle/token.js");
            while (!tracker.getSessionID()) await new Promise((later) => setTimeout(later, 20));
            await fetch("/ask/fetch");
            await xhr("/ask/xhr");
            return tracker.getSessionID();
            "#,
        );
        for way in ["fetch", "xhr"] {
            assert_eq!(site.session_of(&format!("asked /ask/{way}")), id);
            let seen = site.one(&format!("/ask/{way}"));
            assert_eq!(seen.version, version);
            assert!(seen.header("x-openreplay-sessiontoken")[0].ends_with(SIGNATURE));
            assert!(seen.header("openreplaysession.id").is_empty());
        }
        // the token is a credential
        assert!(!site.log().contains(SIGNATURE));
    }
}

#[test]
#[ignore = "needs Chromium"]
fn an_axios_instance_that_the_tracker_knows_sends_both_spellings() {
    for version in VERSIONS {
        let site = Site::start_over(version, SessionLayer::new());
        let id = in_page(
            &site,
            r#"
            const { axios } = await import("/bundle/libraries.js");
            const instance = axios.create();
            const tracker = await start({ network: { sessionTokenHeader: true, axiosInstances: [instance] } });
            await instance.get("/ask/axios");
            return tracker.getSessionID();
            "#,
        );
        assert_eq!(site.session_of("asked /ask/axios"), id);
        let seen = site.one("/ask/axios");
        assert_eq!(seen.version, version);
        assert_eq!(seen.header("x-openreplay-sessiontoken").len(), 1);
        assert_eq!(seen.header("x-openreplay-session-token").len(), 1);
        assert!(!site.log().contains(SIGNATURE));
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_token_arrives_under_a_name_of_the_pages_own_choice() {
    for version in VERSIONS {
        let name = HeaderName::from_static("x-recording");
        let site = Site::start_over(
            version,
            SessionLayer::new().with_headers(SessionHeaders::new().with_token_headers([name])),
        );
        let id = in_page(
            &site,
            r#"
            const { axios } = await import("/bundle/libraries.js");
            const instance = axios.create();
            const tracker = await start({ network: { sessionTokenHeader: "X-Recording", axiosInstances: [instance] } });
            await fetch("/ask/fetch");
            await xhr("/ask/xhr");
            await instance.get("/ask/axios");
            return tracker.getSessionID();
            "#,
        );
        for way in ["fetch", "xhr", "axios"] {
            assert_eq!(site.session_of(&format!("asked /ask/{way}")), id);
            let seen = site.one(&format!("/ask/{way}"));
            assert_eq!(seen.version, version);
            assert_eq!(seen.header("x-recording").len(), 1);
            for name in tower_openreplay::header_names() {
                assert!(seen.header(name.as_str()).is_empty());
            }
        }
        assert!(!site.log().contains(SIGNATURE));
    }
}

#[test]
#[ignore = "needs Chromium"]
fn a_page_without_a_tracker_sends_requests_without_a_session() {
    for version in VERSIONS {
        let site = Site::start_over(version, SessionLayer::new());
        browser::run(
            r#"
            await page.goto(args.url);
            await page.evaluate(() => fetch("/ask/plain"));
            "#,
            &json!({ "url": site.url }),
        );
        assert_eq!(site.session_of("asked /ask/plain"), Value::Null);
        assert_eq!(site.one("/ask/plain").version, version);
    }
}

/// Runs the code in a page of the site, with what [`TRACKER`] and [`XHR`] define.
pub(crate) fn in_page(site: &Site, code: &str) -> Value {
    let script = format!(
        "await page.goto(args.url); return page.evaluate(async () => {{ {TRACKER} {XHR} {code} }});"
    );
    browser::run(&script, &json!({ "url": site.url })).value
}

/// In a page: `await start(options)` gives a started tracker with options of the test's own.
pub(crate) const TRACKER: &str = r#"
  const { Tracker } = await import("/bundle/libraries.js");
  const make = (options) => new Tracker({ projectKey: "browser-tests", ingestPoint: INGEST_POINT, __DISABLE_SECURE_MODE: true, ...options });
  const start = async (options) => {
    const tracker = make(options);
    const started = await tracker.start();
    if (!started.success) throw new Error(started.reason);
    return tracker;
  };
"#;

/// In a page: `await xhr(address, headers)` resolves to whether there was a response.
pub(crate) const XHR: &str = r#"
  const xhr = (address, headers = {}) => new Promise((answered) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onload = () => answered(true);
    request.onerror = () => answered(false);
    request.send();
  });
"#;
