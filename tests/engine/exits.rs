//! How the command ends where Elasticsearch refuses what it sends.

use std::fs;

use integration_tests::Elasticsearch;
use serde_json::json;

use crate::record;

#[test]
#[ignore = "needs Elasticsearch"]
fn ship_once_ends_with_6_where_elasticsearch_refuses_records() {
    let engine = Elasticsearch::start();
    let index = json!({
        "mappings": {"properties": {"message": {"type": "long"}}},
        "aliases": {"logs": {}},
    });
    engine.ok("PUT", "/theirs", &index.to_string());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    fs::write(&file, format!("{}\n", record("7", "info", "m"))).unwrap();
    let checkpoint = folder.path().join("ship.json");
    let args = [
        "ship",
        "--once",
        "--json",
        "--checkpoint",
        checkpoint.to_str().unwrap(),
        file.to_str().unwrap(),
    ];
    let said = engine.command(&args);
    assert_eq!(said.code, Some(6), "{said:?}");
    let done = said.json();
    assert_eq!((&done["stored"], &done["refused"]), (&json!(0), &json!(1)));
    // done all the same: it would be refused again
    let said = engine.command(&args);
    assert_eq!(said.code, Some(0), "{said:?}");
}
