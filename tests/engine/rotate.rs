//! `rotate`: by aliases only, and once.

use integration_tests::{Answers, Elasticsearch, Engine, OpenSearch};
use openreplay_elastic::rotate::{self, Options};
use openreplay_elastic::{Client, Connection};
use serde_json::json;

use crate::{block_on, client, record, store};

#[test]
#[ignore = "needs Elasticsearch"]
fn rolls_over_on_elasticsearch() {
    rolls_over(&Elasticsearch::start());
}

#[test]
#[ignore = "needs OpenSearch"]
fn rolls_over_on_opensearch() {
    rolls_over(&OpenSearch::start());
}

fn rolls_over(engine: &Engine) {
    let said = engine.command(&["rotate"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("there is no `logs` yet"), "{said:?}");

    engine.ok(
        "PUT",
        "/old",
        r#"{"mappings":{"properties":{"message":{"type":"text"}}}}"#,
    );
    assert_eq!(engine.command(&["setup", "--also", "old"]).code, Some(0));
    let rotate = |args: &[&str]| {
        let said = engine.command(&[&["rotate", "--json"], args].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        said.json()
    };
    assert_eq!(
        rotate(&["--max-age", "1d", "--max-size", "20gb", "--keep", "14d"]),
        json!({"from": "logs-000001", "to": null, "removed": []})
    );
    store(engine, "logs", &[record("9", "info", "before")]);
    assert_eq!(rotate(&["--max-size", "1b"])["to"], "logs-000002");
    store(engine, "logs", &[record("9", "info", "after")]);
    assert_eq!(engine.command(&["logs", "9", "--json"]).json()["total"], 2);
    let settings = engine.ok("GET", "/logs-000002/_settings", "");
    assert_eq!(
        settings["logs-000002"]["settings"]["index"]["sort"]["field"],
        json!(["@timestamp"])
    );
    assert_eq!(
        engine.command(&["setup", "--json"]).json()["write_index"],
        "logs-000002"
    );

    // nothing is old enough yet, and less than an hour is refused
    assert_eq!(
        rotate(&["--max-age", "1d", "--keep", "1h"])["removed"],
        json!([])
    );
    assert_eq!(engine.command(&["rotate", "--keep", "59m"]).code, Some(2));
}

#[test]
#[ignore = "needs Elasticsearch"]
fn eight_at_once_roll_over_once() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let client = client(&engine);
    let rolled = block_on(async {
        // all ask for the same next one, however late they come
        let runs: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                let options = Options::default().max_size("1b".parse().unwrap());
                tokio::spawn(async move { rotate::run(&client, &options).await })
            })
            .collect();
        let mut rolled = Vec::new();
        for run in runs {
            rolled.extend(run.await.unwrap().unwrap().to);
        }
        rolled
    });
    assert_eq!(rolled, ["logs-000002"]);
}

/// A stand-in: the engines' clocks cannot be turned. What it answers has the shape of what Elasticsearch 9.1 answers.
#[test]
fn removes_what_is_older_and_only_its_own() {
    let days_ago =
        |days: i64| (jiff::Timestamp::now().as_millisecond() - days * 24 * 3_600_000).to_string();
    let alias = |write: bool| json!({"aliases": {"logs": {"is_write_index": write}}});
    let ours = json!({"mappings": {"_meta": {"created_by": "openreplay-elastic"}}});
    let row = |index: &str, days| json!({"index": index, "creation.date": days_ago(days)});
    let aliases =
        json!({"indices": [], "aliases": [{"name": "logs", "indices": []}], "data_streams": []});
    let stand_in = Answers::start(vec![
        ("GET", "/_resolve/index/logs", 200, aliases),
        (
            "GET",
            "/_alias/logs",
            200,
            json!({"logs-000001": alias(false), "logs-000002": alias(false), "logs-000003": alias(true), "old": alias(false)}),
        ),
        (
            "GET",
            "/logs/_mapping",
            200,
            json!({"logs-000001": ours, "logs-000002": ours, "logs-000003": ours}),
        ),
        (
            "GET",
            "/_cat/indices/logs",
            200,
            json!([
                row("old", 90),
                row("logs-000003", 10),
                row("logs-000001", 30),
                row("logs-000002", 20)
            ]),
        ),
        (
            "POST",
            "/logs/_rollover/logs-000004",
            200,
            json!({"rolled_over": false}),
        ),
        ("POST", "/_aliases", 200, json!({"acknowledged": true})),
    ]);
    let client = Client::new(&Connection::builder(stand_in.url()).build().unwrap()).unwrap();
    let removed = |keep: &str| {
        let options = Options::default()
            .max_age("1d".parse().unwrap())
            .keep(keep.parse().unwrap());
        block_on(rotate::run(&client, &options)).unwrap().removed
    };
    // the last record of each is as old as the next index
    assert_eq!(removed("25d"), [""; 0]);
    assert_eq!(removed("15d"), ["logs-000001"]);
    assert_eq!(removed("1h"), ["logs-000001", "logs-000002"]);
    let removals = stand_in
        .asked()
        .into_iter()
        .filter(|asked| asked == "POST /_aliases");
    assert_eq!(removals.count(), 3);
}
