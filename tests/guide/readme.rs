//! The commands of the README.

use integration_tests::{
    Elasticsearch, Terminal,
    engine::{PASSWORD, USER},
    guide,
};

use crate::{SESSION, free_address, root, soon};

#[test]
#[ignore = "needs Elasticsearch"]
fn four_commands_lead_from_nothing_to_a_row() {
    let engine = Elasticsearch::start();
    let address = free_address();
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
        ("LISTEN_ADDR", &address),
    ];
    let mut terminal = Terminal::open(&root(), &variables);
    terminal.ok(setup);
    assert!(terminal.ok(api_key).contains("API Key ID"));
    terminal.start(app).wait_for("Listening on");
    let asked = ureq::get(format!("http://{address}/api/endpoint"))
        .header("openReplaySession.id", SESSION)
        .call();
    assert_eq!(asked.expect("the app answers").status(), 200);
    let said = soon(&mut terminal, logs);
    let row = format!("[openReplaySession.id={SESSION}] Endpoint accessed");
    assert!(said.out.contains(&row), "{said:?}");
}
