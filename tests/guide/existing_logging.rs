//! docs/existing-logging.md: each program builds with the dependencies that its section names, and no others.
//! `tests/existing_logging` runs them.

use std::fs;

use integration_tests::{Terminal, guide};
use tempfile::TempDir;

use crate::root;

#[test]
#[ignore = "needs minutes to build"]
fn each_program_builds_with_the_dependencies_of_its_section() {
    let root = root().canonicalize().unwrap();
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let target = root.join("target");
    let variables = [("CARGO_TARGET_DIR", target.to_str().unwrap())];
    let mut terminal = Terminal::open(folder.path(), &variables);

    let blocks = guide::blocks("docs/existing-logging.md");
    let programs = blocks.iter().filter(|block| block.language == "rust");
    for program in programs {
        let dependencies = blocks
            .iter()
            .find(|block| block.language == "toml" && block.heading == program.heading);
        let dependencies = &dependencies.expect(&program.heading).text;
        let dependencies = dependencies
            .replace("CHECKOUT", root.to_str().unwrap())
            // what it has by default takes libraries of the system
            .replace(
                "sentry = \"0.49\"",
                "sentry = { version = \"0.49\", default-features = false }",
            );
        let package = "[package]\nname = \"existing-logging\"\nedition = \"2024\"\n";
        write(
            "Cargo.toml",
            &format!("{package}\n[dependencies]\n{dependencies}"),
        );
        // with the versions of this workspace
        fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        let text = &program.text;
        write(
            "src/main.rs",
            &format!(
                "fn main() -> Result<(), Box<dyn std::error::Error>> {{
                    let (path, directory) = (\"shop.ndjson\", \".\");
                    {text}
                    Ok(())
                }}"
            ),
        );
        terminal.ok("cargo check --quiet");
    }
}
