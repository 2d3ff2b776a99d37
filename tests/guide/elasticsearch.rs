//! The whole way of a newcomer: the quick start's program behind the guide's nginx, a page with the guide's frontend code, and
//! docs/elasticsearch.md from the top down in one terminal.

use std::fs;

use integration_tests::{Elasticsearch, Terminal, browser, engine::PASSWORD, guide, nginx};
use serde_json::json;
use tempfile::TempDir;

use crate::{SESSION, free_address, quick_start, soon};

#[test]
#[ignore = "needs Chromium, nginx and Elasticsearch"]
fn the_guide_leads_from_nothing_to_the_row_of_a_click() {
    let folder = TempDir::new().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let address = free_address();
    let program = quick_start::build(folder.path(), &address);

    let engine = Elasticsearch::start();
    let password = format!("ELASTICSEARCH_PASSWORD={PASSWORD}");
    let instead = [
        ("https://elastic.example.com:9200", engine.url()),
        ("ELASTICSEARCH_PASSWORD=…", &password),
        ("/var/log/app", logs.to_str().unwrap()),
    ];
    let [tell, setup, api_key, check, writer, ship, rows, rotate] =
        guide::commands("docs/elasticsearch.md", &instead);

    let mut terminal = Terminal::open(folder.path(), &[]);
    terminal.ok(&tell);
    terminal.ok(&setup);
    let printed = terminal.ok(&api_key);
    let fields = printed.lines().map(|line| line[2..14].trim_end());
    assert_eq!(
        fields.take(4).collect::<Vec<_>>(),
        ["URL", "API Key ID", "API Key", "Indexes"]
    );
    terminal.ok(&check.replace('…', key(&printed)));
    let printed = terminal.ok(&writer);
    terminal.start(&ship.replace('…', key(&printed)));

    terminal.start(&format!(
        "{} >> {}/app.log",
        program.display(),
        logs.display()
    ));
    let listens = format!(": </dev/tcp/{}", address.replace(':', "/"));
    soon(&mut terminal, &listens);
    let nginx = nginx::start(&address);
    click(nginx.url());

    let rows_now = soon(&mut terminal, &rows).out;
    let row = format!("[openReplaySession.id={SESSION}] Endpoint accessed\n");
    assert!(rows_now.ends_with(&row), "{rows_now}");
    terminal.ok(&rotate);
    assert_eq!(terminal.ok(&rows), rows_now);
}

/// What stands behind `ELASTICSEARCH_API_KEY=`.
fn key(printed: &str) -> &str {
    let (_, key) = printed.split_once("ELASTICSEARCH_API_KEY=").expect("a key");
    key.split_whitespace().next().expect("a key")
}

/// Presses a button of a page of the same origin, whose script is the guide's; OpenReplay's answer to the tracker is made up.
fn click(url: &str) {
    let bundle = TempDir::new().unwrap();
    browser::bundle(bundle.path());
    let ran = browser::run(
        r#"
        const html = `<button>order</button><output></output>
          <script>INGEST_POINT = location.origin + "/ingest"</script>
          <script type="module">
            import { api } from "/bundle/fetch.js";
            document.querySelector("button").onclick = async () => {
              document.querySelector("output").value = await (await api("/api/endpoint")).text();
            };
          </script>`;
        await page.route(args.url + "/", (route) => route.fulfill({ contentType: "text/html", body: html }));
        await page.route("**/bundle/**", (route) => route.fulfill({ path: args.bundle + new URL(route.request().url()).pathname.slice(7) }));
        await page.route("**/ingest/**", (route) => route.fulfill({ json: { tags: [] } }));
        await page.route("**/ingest/v1/web/start", (route) => route.fulfill({ json: {
          token: "a.b.c.d", userUUID: "u", sessionID: args.session, projectID: "1", delay: 0,
          startTimestamp: Date.now(), beaconSizeLimit: 1_000_000,
        } }));
        await page.goto(args.url);
        await page.getByRole("button").click();
        await page.getByText("Success").waitFor();
        "#,
        &json!({ "url": url, "bundle": bundle.path(), "session": SESSION }),
    );
    assert!(
        ran.console.iter().all(|line| !line.contains("rror")),
        "{:?}",
        ran.console
    );
}
