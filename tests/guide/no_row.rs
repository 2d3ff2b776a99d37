//! docs/no-row.md: each question's command, with an app that does everything right, and with what
//! is missing.

use integration_tests::{
    Elasticsearch, Terminal,
    engine::{PASSWORD, USER},
    guide,
};
use tempfile::TempDir;

use crate::{ANY_PORT, SESSION, address, quick_start::QuickStart, root, soon};

const PAGE: &str = "docs/no-row.md";

#[test]
#[ignore = "needs Elasticsearch, curl"]
fn each_question_has_its_answer() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let key = engine.command(&["api-key", "--json"]).json();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("app.log");
    let instead = [
        ("/var/log/app/app.log", file.to_str().unwrap()),
        ("…", key["encoded"].as_str().unwrap()),
        (" ID", &format!(" {SESSION}")),
    ];
    let [send, in_file, in_elasticsearch, check] = guide::commands(PAGE, &instead);

    let variables = [
        ("ELASTICSEARCH_URL", engine.url()),
        ("ELASTICSEARCH_USER", USER),
        ("ELASTICSEARCH_PASSWORD", PASSWORD),
    ];
    let mut terminal = Terminal::open(&root(), &variables);
    // before the app has logged anything
    assert_eq!(terminal.run(&in_file).code, Some(1));
    assert_eq!(terminal.run(&in_elasticsearch).code, Some(5));
    assert_ne!(terminal.run(&check).code, Some(0));

    let with_password = engine
        .url()
        .replace("http://", &format!("http://{USER}:{PASSWORD}@"));
    let app = terminal.start(&format!(
        "ELASTICSEARCH_URL={with_password} LISTEN_ADDR={ANY_PORT} cargo run -q -p axum-app | tee {}",
        file.display()
    ));
    assert!(send.contains("127.0.0.1:3000"), "{send}");
    let send = send.replace("127.0.0.1:3000", &address(&app));
    assert_eq!(terminal.ok(&send), "Success");
    app.wait_for(&format!(
        "[openReplaySession.id={SESSION}] Endpoint accessed"
    ));
    for lines in [&in_file, &in_elasticsearch, &check] {
        soon(&mut terminal, lines);
    }
}

#[test]
#[ignore = "needs curl"]
fn without_the_layer_the_record_is_written_without_the_id() {
    let quick_start = QuickStart::new();
    let [send, ..]: [String; 4] = guide::commands(PAGE, &[("127.0.0.1:3000", &quick_start.app)]);
    let mut terminal = quick_start.terminal();
    quick_start.init(&mut terminal);
    let run = format!("cd {} && cargo run", quick_start.folder().display());
    let layer = ".layer(SessionLayer::new())";
    let app = quick_start.run_without(&mut terminal, &run, layer);
    assert_eq!(terminal.ok(&send), "Success");
    app.wait_for(r#""message":"Endpoint accessed""#);
    assert!(!app.out().contains("openReplaySession.id"), "{}", app.out());
}
