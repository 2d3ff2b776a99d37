//! What a section's programs need in `Cargo.toml`, according to its page: they build with it, and
//! with nothing else.

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
        "docs/hyper.md",
        "docs/other-services.md",
        "docs/proxies-and-origins.md",
        "docs/requests-and-traces.md",
        "docs/spawns-streams-websockets.md",
        "docs/tonic.md",
    ] {
        for (dependencies, program) in sections(page) {
            write(&root, folder.path(), &dependencies, &program);
            terminal.ok("cargo check --quiet");
        }
    }
}

#[test]
fn a_crates_readme_names_its_own_version_and_features_that_exist() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for page in [
        "crates/openreplay-buffer/README.md",
        "crates/openreplay-elastic/README.md",
        "crates/openreplay-record/README.md",
        "crates/openreplay-session/README.md",
        "crates/openreplay-store/README.md",
        "crates/tower-openreplay/README.md",
        "crates/tracing-openreplay/README.md",
    ] {
        let folder = Path::new(page).parent().unwrap();
        let name = folder.file_name().unwrap().to_str().unwrap();
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let shown = guide::block(page, name, "toml");
        let line = shown
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} = ")))
            .unwrap_or_else(|| panic!("{page} does not show {name}"));
        let mut texts = line.split('"').skip(1).step_by(2);
        let version = texts.next().unwrap();
        assert!(
            workspace.contains(&format!("{name} = {{ version = \"{version}.")),
            "{page}: {version}"
        );
        for feature in texts {
            assert!(
                manifest.contains(&format!("\n{feature} = [")),
                "{page}: {feature}"
            );
        }
    }
}

/// The dependencies of each section, and its program; a section that only names a feature has an
/// empty one.
fn sections(page: &str) -> Vec<(String, String)> {
    let (rust, rest): (Vec<Block>, Vec<Block>) = guide::blocks(page)
        .into_iter()
        .partition(|block| block.language.starts_with("rust"));
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
