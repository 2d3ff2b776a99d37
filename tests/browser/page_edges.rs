//! The page of `examples/axum-app` where something is unusual: assistive technology, forced
//! colours, no JavaScript, a tracker that hangs, hostile text, more records than OpenReplay shows.

use integration_tests::{
    browser::{self, frontend},
    process::Example,
};
use serde_json::{Value, json};

#[test]
#[ignore = "needs Chromium"]
fn axe_finds_nothing_with_everything_expanded_in_light_dark_and_forced_colours() {
    let app = Example::axum_app(&[]);
    for media in [
        json!({ "colorScheme": "light" }),
        json!({ "colorScheme": "dark" }),
        json!({ "forcedColors": "active" }),
    ] {
        let ran = browser::run(
            r#"
            const { readFileSync } = process.getBuiltinModule("fs");
            await page.emulateMedia({ reducedMotion: "reduce", ...args.media });
            await page.goto(args.url);
            await page.getByRole("button", { name: "/api/error" }).click();
            await page.locator('#rows > .error').waitFor();
            await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
            await page.evaluate(readFileSync(args.axe, "utf8"));
            const { violations } = await page.evaluate(() => axe.run());
            return violations.map(({ id, nodes }) => [id, nodes.map((node) => node.failureSummary)]);
            "#,
            &json!({
                "url": app.url(),
                "media": media,
                "axe": frontend().join("node_modules/axe-core/axe.min.js"),
            }),
        );
        assert_eq!(ran.value, json!([]), "{media}: {:#}", ran.value);
    }
}

#[test]
#[ignore = "needs Chromium"]
fn screen_readers_hear_the_number_of_records_and_no_prefix() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        await page.getByRole("button", { name: "/api/endpoint" }).click();
        await page.getByRole("status").filter({ hasText: "2 records" }).waitFor();
        return page.locator('#rows').ariaSnapshot();
        "#,
        &json!({ "url": app.url() }),
    );
    let heard = ran.value.as_str().unwrap();
    assert!(heard.contains("Endpoint accessed"), "{heard}");
    for unheard in ["openReplaySession.id", "›"] {
        assert!(!heard.contains(unheard), "{heard}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn buttons_have_an_edge_in_forced_colours() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        await page.emulateMedia({ forcedColors: "active" });
        await page.goto(args.url);
        return page.getByRole("button").first().evaluate((button) => {
          const { borderTopStyle, borderTopWidth, borderTopColor } = getComputedStyle(button);
          return { borderTopStyle, borderTopWidth, borderTopColor };
        });
        "#,
        &json!({ "url": app.url() }),
    );
    assert_eq!(ran.value["borderTopStyle"], "solid", "{}", ran.value);
    assert_eq!(ran.value["borderTopWidth"], "1px", "{}", ran.value);
    // transparent without forced colours
    assert_ne!(ran.value["borderTopColor"], "rgba(0, 0, 0, 0)");
}

#[test]
#[ignore = "needs Chromium"]
fn without_javascript_it_tells_what_it_needs() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
        await plain.goto(args.url);
        return plain.locator("body").innerText();
        "#,
        &json!({ "url": app.url() }),
    );
    let shown = ran.value.as_str().unwrap();
    assert!(shown.contains("needs JavaScript"), "{shown}");
    // the command, complete
    assert!(shown.contains("/api/error"), "{shown}");
}

#[test]
#[ignore = "needs Chromium"]
fn a_tracker_that_hangs_or_settings_that_fail_hold_nothing_up() {
    let app = Example::axum_app(&[
        ("OPENREPLAY_PROJECT_KEY", "browser-tests"),
        ("OPENREPLAY_TRACKER_URL", "http://127.0.0.1:9/openreplay.js"),
    ]);
    for (address, route, reason) in [
        ("**/openreplay.js", "() => {}", "it took more than a second"),
        (
            "**/page/config.json",
            "(route) => route.fulfill({ status: 500 })",
            "the app’s settings could not be loaded (500)",
        ),
        (
            "**/page/config.json",
            "() => {}",
            "it took more than a second",
        ),
    ] {
        let script = format!(
            r#"
            await page.route("{address}", {route});
            await page.goto(args.url);
            await page.getByRole("button", {{ name: "/api/endpoint" }}).click();
            await page.locator("output.ok").waitFor();
            return page.locator('#session-from').innerText();
            "#
        );
        let ran = browser::run(&script, &json!({ "url": app.url() }));
        let expected = format!("made by this page; OpenReplay’s tracker did not start: {reason}");
        assert_eq!(ran.value, json!(expected), "{address}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn every_line_terminator_of_unicode_is_an_ordinary_character() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        const message = "[openReplaySession.id=42] one\rtwo\u2028three\u2029four";
        await page.route("**/api/records", (route) => route.fulfill({ json: { rows: [
          { time: "2026-11-22T12:00:00.000000Z", level: "info", message, record: {} },
        ] } }));
        await page.goto(args.url);
        const content = page.locator('#rows .content');
        await content.waitFor();
        return { text: await content.textContent(), trouble: await page.locator('#trouble').isVisible() };
        "#,
        &json!({ "url": app.url() }),
    );
    assert_eq!(
        ran.value["text"],
        "[openReplaySession.id=42] one\rtwo\u{2028}three\u{2029}four"
    );
    assert_eq!(ran.value["trouble"], false);
}

#[test]
#[ignore = "needs Chromium"]
fn of_more_than_a_thousand_records_it_shows_the_first_and_a_notice() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        const full = page.locator('#full');
        const before = await full.isVisible();
        await page.evaluate(async () => {
          const id = document.querySelector('#session-id').textContent;
          const headers = { "openReplaySession.id": id };
          // two records each
          for (let sent = 0; sent < 510; sent++) await fetch("/api/endpoint", { headers });
          await fetch("/api/error", { headers });
        });
        await full.waitFor();
        return {
          before,
          count: await page.locator('#count').innerText(),
          rows: await page.locator('#rows > li').count(),
          errors: await page.locator('#rows > .error').count(),
        };
        "#,
        &json!({ "url": app.url() }),
    );
    let expected = json!({ "before": false, "count": "1,000 records", "rows": 1_000, "errors": 0 });
    assert_eq!(ran.value, expected);
}

#[test]
#[ignore = "needs Chromium"]
fn of_two_streams_at_once_the_later_is_counted() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        await page.evaluate(() => {
          const output = document.querySelector("[data-stream]").parentElement.querySelector("output");
          globalThis.shown = [];
          new MutationObserver(() => globalThis.shown.push(output.textContent)).observe(output, { childList: true });
        });
        const stream = page.getByRole("button", { name: "/api/stream" });
        await stream.click();
        // it may be shown too briefly to be seen
        await page.waitForFunction(() => shown.includes("200 event 2"));
        await stream.click();
        await page.getByText("200 5 events").waitFor();
        // the earlier one has ended before
        return page.evaluate(() => globalThis.shown);
        "#,
        &json!({ "url": app.url() }),
    );
    let shown = ran.value.as_array().unwrap();
    let second = shown.iter().rposition(|text| text == "…").unwrap();
    let expected: Vec<Value> = (1..=5)
        .map(|step| json!(format!("200 event {step}")))
        .chain([json!("200 5 events")])
        .collect();
    assert_eq!(shown[second + 1..], expected, "{shown:?}");
}

#[test]
#[ignore = "needs Chromium"]
fn next_to_an_error_it_does_not_invite_to_press_a_button() {
    let app = Example::axum_app(&[]);
    let ran = browser::run(
        r#"
        const empty = page.locator('#empty');
        await page.goto(args.url);
        await empty.waitFor();
        await page.route("**/api/records", (route) => route.fulfill({ status: 502, body: "Elasticsearch: unreachable" }));
        await page.getByText("Elasticsearch: unreachable").waitFor();
        await empty.waitFor({ state: "hidden" });
        await page.unroute("**/api/records");
        await empty.waitFor();
        return page.locator('#trouble').isVisible();
        "#,
        &json!({ "url": app.url() }),
    );
    assert_eq!(ran.value, false);
}
