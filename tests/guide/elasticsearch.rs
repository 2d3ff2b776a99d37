//! docs/elasticsearch.md, from the top down in one terminal.

use std::{fs::File, sync::Arc};

use integration_tests::{Elasticsearch, Terminal, engine::PASSWORD, guide};
use openreplay_session::{SessionId, sync_scope};
use tempfile::TempDir;
use tracing::{info, subscriber::with_default};
use tracing_subscriber::prelude::*;

use crate::{SESSION, soon};

#[test]
#[ignore = "needs Elasticsearch"]
fn the_steps_lead_from_nothing_to_rows() {
    let engine = Elasticsearch::start();
    let folder = TempDir::new().unwrap();
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let instead = [
        ("https://elastic.example.com:9200", engine.url()),
        (
            "ELASTICSEARCH_PASSWORD=…",
            &format!("ELASTICSEARCH_PASSWORD={PASSWORD}"),
        ),
        ("/var/log/app", logs.to_str().unwrap()),
    ];
    let [tell, setup, api_key, check, writer, ship, rows, rotate] =
        guide::commands("docs/elasticsearch.md", &instead);

    let mut terminal = Terminal::open(folder.path(), &[]);
    terminal.ok(&tell);
    terminal.ok(&setup);
    let printed = terminal.ok(&api_key);
    for field in ["URL", "API Key ID", "API Key", "Indexes"] {
        assert!(
            printed.contains(&format!("\n  {field} "))
                || printed.starts_with(&format!("  {field} ")),
            "{field}: {printed}"
        );
    }
    terminal.ok(&check.replace('…', key(&printed)));

    let printed = terminal.ok(&writer);
    terminal.start(&ship.replace('…', key(&printed)));
    let file = Arc::new(File::create(logs.join("app.log")).unwrap());
    let layer = tracing_openreplay::json().with_writer(file);
    with_default(tracing_subscriber::registry().with(layer), || {
        let session: SessionId = SESSION.parse().unwrap();
        sync_scope(session, || info!("Endpoint accessed"));
    });
    let said = soon(&mut terminal, &rows);
    assert!(
        said.out.trim_end().ends_with("Endpoint accessed"),
        "{said:?}"
    );

    terminal.ok(&rotate);
    let said = terminal.ok(&rows);
    assert!(said.contains("Endpoint accessed"), "{said}");
}

/// What stands behind `ELASTICSEARCH_API_KEY=`.
fn key(printed: &str) -> &str {
    let (_, key) = printed.split_once("ELASTICSEARCH_API_KEY=").expect("a key");
    key.split_whitespace().next().expect("a key")
}
