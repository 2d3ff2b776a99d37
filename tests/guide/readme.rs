//! The commands of the README, and of the command's own.

use integration_tests::{
    Elasticsearch, Terminal,
    engine::{PASSWORD, USER},
    guide,
};
use serde_json::json;

use crate::{ANY_PORT, SESSION, address, root, soon};

#[test]
#[ignore = "needs Elasticsearch"]
fn four_commands_lead_from_nothing_to_a_row() {
    let engine = Elasticsearch::start();
    let [_try_it, see_it] = guide::commands("README.md", &[]);
    let lines: Vec<_> = see_it
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let [setup, api_key, app, logs] = lines[..] else {
        panic!("not four commands: {see_it}")
    };

    let variables = [
        ("ELASTICSEARCH_URL", engine.url()),
        ("ELASTICSEARCH_USER", USER),
        ("ELASTICSEARCH_PASSWORD", PASSWORD),
        ("LISTEN_ADDR", ANY_PORT),
    ];
    let mut terminal = Terminal::open(&root(), &variables);
    terminal.ok(setup);
    assert!(terminal.ok(api_key).contains("API Key ID"));
    let address = address(&terminal.start(app));
    let asked = ureq::get(format!("http://{address}/api/endpoint"))
        .header("openReplaySession.id", SESSION)
        .call();
    assert_eq!(asked.expect("the app answers").status(), 200);
    let said = soon(&mut terminal, logs);
    let row = format!("[openReplaySession.id={SESSION}] Endpoint accessed");
    assert!(said.out.contains(&row), "{said:?}");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn the_commands_own_readme_sets_up_checks_and_shows() {
    let engine = Elasticsearch::start();
    let instead = [
        ("http://localhost:9200", engine.url()),
        ("…", PASSWORD),
        (" SESSION", &format!(" {SESSION}")),
    ];
    let [lines] = guide::commands("crates/openreplay-elastic-cli/README.md", &instead);
    let mut terminal = Terminal::open(&root(), &[]);
    let mut lines: Vec<_> = lines.lines().filter(|line| !line.is_empty()).collect();
    let rows = lines.pop().expect("the last shows a session");
    for line in lines {
        terminal.ok(line);
    }
    // nobody has a session yet, and it says so
    assert_eq!(terminal.run(rows).code, Some(5));
    let record = json!({
        "@timestamp": "2026-11-22T12:00:00.000000Z",
        "level": "info",
        "message": format!("[openReplaySession.id={SESSION}] Endpoint accessed"),
    });
    engine.ok("POST", "/logs/_doc?refresh=true", &record.to_string());
    assert!(terminal.ok(rows).contains("Endpoint accessed"));
}
