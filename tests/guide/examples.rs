//! What the examples' READMEs and CONTRIBUTING.md tell a reader to type.

use std::fs;

use integration_tests::{Terminal, guide};
use serde_json::Value;
use tempfile::TempDir;

use crate::{ANY_PORT, address, root, shows};

const AXUM_APP: &str = "examples/axum-app/README.md";
const TWO_SERVICES: &str = "examples/two-services/README.md";

#[test]
#[ignore = "needs curl"]
fn axum_app_logs_and_responds_as_its_readme_shows() {
    let blocks = guide::blocks(AXUM_APP);
    let (run, _) = typed(&blocks[0].text);
    let store = TempDir::new().unwrap();
    let variables = [
        ("LISTEN_ADDR", ANY_PORT),
        ("STORE_DIR", store.path().to_str().unwrap()),
    ];
    let mut terminal = Terminal::open(&root(), &variables);
    let app = terminal.start(run);
    let address = address(&app);

    let blocks: Vec<_> = blocks
        .iter()
        .map(|block| block.text.replace("127.0.0.1:3000", &address))
        .collect();
    let [run, send, error] = &blocks[..] else {
        panic!("not three: {blocks:#?}")
    };
    let (_, listening) = typed(run);
    let (send, response) = typed(send);
    let output = terminal.ok(send);
    for line in response.lines().filter(|line| *line != "…") {
        assert!(
            output.lines().any(|output| output == line),
            "{line} in {output}"
        );
    }

    app.wait_for("\"error\"");
    let out = app.out();
    let record = |word: &str| -> Value {
        let line = out.lines().find(|line| line.contains(word));
        serde_json::from_str(line.unwrap()).unwrap()
    };
    shows(listening, &record("Listening on"));
    shows(error, &record("\"level\":\"error\""));
}

/// What stands behind the prompt, and what comes of it.
fn typed(block: &str) -> (&str, &str) {
    let block = block.strip_prefix("$ ").expect("a prompt");
    block.split_once('\n').expect("what comes of it")
}

#[test]
#[ignore = "needs curl"]
fn two_services_respond_and_log_as_their_readme_shows() {
    let page = fs::read_to_string(root().join(TWO_SERVICES)).unwrap();
    let [services, send] = guide::commands(TWO_SERVICES, &[]);
    let mut terminal = Terminal::open(&root(), &[("LISTEN_ADDR", ANY_PORT)]);
    terminal.ok("cargo build --quiet -p two-services");
    let mut running = Vec::new();
    for (line, name) in services
        .lines()
        .zip(["PRICES_URL", "STOCK_URL", "SHOP_URL"])
    {
        let service = terminal.start(&format!("{line} 2>&1"));
        // the next one finds it by this, and `send` the last
        terminal.ok(&format!("export {name}=http://{}", address(&service)));
        running.push(service);
    }
    assert!(send.contains("127.0.0.1:3001"), "{send}");
    let response = terminal.ok(&send.replace("127.0.0.1:3001", "$SHOP_URL"));
    let body = response.lines().last().unwrap();
    assert!(
        page.contains(&format!("The response is `{body}`")),
        "{body}"
    );
    for service in &running {
        service.wait_for("\nspan request ");
        let prefix = "\"message\":\"[openReplaySession.id=4950498349085463837] ";
        assert_eq!(service.out().matches(prefix).count(), 2);
    }
    leads_to_three_places(&running[2].out(), &response);
}

/// Whether the first record of `shop` is the page's, and leads to the page's span and to the
/// response.
fn leads_to_three_places(shop: &str, response: &str) {
    let mut shown = guide::block(TWO_SERVICES, "two-services", "json");
    let mut span = guide::block(TWO_SERVICES, "two-services", "text");
    let record = shop.lines().find(|line| line.starts_with('{')).unwrap();
    let record: Value = serde_json::from_str(record).unwrap();
    let whole = shown.replace(",…", "");
    let page: Value = serde_json::from_str(&whole).expect("JSON");
    for name in ["trace.id", "span.id", "http.request.id"] {
        let (shown_id, id) = (page[name].as_str().unwrap(), record[name].as_str().unwrap());
        assert_eq!(shown_id.len(), id.len(), "{name}");
        shown = shown.replace(shown_id, id);
        span = span.replace(shown_id, id);
    }
    shows(&shown, &record);
    assert!(shop.contains(&span), "{span} in {shop}");
    let id = record["http.request.id"].as_str().unwrap();
    let header = format!("x-request-id: {id}");
    assert!(response.lines().any(|line| line == header), "{response}");
}

#[test]
fn the_commands_of_the_readme_and_contributing_are_those_of_the_gate() {
    let [try_it, _] = guide::commands("README.md", &[]);
    let [run_it] = guide::commands("CONTRIBUTING.md", &[]);
    let tests = fs::read_to_string(root().join("scripts/test")).unwrap();
    for line in try_it.lines().chain(run_it.lines()) {
        let command = line.split("  ").next().unwrap();
        let is_run = match command {
            "cargo test --workspace" => tests.contains(command),
            // where the reader is; its address is the reader's to fill in
            "git clone ADDRESS openreplay-rust && cd openreplay-rust" => true,
            // this is what runs it
            ".ci/run" => root().join(command).is_file(),
            // above
            _ => command == typed(&guide::blocks(AXUM_APP)[0].text).0,
        };
        assert!(is_run, "{command}");
    }
}
