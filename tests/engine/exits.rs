//! How the command ends if Elasticsearch rejects what it sends.

use std::fs;

use integration_tests::Elasticsearch;
use serde_json::json;

use crate::record;

#[test]
#[ignore = "needs Elasticsearch"]
fn ship_once_ends_with_6_if_elasticsearch_rejects_records() {
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
    let output = engine.command(&args);
    assert_eq!(output.code, Some(6), "{output:?}");
    let done = output.json();
    assert_eq!((&done["stored"], &done["rejected"]), (&json!(0), &json!(1)));
    // done all the same: it would be rejected again
    let output = engine.command(&args);
    assert_eq!(output.code, Some(0), "{output:?}");
}
