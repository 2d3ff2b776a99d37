//! examples/compose: what its services run, run without containers.

use std::{fs, path::Path, process::Command};

use integration_tests::{
    CommandOutput, Elasticsearch, Terminal, engine::PASSWORD, process::program,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{ANY_PORT, SESSION, address, root, soon};

#[test]
#[ignore = "needs Elasticsearch, curl, and the library that reads compose files"]
fn the_services_commands_work_and_the_app_keeps_its_key() {
    let engine = Elasticsearch::start();
    let project = project();
    let [elasticsearch, setup, app] =
        ["elasticsearch", "setup", "app"].map(|name| &project["services"][name]);

    let folder = TempDir::new().unwrap();
    let places = [
        ("http://elasticsearch:9200", engine.url()),
        ("http://localhost:9200", engine.url()),
        ("0.0.0.0:3000", ANY_PORT),
        ("/var/lib/axum-app", folder.path().to_str().unwrap()),
    ];
    let here = |value: &Value| {
        let text = value.as_str().expect("a text").to_owned();
        places
            .iter()
            .fold(text, |text, (there, here)| text.replace(there, here))
    };
    let terminal = |service: &Value| {
        let environment = service["environment"].as_object().expect("variables");
        let environment: Vec<_> = environment
            .iter()
            // a shell cannot have the others, and does not need them
            .filter(|(name, _)| !name.contains('.'))
            .map(|(name, value)| (name.as_str(), here(value)))
            .collect();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Terminal::open(folder.path(), &environment)
    };

    terminal(elasticsearch).ok(&here(&elasticsearch["healthcheck"]["test"][1]));
    let command: Vec<_> = setup["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(here)
        .collect();
    terminal(setup).ok(&command.join(" "));

    // onto the path of every terminal
    let _ = program("axum-app");
    let mut keys = Vec::new();
    for asked in 1..=2 {
        let mut terminal = terminal(app);
        let [shell, how, script] = [0, 1, 2].map(|part| &app["command"][part]);
        assert_eq!((shell, how), (&json!("sh"), &json!("-c")));
        let address = address(&terminal.start(&here(script)));
        terminal.ok(&format!(
            "curl -sS -H 'openReplaySession.id: {SESSION}' {address}/api/endpoint"
        ));
        keys.push(fs::read_to_string(folder.path().join("key")).unwrap());
        // the handler's own, and the request's
        let rows = asked * 2;
        let rows = format!("[ $(openreplay-elastic logs {SESSION} | wc -l) = {rows} ]");
        soon(&mut terminal, &rows);
    }
    assert!(keys[0].starts_with("ELASTICSEARCH_API_KEY="));
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn the_image_is_built_from_what_is_there() {
    let folder = root().join("examples/compose");
    let dockerfile = fs::read_to_string(folder.join("Dockerfile")).unwrap();
    let words: Vec<_> = dockerfile.split_whitespace().collect();
    let packages = words.windows(2).filter(|pair| pair[0] == "-p");
    let manifests: Vec<_> = packages
        .map(|pair| {
            let folders = [root().join("crates"), root().join("examples")];
            let manifest = folders.iter().find_map(|folder| {
                fs::read_to_string(folder.join(pair[1]).join("Cargo.toml")).ok()
            });
            manifest.unwrap_or_else(|| panic!("no package {}", pair[1]))
        })
        .collect();
    let copied: Vec<_> = words
        .iter()
        .filter_map(|word| word.strip_prefix("/src/target/release/"))
        .collect();
    assert_eq!(copied.len(), manifests.len());
    for (program, manifest) in copied.iter().zip(manifests) {
        assert!(
            manifest.contains(&format!("name = \"{program}\"")),
            "{manifest}"
        );
    }
    let ignored = fs::read_to_string(folder.join("Dockerfile.dockerignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "**/target"), "{ignored}");
}

/// What the file comes to, as Docker's own tool reads it.
fn project() -> Value {
    let reader = root().join("target/compose");
    assert!(
        reader.exists(),
        "no reader of compose files: run scripts/install"
    );
    let output = CommandOutput::of(
        Command::new(reader)
            .arg(Path::new("examples/compose/compose.yaml"))
            .env("ELASTIC_PASSWORD", PASSWORD)
            .current_dir(root()),
    );
    assert_eq!(output.code, Some(0), "{output:?}");
    output.json()
}
