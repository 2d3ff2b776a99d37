//! What pages do wrong, as a browser really sends it, and what a backend makes of it.

use integration_tests::{Tap, browser};
use serde_json::{Value, json};

use crate::{
    ingest::SIGNATURE,
    site::Site,
    ways::{TRACKER, XHR, in_page},
};

#[test]
#[ignore = "needs Chromium"]
fn a_request_before_the_tracker_has_started_is_one_without_a_session() {
    let site = Site::start();
    in_page(
        &site,
        r#"
            const send = async (tracker, way) => {
              const headers = { "openReplaySession.id": tracker.getSessionID() };
              await fetch("/ask/fetch-" + way, { headers });
              await xhr("/ask/xhr-" + way, headers);
            };
            // a tracker that refuses the page, here for want of https, has null; one that has not
            // started, undefined
            await send(make({ __DISABLE_SECURE_MODE: false }), "null");
            await send(make(), "undefined");
            "#,
    );
    for sent in ["null", "undefined"] {
        for way in ["fetch", "xhr"] {
            let path = format!("/ask/{way}-{sent}");
            assert_eq!(site.one(&path).header("openreplaysession.id"), [sent]);
            assert_eq!(site.session_of(&format!("asked {path}")), Value::Null);
        }
    }
}

#[test]
#[ignore = "needs Chromium"]
fn after_a_stop_the_token_still_goes_out() {
    let site = Site::start();
    let id = in_page(
        &site,
        r#"
            const tracker = await start({ network: { sessionTokenHeader: true } });
            const id = tracker.getSessionID();
            tracker.stop();
            await fetch("/ask/fetch");
            await xhr("/ask/xhr");
            return id;
            "#,
    );
    for path in ["/ask/fetch", "/ask/xhr"] {
        assert!(site.one(path).header("x-openreplay-sessiontoken")[0].ends_with(SIGNATURE));
        assert_eq!(site.session_of(&format!("asked {path}")), id);
    }
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
        await xhr("/ask/xhr", Object.fromEntries([own]));
        return { current: tracker.getSessionID(), kept };
        "#,
    );
    // the tracker replaces an object's value, adds to a list, and leaves what `Headers` or XHR
    // already have
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
            const id = tracker.getSessionID();
            await fetch("/ask/fetch");
            await xhr("/ask/xhr");
            await fetch("/ask/list", { headers: [["openReplaySession.id", id]] });
            return id;
            "#,
    );
    for path in ["/ask/fetch", "/ask/xhr", "/ask/list"] {
        assert!(site.one(path).header("openreplaysession.id")[0].ends_with(SIGNATURE));
        assert_eq!(site.session_of(&format!("asked {path}")), id, "{path}");
    }
    // a list that has the name already gets the token as well
    let list = site.one("/ask/list");
    let both = list.header("openreplaysession.id").join(", ");
    assert!(both.starts_with(&format!("{}, ", id.as_str().unwrap())));
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
          {TRACKER} {XHR}
          const tracker = make({{ network: {{ sessionTokenHeader: true }} }});
          await fetch("/ask/fetch");
          await xhr("/ask/xhr");
          return tracker.isActive();
        }});
        return {{ id, early }};
        "#
    );
    let ran = browser::run(&script, &json!({ "url": site.url }));
    assert_eq!(ran.value["early"], json!(false));
    for path in ["/ask/fetch", "/ask/xhr"] {
        assert_eq!(site.session_of(&format!("asked {path}")), ran.value["id"]);
    }
}

#[test]
#[ignore = "needs Chromium"]
fn names_arrive_as_they_were_written_or_in_lower_case() {
    let site = Site::start();
    let tap = Tap::start(site.url.trim_start_matches("http://"));
    let script = format!(
        r#"
        await page.goto(args.url);
        return page.evaluate(async () => {{
          {TRACKER} {XHR}
          const tracker = await start({{ network: {{ sessionTokenHeader: true }} }});
          const headers = {{ "openReplaySession.id": tracker.getSessionID() }};
          await fetch("/ask/object", {{ headers }});
          await fetch("/ask/headers", {{ headers: new Headers(headers) }});
          await xhr("/ask/xhr", headers);
          return tracker.getSessionID();
        }});
        "#
    );
    let url = format!("http://{}", tap.address());
    let id = browser::run(&script, &json!({ "url": url })).value;
    for (way, names) in [
        (
            "object",
            ["openReplaySession.id", "X-OpenReplay-SessionToken"],
        ),
        (
            "headers",
            ["openreplaysession.id", "x-openreplay-sessiontoken"],
        ),
        ("xhr", ["openReplaySession.id", "X-OpenReplay-SessionToken"]),
    ] {
        let head = tap.head(&format!("/ask/{way}"));
        for name in names {
            let sent = |line: &&String| line.starts_with(&format!("{name}: "));
            assert_eq!(head.iter().filter(sent).count(), 1, "{way}: {name}");
        }
        assert_eq!(site.session_of(&format!("asked /ask/{way}")), id, "{way}");
    }
}
