//! Tests docs/without-elasticsearch.md, from the first start to the move to Elasticsearch, with
//! OpenReplay's own client.

use std::fs;
use std::process::Command;

use integration_tests::{
    CommandOutput, Serve, Terminal, guide, openreplay_elastic, query_as_openreplay,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::root;

const PAGE: &str = "docs/without-elasticsearch.md";
const SESSION: &str = "4950498349085463837";

/// Runs the page's command in a folder.
fn start(command: &str, folder: &TempDir) -> Serve {
    let args = command.trim().strip_prefix("openreplay-elastic ");
    let args = args.expect("it is ours").split(' ');
    Serve::run(openreplay_elastic().args(args).current_dir(folder))
}

/// Returns the command for another subcommand, with the app's key.
fn against(server: &Serve) -> Command {
    let mut command = openreplay_elastic();
    command
        .env("ELASTICSEARCH_URL", server.url())
        .env("ELASTICSEARCH_API_KEY", server.text("writer"));
    command
}

#[test]
#[ignore = "needs OpenReplay's Go client"]
fn openreplay_finds_the_rows_after_a_kill_and_after_a_move() {
    let blocks = guide::blocks(PAGE);
    let shell: Vec<_> = blocks
        .iter()
        .filter(|block| block.language == "sh")
        .collect();
    let (serve, mv) = (&shell[0].text, &shell[1].text);
    let unit = blocks.iter().find(|block| block.language == "ini").unwrap();
    assert!(
        unit.text.contains("openreplay-elastic serve --data "),
        "{}",
        unit.text
    );

    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = start(serve, &old);
    let add = query_as_openreplay(server.url(), &server.started, None);
    assert_eq!(add.unwrap().len(), 1, "\"Add\" passes on a new store");
    let wrong = json!({"id": server.started["id"], "api_key": "wrong"});
    let refused = query_as_openreplay(server.url(), &wrong, None).unwrap_err();
    assert!(refused.contains("401"), "{refused}");

    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let lines = (0..50).rev().map(|number| {
        let time = now.as_secs() * 1_000 + number;
        let message = format!("[openReplaySession.id={SESSION}] record {number:02}");
        format!(
            "{}\n",
            json!({"@timestamp": time, "level": "info", "message": message})
        )
    });
    fs::write(old.path().join("app.log"), lines.collect::<String>()).unwrap();
    let args = ["ship", "--once", "app.log", "--checkpoint", "ship.json"];
    let shipped = CommandOutput::of(against(&server).current_dir(&old).args(args));
    assert_eq!(shipped.code, Some(0), "{shipped:?}");
    // killed with SIGKILL
    drop(server);
    let server = start(serve, &old);
    let rows = query_as_openreplay(server.url(), &server.started, Some(SESSION)).unwrap();
    assert_in_order(&rows);

    // the page's two commands, with another store in place of Elasticsearch
    let target = start(serve, &new);
    let checkpoint = new.path().join("ship.json");
    let mv = mv.replace(
        "ship --once",
        &format!("ship --checkpoint {} --once", checkpoint.display()),
    );
    let program = openreplay_elastic();
    let mv = mv.replace(
        "openreplay-elastic ",
        &format!("{} ", program.get_program().display()),
    );
    let moved = CommandOutput::of(
        Command::new("sh")
            .args(["-ec", &mv])
            .current_dir(&old)
            .env("ELASTICSEARCH_URL", target.url())
            .env("ELASTICSEARCH_API_KEY", target.text("writer")),
    );
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert_in_order(&query_as_openreplay(target.url(), &target.started, Some(SESSION)).unwrap());
}

#[test]
fn the_containers_command_serves() {
    let blocks = guide::blocks(PAGE);
    let file = blocks
        .iter()
        .find(|block| block.language == "dockerfile")
        .unwrap();
    let command = file.text.lines().find_map(|line| line.strip_prefix("CMD "));
    let command: Vec<String> = serde_json::from_str(command.unwrap()).unwrap();
    let folder = TempDir::new().unwrap();
    let [program, args @ .., listen, _] = &command[..] else {
        panic!("{command:?}")
    };
    assert_eq!([&program[..], listen], ["openreplay-elastic", "--listen"]);
    assert!(
        file.text.contains("-p openreplay-elastic-cli\n"),
        "{}",
        file.text
    );
    let data = "/var/lib/openreplay-store";
    assert_eq!(file.text.matches(data).count(), 3, "{}", file.text);
    let args = args
        .iter()
        .map(|arg| arg.replace(data, folder.path().to_str().unwrap()));
    let serve = Serve::run(openreplay_elastic().args(args));
    assert!(serve.url().starts_with("http://"));
    assert!(folder.path().join("keys.json").exists());
}

/// Cargo selects one version of `rusqlite` for the store, so that it shares SQLite with the app's
/// own library.
#[test]
#[ignore = "needs minutes to build"]
fn an_app_shares_sqlite_with_the_store_and_the_lowest_version_builds() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    assert!(page.contains("rusqlite 0.32 to 0.43"), "{page}");
    assert!(page.contains("sqlx 0.8 and 0.9 and diesel 2.3"), "{page}");
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    let root = root().canonicalize().unwrap();
    let target = root.join("target");
    let mut terminal = Terminal::open(
        folder.path(),
        &[("CARGO_TARGET_DIR", target.to_str().unwrap())],
    );
    let mut lock = |dependency: &str| {
        let manifest = format!(
            "[package]\nname = \"app\"\nedition = \"2024\"\n\n[dependencies]\n\
             openreplay-store = {{ path = \"{}/crates/openreplay-store\" }}\n{dependency}\n",
            root.display()
        );
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        terminal.ok("rm -f Cargo.lock; cargo generate-lockfile --quiet");
        let tree =
            terminal.ok("cargo tree --quiet --invert libsqlite3-sys --edges normal --prefix none");
        assert!(tree.contains("openreplay-store "), "{tree}");
        tree
    };
    for (name, version) in [("sqlx", "0.8"), ("sqlx", "0.9"), ("diesel", "2.3")] {
        let features = "default-features = false, features = [\"sqlite\"]";
        let tree = lock(&format!(
            "{name} = {{ version = \"{version}\", {features} }}"
        ));
        assert!(tree.contains(name), "{tree}");
    }
    let tree = lock("rusqlite = \"=0.32.0\"");
    assert!(tree.contains("rusqlite v0.32.0"), "{tree}");
    terminal.ok("cargo check --quiet -p openreplay-store");
}

#[track_caller]
fn assert_in_order(rows: &[Value]) {
    let found: Vec<_> = rows
        .iter()
        .map(|row| row["_source"]["message"].clone())
        .collect();
    let expected: Vec<_> = (0..50)
        .map(|number| {
            json!(format!(
                "[openReplaySession.id={SESSION}] record {number:02}"
            ))
        })
        .collect();
    assert_eq!(found, expected);
}
