//! What a page says that a section's programs need in `Cargo.toml`: they build with it, and with nothing else.

use std::{fs, path::Path};

use integration_tests::{
    Terminal,
    guide::{self, Block},
};
use tempfile::TempDir;

use crate::root;

const PACKAGE: &str = "[package]\nname = \"section\"\nedition = \"2024\"\n\n[dependencies]\n";

#[test]
#[ignore = "needs minutes to build"]
fn each_program_builds_with_the_dependencies_of_its_section() {
    let root = root().canonicalize().unwrap();
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let target = root.join("target");
    let variables = [("CARGO_TARGET_DIR", target.to_str().unwrap())];
    let mut terminal = Terminal::open(folder.path(), &variables);

    for page in [
        "docs/errors-and-panics.md",
        "docs/existing-logging.md",
        "docs/proxies-and-origins.md",
        "docs/requests-and-traces.md",
        "docs/spawns-streams-websockets.md",
    ] {
        for (dependencies, program) in sections(page) {
            write(&root, folder.path(), &dependencies, &program);
            terminal.ok("cargo check --quiet");
        }
    }
}

#[test]
fn a_crates_readme_names_its_own_version_and_features_that_exist() {
    let page = "crates/tower-openreplay/README.md";
    let manifest = fs::read_to_string(root().join("crates/tower-openreplay/Cargo.toml")).unwrap();
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let shown = guide::block(page, "tower-openreplay", "toml");
    let (_, rest) = shown
        .split_once("tower-openreplay = { version = \"")
        .unwrap();
    let (version, rest) = rest.split_once('"').unwrap();
    assert!(
        workspace.contains(&format!("\nversion = \"{version}.")),
        "{version}"
    );
    for feature in rest.split('"').skip(1).step_by(2) {
        assert!(manifest.contains(&format!("\n{feature} = [")), "{feature}");
    }
}

/// The dependencies of each section, and its program; a section that only names a feature has an empty one.
fn sections(page: &str) -> Vec<(String, String)> {
    let (rust, rest): (Vec<Block>, Vec<Block>) = guide::blocks(page)
        .into_iter()
        .partition(|block| block.language == "rust");
    let dependencies: Vec<_> = rest
        .into_iter()
        .filter(|block| block.language == "toml")
        .collect();
    for program in &rust {
        let named = |block: &Block| block.heading == program.heading;
        assert!(dependencies.iter().any(named), "{page}: {program:?}");
    }
    let program = |heading: &str| {
        let found = rust.iter().find(|program| program.heading == heading);
        found.map(|program| program.text.clone())
    };
    dependencies
        .into_iter()
        .map(|block| (block.text, program(&block.heading).unwrap_or_default()))
        .collect()
}

/// The package, with the versions of this workspace.
fn write(root: &Path, folder: &Path, dependencies: &str, program: &str) {
    let dependencies = dependencies.replace("CHECKOUT", root.to_str().unwrap());
    let text = format!(
        "fn main() -> Result<(), Box<dyn std::error::Error>> {{
            let (path, directory) = (\"shop.ndjson\", \".\");
            {program}
            Ok(())
        }}"
    );
    fs::write(
        folder.join("Cargo.toml"),
        PACKAGE.to_owned() + &dependencies,
    )
    .unwrap();
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    fs::write(folder.join("src/main.rs"), text).unwrap();
}
