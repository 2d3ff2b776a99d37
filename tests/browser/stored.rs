//! The page of `examples/axum-app` behind a real nginx, with its records on their way through a real Elasticsearch.

use integration_tests::{
    Elasticsearch, browser,
    engine::{PASSWORD, USER},
    nginx,
    process::Example,
};
use openreplay_elastic::{Client, Connection, admin::setup};
use serde_json::json;

#[test]
#[ignore = "needs Chromium, nginx and Elasticsearch"]
fn the_page_shows_the_records_as_they_come_back_and_none_is_left_behind_at_the_end() {
    let engine = Elasticsearch::start();
    let connection = Connection::builder(engine.url())
        .basic(USER, PASSWORD)
        .build();
    let client = Client::new(&connection.unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(setup::run(&client, &setup::SetupOptions::default()))
        .unwrap();

    let url = engine
        .url()
        .replace("http://", &format!("http://{USER}:{PASSWORD}@"));
    let app = Example::start(
        "axum-app",
        &[("LISTEN_ADDR", "127.0.0.1:0"), ("ELASTICSEARCH_URL", &url)],
    );
    let app_url = app.url();
    let nginx = nginx::start(app_url.trim_start_matches("http://"));
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        await page.getByLabel("from Elasticsearch").check();
        await page.getByRole("button", { name: "/api/endpoint" }).click();
        await page.getByRole("button", { name: "/api/error" }).click();
        await page.locator('#rows > .error').waitFor();
        const stored = await page.locator('#rows .content').allInnerTexts();
        await page.getByLabel("as written").check();
        await page.locator('#rows > .error').waitFor();
        const written = await page.locator('#rows .content').allInnerTexts();
        // and one more, that only the end of the app sends
        await page.getByRole("button", { name: "/api/endpoint" }).click();
        await page.locator('#rows > li').nth(5).waitFor();
        return { stored, written, session: await page.locator('#session-id').innerText() };
        "#,
        &json!({ "url": nginx.url() }),
    );
    // in any order: until a merge, records of neighbouring intervals may be swapped (docs/limits.md, tests/engine/rows.rs)
    assert_eq!(sorted(&ran.value["stored"]), sorted(&ran.value["written"]));
    assert_eq!(
        ran.value["stored"].as_array().unwrap().len(),
        4,
        "{}",
        ran.value
    );

    let (status, _) = app.terminate();
    assert!(status.success());
    engine.ok("POST", "/logs/_refresh", "");
    let session = ran.value["session"].as_str().unwrap();
    let query = json!({ "query": { "term": { "openReplaySession.id": session } } });
    let found = engine.ok("POST", "/logs/_count", &query.to_string());
    assert_eq!(found["count"], 6, "{found}");

    let logs = engine.command(&["logs", session]);
    assert_eq!(logs.code, Some(0), "{logs:?}");
    let shown: Vec<_> = logs.out.lines().collect();
    let clicked = |line: &&&str| line.ends_with("Endpoint accessed");
    assert_eq!(shown.iter().filter(clicked).count(), 2, "{logs:?}");
    let failed = |line: &&&str| line.contains("error") && line.contains("no price for order 1042");
    assert_eq!(shown.iter().filter(failed).count(), 1, "{logs:?}");
}

fn sorted(texts: &serde_json::Value) -> Vec<String> {
    let mut texts: Vec<String> = serde_json::from_value(texts.clone()).unwrap();
    texts.sort();
    texts
}
