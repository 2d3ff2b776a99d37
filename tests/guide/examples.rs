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
fn axum_app_says_and_answers_what_its_readme_shows() {
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
    let [run, ask, error] = &blocks[..] else {
        panic!("not three: {blocks:#?}")
    };
    let (_, listening) = typed(run);
    let (ask, answer) = typed(ask);
    let said = terminal.ok(ask);
    for line in answer.lines().filter(|line| *line != "…") {
        assert!(said.lines().any(|said| said == line), "{line} in {said}");
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
fn two_services_answer_and_log_what_their_readme_says() {
    let page = fs::read_to_string(root().join(TWO_SERVICES)).unwrap();
    let [services, ask] = guide::commands(TWO_SERVICES, &[]);
    let mut terminal = Terminal::open(&root(), &[("LISTEN_ADDR", ANY_PORT)]);
    terminal.ok("cargo build --quiet -p two-services");
    let mut running = Vec::new();
    for (line, name) in services
        .lines()
        .zip(["PRICES_URL", "STOCK_URL", "SHOP_URL"])
    {
        let service = terminal.start(&format!("{line} 2>&1"));
        // the next one finds it by this, and `ask` the last
        terminal.ok(&format!("export {name}=http://{}", address(&service)));
        running.push(service);
    }
    assert!(ask.contains("127.0.0.1:3001"), "{ask}");
    let answer = terminal.ok(&ask.replace("127.0.0.1:3001", "$SHOP_URL"));
    assert!(
        page.contains(&format!("The response is `{answer}`")),
        "{answer}"
    );
    for service in running {
        service.wait_for("\"message\":\"[openReplaySession.id=4950498349085463837] ");
    }
}

#[test]
fn what_contributors_and_readers_are_told_to_try_is_what_the_gate_runs() {
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
