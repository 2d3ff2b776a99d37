//! Vector's program, compiled and run by Vector's own compiler.

use std::fs;

use integration_tests::{Terminal, guide};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{PAGE, write_records};

#[test]
#[ignore = "needs Vector's compiler"]
fn vectors_program_makes_the_line_the_whole_document() {
    let configuration = guide::block(PAGE, "Vector", "yaml");
    let mut lines = configuration.lines().map(str::trim);
    let program = lines.find_map(|line| line.strip_prefix("source: "));
    // a text of YAML in double quotes, without what JSON has not
    let program: String = serde_json::from_str(program.expect("a program")).unwrap();

    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let records = write_records(&path("shop.ndjson"));
    let written = fs::read_to_string(path("shop.ndjson")).unwrap();
    let events = written.lines().map(|line| {
        // as the source `file` makes it of the line
        let event = json!({
            "file": "/var/log/shop/shop.ndjson",
            "host": "one",
            "message": line,
            "source_type": "file",
            "timestamp": "2026-11-22T12:00:00Z",
        });
        format!("{event}\n")
    });
    fs::write(path("events"), events.collect::<String>()).unwrap();
    fs::write(path("program.vrl"), program).unwrap();

    // built by scripts/install
    let compiler = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/vrl/debug/vrl-program"
    );
    let mut terminal = Terminal::open(folder.path(), &[]);
    let documents = terminal.ok(&format!("{compiler} program.vrl <events"));
    let documents: Vec<Value> = documents
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(documents, records);
}
