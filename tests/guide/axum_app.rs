//! The README's first command: the example keeps its rows, and OpenReplay gets them with what it
//! prints.

use std::thread;
use std::time::{Duration, Instant};

use integration_tests::process::Example;
use integration_tests::terminal::Running;
use integration_tests::{Terminal, guide, query_as_openreplay};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{ANY_PORT, SESSION, address, root};

#[test]
fn the_examples_rows_are_there_after_a_kill() {
    let folder = TempDir::new().unwrap();
    let start = || Example::axum_app(&[("STORE_DIR", folder.path().to_str().unwrap())]);
    let app = start();
    request(&app.url(), "/api/error");
    let rows = rows_of(&app.url(), 2);
    assert_eq!(rows[0]["level"], "warning");
    assert!(
        rows[1]["message"]
            .as_str()
            .unwrap()
            .ends_with("\nerror caused by: connection refused")
    );
    // SIGKILL
    drop(app);

    let app = start();
    assert_eq!(rows_of(&app.url(), 2), rows);
    request(&app.url(), "/api/endpoint");
    let more = rows_of(&app.url(), 4);
    assert_eq!(more[..2], rows[..], "what is new comes after them");
}

#[test]
#[ignore = "needs OpenReplay's Go client"]
fn one_command_and_openreplay_shows_the_row_of_a_click() {
    let [try_it, ..]: [String; 2] = guide::commands("README.md", &[]);
    let mut lines = try_it.lines();
    let run = lines
        .find(|line| line.starts_with("cargo run "))
        .expect("a command");
    let store = TempDir::new().unwrap();
    let variables = [
        ("LISTEN_ADDR", ANY_PORT),
        ("STORE_DIR", store.path().to_str().unwrap()),
    ];
    let mut terminal = Terminal::open(&root(), &variables);
    let app = terminal.start(run);
    let url = format!("http://{}", address(&app));
    let printed = |field: &str| printed(&app, field);
    assert_eq!(printed("URL"), format!("{url}/openreplay"));
    assert_eq!(printed("Indexes"), "logs");
    assert!(
        app.err().contains(store.path().to_str().unwrap()),
        "{}",
        app.err()
    );

    let key = json!({"id": printed("API Key ID"), "api_key": printed("API Key")});
    let add = query_as_openreplay(&printed("URL"), &key, None);
    assert_eq!(
        add.unwrap().len(),
        1,
        "\"Add\" passes before the first click"
    );
    let wrong = json!({"id": key["id"], "api_key": "wrong"});
    let rejected = query_as_openreplay(&printed("URL"), &wrong, None).unwrap_err();
    assert!(rejected.contains("401"), "{rejected}");

    request(&url, "/api/error");
    request(&url, "/api/spawn");
    let rows = rows_of(&url, 5);
    let hits = query_as_openreplay(&printed("URL"), &key, Some(SESSION)).unwrap();
    let hits: Vec<_> = hits.iter().map(|hit| &hit["_source"]).collect();
    assert_eq!(
        hits,
        rows.iter().map(|row| &row["record"]).collect::<Vec<_>>()
    );
    let times: Vec<_> = hits
        .iter()
        .map(|hit| hit["@timestamp"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");

    // what is printed is in no record
    let key = key["api_key"].as_str().unwrap();
    assert!(!app.out().contains(key));
}

/// What stands behind a field of OpenReplay's form.
fn printed(app: &Running, field: &str) -> String {
    let err = app.err();
    let value = err.lines().find_map(|line| {
        let (name, value) = line.strip_prefix("  ")?.split_once("  ")?;
        (name == field).then(|| value.trim().to_owned())
    });
    value.unwrap_or_else(|| panic!("no {field} in {err}"))
}

fn request(url: &str, path: &str) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let request = agent.get(format!("{url}{path}"));
    request
        .header("openReplaySession.id", SESSION)
        .call()
        .unwrap();
}

/// The session's rows as the page reads them, once there are so many.
fn rows_of(url: &str, at_least: usize) -> Vec<Value> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let request = ureq::get(format!("{url}/api/records"));
        let mut response = request
            .header("openReplaySession.id", SESSION)
            .call()
            .unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        let rows = read["rows"].as_array().unwrap();
        if rows.len() >= at_least {
            return rows.clone();
        }
        assert!(Instant::now() < end, "{rows:#?}");
        thread::sleep(Duration::from_millis(20));
    }
}
