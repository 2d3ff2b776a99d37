//! docs/quick-start.md: its manifest, its program, its question and its record.

use std::fs;

use integration_tests::{Terminal, guide};
use serde_json::Value;
use tempfile::TempDir;

use crate::{free_address, root, shows};

const PAGE: &str = "docs/quick-start.md";

#[test]
#[ignore = "needs curl"]
fn the_program_answers_and_writes_the_record() {
    let root = root().canonicalize().unwrap();
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let address = free_address();

    let package = "[package]\nname = \"quick-start\"\nedition = \"2024\"\n\n";
    let dependencies = guide::block(PAGE, "1. The backend", "toml");
    // until they are on the registry, or newer here
    let crates = [
        "openreplay-session",
        "tower-openreplay",
        "tracing-openreplay",
    ]
    .map(|name| {
        format!(
            "{name} = {{ path = \"{}/crates/{name}\" }}\n",
            root.display()
        )
    });
    write(
        "Cargo.toml",
        &format!(
            "{package}{dependencies}\n[patch.crates-io]\n{}",
            crates.concat()
        ),
    );
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    let program = guide::block(PAGE, "1. The backend", "rust,no_run");
    fs::create_dir(folder.path().join("src")).unwrap();
    write("src/main.rs", &program.replace("127.0.0.1:3000", &address));

    let target = root.join("target");
    let variables = [("CARGO_TARGET_DIR", target.to_str().unwrap())];
    let mut terminal = Terminal::open(folder.path(), &variables);
    let [ask] = guide::commands(PAGE, &[("127.0.0.1:3000", &address)]);
    terminal.ok("cargo build --quiet");
    let app = terminal.start("cargo run --quiet");
    terminal.ok(&format!(
        "{} --silent --retry 50 --retry-connrefused --retry-delay 1",
        ask.trim()
    ));

    let message = "Endpoint accessed";
    app.wait_for(message);
    let out = app.out();
    let record = out.lines().find(|line| line.contains(message)).unwrap();
    let shown = guide::block(PAGE, "1. The backend", "json");
    shows(&shown, &serde_json::from_str::<Value>(record).unwrap());
}
