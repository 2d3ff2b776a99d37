//! docs/without-elasticsearch.md: from the first start to the move, and OpenReplay's own client in
//! between.

use std::fs;
use std::process::Command;

use integration_tests::{Said, Serve, ask_as_openreplay, guide, openreplay_elastic};
use serde_json::{Value, json};
use tempfile::TempDir;

const PAGE: &str = "docs/without-elasticsearch.md";
const SESSION: &str = "4950498349085463837";

/// Runs the page's command in a folder.
fn start(command: &str, folder: &TempDir) -> Serve {
    let args = command.trim().strip_prefix("openreplay-elastic ");
    let args = args.expect("it is ours").split(' ');
    Serve::run(openreplay_elastic().args(args).current_dir(folder))
}

/// Another subcommand, with the app's key.
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
    let add = ask_as_openreplay(server.url(), &server.said, None);
    assert_eq!(add.unwrap().len(), 1, "\"Add\" passes on a new store");
    let wrong = json!({"id": server.said["id"], "api_key": "wrong"});
    let refused = ask_as_openreplay(server.url(), &wrong, None).unwrap_err();
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
    let shipped = Said::by(against(&server).current_dir(&old).args(args));
    assert_eq!(shipped.code, Some(0), "{shipped:?}");
    // SIGKILL
    drop(server);
    let server = start(serve, &old);
    let rows = ask_as_openreplay(server.url(), &server.said, Some(SESSION)).unwrap();
    assert_in_order(&rows);

    // the page's two commands, with another store in the place of Elasticsearch
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
    let moved = Said::by(
        Command::new("sh")
            .args(["-ec", &mv])
            .current_dir(&old)
            .env("ELASTICSEARCH_URL", target.url())
            .env("ELASTICSEARCH_API_KEY", target.text("writer")),
    );
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert_in_order(&ask_as_openreplay(target.url(), &target.said, Some(SESSION)).unwrap());
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
