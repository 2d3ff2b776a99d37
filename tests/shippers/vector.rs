//! Vector's program, compiled and run by Vector's own compiler.

use std::fs;

use integration_tests::{Terminal, guide};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{PAGE, write_records};

const MANIFEST: &str = r#"
[package]
name = "vector-program"
edition = "2024"

[dependencies]
serde_json = "1"
vrl = { version = "=0.38.0", default-features = false, features = ["compiler", "stdlib-base", "value"] }

[profile.dev]
debug = false
"#;

const MAIN: &str = r#"
use std::io::stdin;

use vrl::{
    compiler::{Context, TargetValue, TimeZone, compile, state::RuntimeState},
    value::{Secrets, Value},
};

fn main() {
    let compiled = compile(include_str!("../program.vrl"), &vrl::stdlib::all()).unwrap();
    assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
    for event in stdin().lines() {
        let mut event = TargetValue {
            value: serde_json::from_str(&event.unwrap()).unwrap(),
            metadata: Value::Object(Default::default()),
            secrets: Secrets::default(),
        };
        let (mut state, timezone) = (RuntimeState::default(), TimeZone::default());
        let mut context = Context::new(&mut event, &mut state, &timezone);
        compiled.program.resolve(&mut context).unwrap();
        println!("{}", serde_json::to_string(&event.value).unwrap());
    }
}
"#;

#[test]
#[ignore = "needs minutes to build, and Rust 1.95"]
fn vectors_program_makes_the_line_the_whole_document() {
    let configuration = guide::block(PAGE, "Vector", "yaml");
    let mut lines = configuration.lines().map(str::trim);
    let program = lines.find_map(|line| line.strip_prefix("source: "));
    // a text of YAML in double quotes, without what JSON has not
    let program: String = serde_json::from_str(program.expect("a program")).unwrap();

    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
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
    fs::write(path("Cargo.toml"), MANIFEST).unwrap();
    fs::create_dir(path("src")).unwrap();
    fs::write(path("src/main.rs"), MAIN).unwrap();
    // what the workspace has, too, in its versions
    fs::copy(format!("{root}/Cargo.lock"), path("Cargo.lock")).unwrap();

    let variables = [("CARGO_TARGET_DIR", &*format!("{root}/target"))];
    let mut terminal = Terminal::open(folder.path(), &variables);
    let documents = terminal.ok("cargo run --quiet <events");
    let documents: Vec<Value> = documents
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(documents, records);
}
