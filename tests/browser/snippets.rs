//! The frontend code of `docs/frontend.md`: the page shows the very files that run here.

use std::{collections::BTreeSet, fs, process::Command};

use integration_tests::{
    browser::{self, frontend},
    guide,
};
use serde_json::{Value, json};

use crate::site::Site;

#[test]
fn the_guide_shows_the_files_that_are_tested() {
    let shown: BTreeSet<_> = guide::blocks("docs/frontend.md")
        .into_iter()
        .filter(|block| block.language == "ts")
        .map(|block| block.text)
        .collect();
    let names = [
        "session",
        "fetch",
        "axios",
        "ky",
        "apollo",
        "token",
        "elsewhere",
    ];
    let files = names.map(|name| {
        let path = frontend().join("frontend").join(name).with_extension("ts");
        fs::read_to_string(path).expect("the file is there")
    });
    assert_eq!(shown, BTreeSet::from(files));
}

#[test]
#[ignore = "needs node"]
fn the_files_type_check() {
    let output = Command::new("node")
        .args(["node_modules/typescript/bin/tsc", "--project", "."])
        .current_dir(frontend())
        .output()
        .expect("node is installed: scripts/install");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
#[ignore = "needs Chromium"]
fn each_client_sends_the_session_that_is_current_with_every_request() {
    for (client, send, path) in [
        (
            "fetch",
            r#"client.api("/ask/fetch", { method: "POST" })"#,
            "/ask/fetch",
        ),
        ("axios", r#"client.api.get("/ask/axios")"#, "/ask/axios"),
        ("ky", r#"client.api.get("/ask/ky")"#, "/ask/ky"),
        (
            "apollo",
            r#"client.client.query({ fetchPolicy: "no-cache", query: {
              kind: "Document", definitions: [{ kind: "OperationDefinition", operation: "query",
                selectionSet: { kind: "SelectionSet", selections: [{ kind: "Field", name: { kind: "Name", value: "ping" } }] } }] } })"#,
            "/graphql",
        ),
    ] {
        let site = Site::start();
        // the first request is made at once: the client itself waits for the tracker
        let script = format!(
            r#"
            await page.goto(args.url);
            return page.evaluate(async () => {{
              const client = await import("/bundle/{client}.js");
              const ask = () => {send};
              await ask();
              const {{ tracker }} = await import("/bundle/session.js");
              const first = tracker.getSessionID();
              tracker.stop();
              const restarted = await tracker.start({{ forceNew: true }});
              if (!restarted.success) throw new Error(restarted.reason);
              await ask();
              return [first, tracker.getSessionID()];
            }});
            "#
        );
        let ran = browser::run(&script, &json!({ "url": site.url }));
        let ids = ran.value.as_array().unwrap();
        assert!(
            ids.iter().all(Value::is_string) && ids[0] != ids[1],
            "{client}: {ids:?}, {:?}",
            ran.console
        );
        let records = site.records(&format!("asked {path}"), 2);
        let arrived: Vec<_> = records
            .iter()
            .map(|record| &record["openReplaySession.id"])
            .collect();
        assert_eq!(arrived, ids.iter().collect::<Vec<_>>(), "{client}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn where_the_tracker_cannot_start_requests_go_on_without_a_session() {
    let site = Site::start();
    browser::run(
        r#"
        await page.route("**/ingest/**", (route) => route.abort());
        await page.goto(args.url);
        await page.evaluate(async () => (await import("/bundle/fetch.js")).api("/ask/alone"));
        "#,
        &json!({ "url": site.url }),
    );
    assert!(site.session_of("asked /ask/alone").is_null());
}

#[test]
#[ignore = "needs Chromium"]
fn if_openreplay_does_not_respond_requests_go_on_without_a_session() {
    let site = Site::start();
    browser::run(
        r#"
        await page.route("**/ingest/**", () => {}); // never answers
        await page.goto(args.url);
        await page.evaluate(async () => (await import("/bundle/fetch.js")).api("/ask/stalled"));
        "#,
        &json!({ "url": site.url }),
    );
    assert!(site.session_of("asked /ask/stalled").is_null());
}

#[test]
#[ignore = "needs Chromium"]
fn a_hidden_page_sends_requests_without_a_session_until_it_is_seen() {
    let site = Site::start();
    let ran = browser::run(
        r#"
        await page.addInitScript(() => {
          globalThis.hidden = true;
          Object.defineProperty(document, "hidden", { get: () => globalThis.hidden });
        });
        await page.goto(args.url);
        return page.evaluate(async () => {
          const { api } = await import("/bundle/fetch.js");
          const { tracker } = await import("/bundle/session.js");
          await api("/ask/hidden");
          globalThis.hidden = false;
          document.dispatchEvent(new Event("visibilitychange"));
          while (!tracker.getSessionID()) await new Promise((later) => setTimeout(later, 20));
          await api("/ask/seen");
          return tracker.getSessionID();
        });
        "#,
        &json!({ "url": site.url }),
    );
    assert!(site.session_of("asked /ask/hidden").is_null());
    assert_eq!(site.session_of("asked /ask/seen"), ran.value);
}
