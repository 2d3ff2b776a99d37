//! docs/quick-start.md: its manifest, its program, its question and its record.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use integration_tests::{Terminal, guide};
use serde_json::Value;
use tempfile::TempDir;

use crate::{free_address, root, shows};

const PAGE: &str = "docs/quick-start.md";
const SECTION: &str = "1. The backend";

#[test]
#[ignore = "needs curl"]
fn the_program_answers_and_writes_the_record() {
    let folder = TempDir::new().unwrap();
    let address = free_address();
    let program = build(folder.path(), &address);
    let mut terminal = Terminal::open(folder.path(), &[]);
    let app = terminal.start(program.to_str().unwrap());
    let [ask] = guide::commands(PAGE, &[("127.0.0.1:3000", &address)]);
    terminal.ok(&format!(
        "{} --silent --retry 50 --retry-connrefused --retry-delay 1",
        ask.trim()
    ));

    let message = "Endpoint accessed";
    app.wait_for(message);
    let out = app.out();
    let record = out.lines().find(|line| line.contains(message)).unwrap();
    let shown = guide::block(PAGE, SECTION, "json");
    shows(&shown, &serde_json::from_str::<Value>(record).unwrap());
}

/// The page's program with the page's manifest, made to listen on this address.
pub(crate) fn build(folder: &Path, address: &str) -> PathBuf {
    // To cargo the programs of two tests are one, wherever they stand, and the later text is the newer one: so text, build and
    // copy are one turn.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let root = root().canonicalize().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let package = "[package]\nname = \"quick-start\"\nedition = \"2024\"\n\n";
    let dependencies = guide::block(PAGE, SECTION, "toml");
    // those of the registry may be older, or not there yet
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
    })
    .concat();
    write(
        "Cargo.toml",
        &format!("{package}{dependencies}\n[patch.crates-io]\n{crates}"),
    );
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let program = guide::block(PAGE, SECTION, "rust,no_run");
    fs::create_dir(folder.join("src")).unwrap();
    write("src/main.rs", &program.replace("127.0.0.1:3000", address));

    let target = root.join("target");
    let variables = [("CARGO_TARGET_DIR", target.to_str().unwrap())];
    Terminal::open(folder, &variables).ok("cargo build --quiet");
    let built = folder.join("quick-start");
    fs::copy(target.join("debug/quick-start"), &built).unwrap();
    built
}
