//! What pages do wrong, as a browser really sends it. The first part a backend can meet; the second it cannot mend,
//! and `docs/proxies-and-origins.md` names it by its symptom.

use axum::http::{HeaderValue, header::CONTENT_SECURITY_POLICY};
use integration_tests::browser;
use serde_json::{Value, json};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_openreplay::SessionLayer;

use crate::{ingest::SIGNATURE, site::Site, ways::TRACKER};

#[test]
#[ignore = "needs Chromium"]
fn a_request_before_the_tracker_has_started_is_one_without_a_session() {
    let site = Site::start();
    in_page(
        &site,
        r#"
        const tracker = make();
        const send = (path, id) => fetch(path, { headers: { "openReplaySession.id": id } });
        await send("/ask/early", tracker.getSessionID());
        await send("/ask/null", null);
        "#,
    );
    assert_eq!(site.session_of("asked /ask/early"), Value::Null);
    assert_eq!(site.session_of("asked /ask/null"), Value::Null);
    assert_eq!(
        site.seen("/ask/null")[0].header("openreplaysession.id"),
        ["null"]
    );
    let early = site.seen("/ask/early");
    assert!(
        ["undefined", "null", ""].contains(&early[0].header("openreplaysession.id")[0]),
        "{early:?}"
    );
}

#[test]
#[ignore = "needs Chromium"]
fn a_header_list_that_a_page_uses_again_collects_tokens() {
    let site = Site::start();
    let id = in_page(
        &site,
        r#"
        const tracker = await start({ network: { sessionTokenHeader: true } });
        const headers = [["accept", "application/json"]];
        for (const path of ["/ask/first", "/ask/second", "/ask/third"]) await fetch(path, { headers });
        return tracker.getSessionID();
        "#,
    );
    let third = site.seen("/ask/third");
    let values = third[0].header("x-openreplay-sessiontoken").join(", ");
    assert_eq!(values.split(", ").count(), 3, "{values}");
    assert_eq!(site.session_of("asked /ask/third"), id);
}

#[test]
#[ignore = "needs Chromium"]
fn of_a_pages_own_token_and_the_trackers_the_later_counts_where_both_arrive() {
    let site = Site::start();
    let ids = in_page(
        &site,
        r#"
        const tracker = await start({ network: { sessionTokenHeader: true } });
        const [before, kept] = [tracker.getSessionToken(), tracker.getSessionID()];
        await tracker.stop();
        const restarted = await tracker.start({ forceNew: true });
        if (!restarted.success) throw new Error(restarted.reason);
        const own = ["X-OpenReplay-SessionToken", before];
        await fetch("/ask/object", { headers: Object.fromEntries([own]) });
        await fetch("/ask/headers", { headers: new Headers([own]) });
        await fetch("/ask/list", { headers: [own] });
        await new Promise((done) => {
          const xhr = new XMLHttpRequest();
          xhr.open("GET", "/ask/xhr");
          xhr.setRequestHeader(...own);
          xhr.onloadend = done;
          xhr.send();
        });
        return { current: tracker.getSessionID(), kept };
        "#,
    );
    // the tracker replaces an object's value, adds to a list, and leaves what `Headers` or XHR already have
    for (way, tokens, session) in [
        ("object", 1, "current"),
        ("list", 2, "current"),
        ("headers", 1, "kept"),
        ("xhr", 1, "kept"),
    ] {
        let seen = site.seen(&format!("/ask/{way}"));
        let values = seen[0].header("x-openreplay-sessiontoken").join(", ");
        assert_eq!(values.split(", ").count(), tokens, "{way}: {values}");
        let arrived = site.session_of(&format!("asked /ask/{way}"));
        assert_eq!(arrived, ids[session], "{way}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn a_token_under_the_ids_name_is_read_as_a_token() {
    let site = Site::start();
    let id = in_page(
        &site,
        r#"
        const tracker = await start({ network: { sessionTokenHeader: "openReplaySession.id" } });
        await fetch("/ask/misnamed");
        return tracker.getSessionID();
        "#,
    );
    assert!(site.seen("/ask/misnamed")[0].header("openreplaysession.id")[0].ends_with(SIGNATURE));
    assert_eq!(site.session_of("asked /ask/misnamed"), id);
    assert!(!site.log().contains(SIGNATURE));
}

#[test]
#[ignore = "needs Chromium"]
fn after_a_reload_the_token_goes_out_before_the_tracker_has_started_again() {
    let site = Site::start();
    let script = format!(
        r#"
        await page.goto(args.url);
        const id = await page.evaluate(async () => {{
          {TRACKER}
          return (await start({{ network: {{ sessionTokenHeader: true }} }})).getSessionID();
        }});
        await page.reload();
        const early = await page.evaluate(async () => {{
          {TRACKER}
          const tracker = make({{ network: {{ sessionTokenHeader: true }} }});
          await fetch("/ask/reloaded");
          return tracker.isActive();
        }});
        return {{ id, early }};
        "#
    );
    let ran = browser::run(&script, &json!({ "url": site.url }));
    assert_eq!(ran.value["early"], json!(false));
    assert_eq!(site.session_of("asked /ask/reloaded"), ran.value["id"]);
}

// from here on: what no backend can mend

#[test]
#[ignore = "needs Chromium"]
fn an_id_that_was_made_a_number_is_another_id() {
    let site = Site::start();
    let id = in_page(
        &site,
        r#"
        const id = (await start()).getSessionID();
        await fetch("/ask/number", { headers: { "openReplaySession.id": Number(id) } });
        return id;
        "#,
    );
    let arrived = site.session_of("asked /ask/number");
    assert_ne!(arrived, id);
    assert_eq!(
        arrived.as_str().unwrap()[..15],
        id.as_str().unwrap()[..15],
        "but it looks like it"
    );
}

#[test]
#[ignore = "needs Chromium"]
fn no_cors_strips_the_header_without_an_error() {
    let (page, api) = (Site::start(), Site::start());
    let script = r#"
        await page.goto(args.page);
        return page.evaluate(async (api) => {
          const headers = { "openReplaySession.id": "4950498349085463837" };
          return (await fetch(api + "/ask/no-cors", { mode: "no-cors", headers })).type;
        }, args.api);
    "#;
    let ran = browser::run(script, &json!({ "page": page.url, "api": api.url }));
    assert_eq!(ran.value, json!("opaque"));
    assert!(ran.console.is_empty(), "{:?}", ran.console);
    assert!(
        api.seen("/ask/no-cors")[0]
            .header("openreplaysession.id")
            .is_empty()
    );
    assert_eq!(api.session_of("asked /ask/no-cors"), Value::Null);
}

#[test]
#[ignore = "needs Chromium"]
fn an_id_that_was_kept_over_a_restart_names_the_session_before() {
    let site = Site::start();
    let id = in_page(
        &site,
        r#"
        const tracker = await start();
        const kept = tracker.getSessionID();
        await tracker.stop();
        await tracker.start({ forceNew: true });
        await fetch("/ask/kept", { headers: { "openReplaySession.id": kept } });
        return tracker.getSessionID();
        "#,
    );
    assert_ne!(site.session_of("asked /ask/kept"), id);
}

#[test]
#[ignore = "needs Chromium"]
fn a_policy_without_worker_src_gives_ids_without_a_recording() {
    let policy = "default-src 'self' 'unsafe-inline'; img-src data:";
    for (policy, recorded) in [
        (policy.to_owned(), false),
        (format!("{policy}; worker-src blob:"), true),
    ] {
        let header = HeaderValue::from_str(&policy).unwrap();
        let layer = SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, header);
        let site = Site::start_with(SessionLayer::new(), |app| app.layer(layer));
        let id = in_page(
            &site,
            r#"
            const tracker = await start();
            await fetch("/ask/worker", { headers: { "openReplaySession.id": tracker.getSessionID() } });
            await new Promise((later) => setTimeout(later, 500));
            tracker.stop();
            await new Promise((later) => setTimeout(later, 200));
            return tracker.getSessionID();
            "#,
        );
        assert_eq!(site.session_of("asked /ask/worker"), id);
        assert_eq!(site.ingest.batches() > 0, recorded, "{policy}");
    }
}

fn in_page(site: &Site, code: &str) -> Value {
    let script = format!(
        "await page.goto(args.url); return page.evaluate(async () => {{ {TRACKER} {code} }});"
    );
    browser::run(&script, &json!({ "url": site.url })).value
}
