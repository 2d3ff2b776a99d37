//! What pages do wrong and no backend can fix: `docs/proxies-and-origins.md` lists it by its
//! symptom.

use axum::http::{HeaderValue, header::CONTENT_SECURITY_POLICY};
use integration_tests::browser;
use serde_json::{Value, json};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_openreplay::SessionLayer;

use crate::{site::Site, ways::in_page};

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
    let number = |id: &Value| id.as_str().unwrap().parse::<u64>().unwrap();
    let (arrived, id) = (number(&site.session_of("asked /ask/number")), number(&id));
    assert_ne!(arrived, id);
    // twice the distance between two such numbers in JavaScript
    assert!(arrived.abs_diff(id) < 2048, "{arrived} looks like {id}");
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
    let ids = in_page(
        &site,
        r#"
        const tracker = await start();
        const kept = tracker.getSessionID();
        await tracker.stop();
        await tracker.start({ forceNew: true });
        await fetch("/ask/kept", { headers: { "openReplaySession.id": kept } });
        return { kept, current: tracker.getSessionID() };
        "#,
    );
    assert_ne!(ids["kept"], ids["current"]);
    assert_eq!(site.session_of("asked /ask/kept"), ids["kept"]);
}

#[test]
#[ignore = "needs Chromium"]
fn a_policy_without_worker_src_gives_ids_without_a_recording() {
    let policy = "default-src 'self' 'unsafe-inline'; img-src data:";
    for (policy, outcome, is_recorded) in [
        (policy.to_owned(), "refused", false),
        (format!("{policy}; worker-src blob:"), "recorded", true),
    ] {
        let header = HeaderValue::from_str(&policy).unwrap();
        let layer = SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, header);
        let site = Site::start_with(SessionLayer::new(), |app| app.layer(layer));
        let ran = in_page(
            &site,
            r#"
            // before the tracker makes its worker
            const refused = new Promise((refused) => {
              document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
                if (effectiveDirective === "worker-src" && blockedURI === "blob") refused("refused");
              });
            });
            const tracker = await start();
            const id = tracker.getSessionID();
            await fetch("/ask/worker", { headers: { "openReplaySession.id": id } });
            setInterval(() => tracker.forceFlushBatch(), 50); // by itself it sends after half a minute
            const outcome = await Promise.race([refused, fetch("/ingest/recorded").then(() => "recorded")]);
            tracker.forceFlushBatch();
            await fetch("/ask/flushed");
            return { id, outcome };
            "#,
        );
        assert_eq!(ran["outcome"], outcome, "{policy}");
        assert_eq!(site.session_of("asked /ask/worker"), ran["id"]);
        assert_eq!(site.ingest.batches() > 0, is_recorded, "{policy}");
    }
}
