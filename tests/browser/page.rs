//! The page of `examples/axum-app`, pressed as a person would.

use integration_tests::{browser, process::Example};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;
use tower_openreplay::SessionLayer;

use crate::site::Site;

#[test]
#[ignore = "needs Chromium"]
fn the_error_button_brings_one_error_record_to_the_panel_and_to_stdout() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        await page.getByRole("button", { name: "/api/error" }).click();
        const row = page.locator('#rows > .error');
        await row.locator("summary").first().click();
        return {
          rows: await row.count(),
          session: await page.locator('#session-id').innerText(),
          answer: await page.locator("output.failed").innerText(),
          level: await row.locator(".level").innerText(),
          line: await row.locator(".content").innerText(),
          lines: await row.locator(".lines li").allInnerTexts(),
        };
        "#,
        &json!({ "url": app.url() }),
    );
    let shown = ran.value;
    let session = shown["session"].as_str().unwrap();
    let prefix = format!("[openReplaySession.id={session}] ");
    assert_eq!(shown["rows"], 1);
    assert_eq!(shown["answer"], "500 Internal Server Error");
    assert_eq!(shown["level"], "ERROR");
    let failed = format!("{prefix}GET /api/error 500 error=no price for order 1042 ");
    let line = shown["line"].as_str().unwrap();
    assert!(line.starts_with(&failed), "{line}");
    assert_eq!(
        shown["lines"],
        json!([line, "error caused by: connection refused"])
    );

    let (status, records) = app.terminate();
    assert!(status.success(), "{status}");
    let errors: Vec<&Value> = records
        .iter()
        .filter(|record| record["level"] == "error")
        .collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!(errors[0]["openReplaySession.id"], session);
}

#[test]
#[ignore = "needs Chromium"]
fn every_button_works_from_the_keyboard_and_on_a_phone() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        await page.setViewportSize({ width: 360, height: 740 });
        await page.goto(args.url);
        for (const path of ["endpoint", "error", "panic", "spawn", "stream"]) {
          await page.getByRole("button", { name: "/api/" + path }).press("Enter");
        }
        await page.getByText("200 5 events", { exact: true }).waitFor();
        for (const line of ["from a spawned task", "Export: step 5 of 5"]) {
          await page.locator('#rows .content', { hasText: line }).waitFor();
        }
        return {
          answers: await page.locator("output").allInnerTexts(),
          wide: await page.evaluate(() => document.documentElement.scrollWidth > innerWidth),
          lines: await page.locator('#rows .content').allInnerTexts(),
        };
        "#,
        &json!({ "url": app.url() }),
    );
    assert_eq!(
        ran.value["answers"],
        json!([
            "200 Success",
            "500 Internal Server Error",
            "500 Internal Server Error",
            "202 Accepted",
            "200 5 events"
        ])
    );
    assert_eq!(ran.value["wide"], json!(false), "it scrolls sideways");
    let lines = ran.value["lines"].to_string();
    for line in [
        "Endpoint accessed",
        "error=no price",
        "routes.rs",
        "on a blocking thread",
        "Export: step 5 of 5",
    ] {
        assert!(lines.contains(line), "{line} is not in {lines}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_text_of_a_record_is_never_markup() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        const evil = '<img src=x onerror="document.title=1"><b>bold</b>';
        await page.route(/[/]api[/]records/, (route) => route.fulfill({ json: { rows: [
          { time: evil, level: evil, message: evil + "\n" + evil, record: { [evil]: evil } },
        ] } }));
        await page.goto(args.url);
        await page.locator('#rows summary').first().click();
        return {
          line: await page.locator('#rows .content').first().innerText(),
          markup: await page.locator('#rows img, #rows b').count(),
        };
        "#,
        &json!({ "url": app.url() }),
    );
    assert_eq!(
        ran.value["line"],
        r#"<img src=x onerror="document.title=1"><b>bold</b>"#
    );
    assert_eq!(ran.value["markup"], 0);
}

#[test]
#[ignore = "needs Chromium"]
fn with_a_project_key_the_tracker_records_the_page_and_gives_the_id() {
    let openreplay = Site::start_with(SessionLayer::new(), |site| {
        site.layer(CorsLayer::very_permissive())
    });
    let app = Example::axum_app(&[
        ("OPENREPLAY_PROJECT_KEY", "browser-tests"),
        (
            "OPENREPLAY_INGEST_POINT",
            &format!("{}/ingest", openreplay.url),
        ),
        (
            "OPENREPLAY_TRACKER_URL",
            &format!("{}/bundle/openreplay.js", openreplay.url),
        ),
    ]);
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        await page.getByRole("button", { name: "/api/error" }).click();
        await page.locator('#rows > .error').waitFor();
        const ids = await page.evaluate(() => {
          setInterval(() => window.OpenReplay.forceFlushBatch(), 50); // by itself it sends after half a minute
          return { tracker: window.OpenReplay.getSessionID(), shown: document.querySelector('#session-id').textContent };
        });
        await context.request.get(args.recorded);
        return ids;
        "#,
        &json!({ "url": app.url(), "recorded": format!("{}/ingest/recorded", openreplay.url) }),
    );
    assert!(ran.value["tracker"].is_string(), "{:?}", ran.console);
    assert_eq!(ran.value["tracker"], ran.value["shown"]);
    assert!(openreplay.ingest.batches() > 0, "{:?}", ran.console);
    let refused = |line: &&String| line.contains("Content Security Policy");
    assert_eq!(ran.console.iter().find(refused), None);
}

#[test]
#[ignore = "needs Chromium"]
fn if_the_tracker_does_not_start_the_page_reports_it_and_goes_on() {
    let app = Example::axum_app(&[
        ("OPENREPLAY_PROJECT_KEY", "browser-tests"),
        ("OPENREPLAY_TRACKER_URL", "http://127.0.0.1:9/openreplay.js"),
    ]);
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        await page.getByRole("button", { name: "/api/error" }).click();
        await page.locator('#rows > .error').waitFor();
        return page.locator('#session-from').innerText();
        "#,
        &json!({ "url": app.url() }),
    );
    assert_eq!(
        ran.value,
        "made by this page; OpenReplay’s tracker did not start: http://127.0.0.1:9/openreplay.js could not be loaded"
    );
}
