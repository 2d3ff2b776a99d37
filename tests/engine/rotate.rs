//! `rotate`: by aliases only, and once.

use std::time::Duration;

use integration_tests::{Elasticsearch, Elasticsearch8, Engine, FixedServer, OpenSearch};
use openreplay_elastic::admin::Age;
use openreplay_elastic::admin::rotate::{self, RotateOptions};
use openreplay_elastic::{Client, Connection, ElasticWriter};
use serde_json::{Value, json};

use crate::keys::{key, status};
use crate::{block_on, client, record, store};

#[test]
#[ignore = "needs Elasticsearch"]
fn rolls_over_on_elasticsearch() {
    rolls_over(&Elasticsearch::start());
}

#[test]
#[ignore = "needs Elasticsearch"]
fn rolls_over_on_elasticsearch_8() {
    rolls_over(&Elasticsearch8::start());
}

#[test]
#[ignore = "needs OpenSearch"]
fn rolls_over_on_opensearch() {
    rolls_over(&OpenSearch::start());
}

fn rolls_over(engine: &Engine) {
    let output = engine.command(&["rotate"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.err.contains("there is no `logs` yet"), "{output:?}");

    engine.ok(
        "PUT",
        "/old",
        r#"{"mappings":{"properties":{"message":{"type":"text"}}}}"#,
    );
    assert_eq!(engine.command(&["setup", "--also", "old"]).code, Some(0));
    let rotate = |args: &[&str]| {
        let output = engine.command(&[&["rotate", "--json"], args].concat());
        assert_eq!(output.code, Some(0), "{output:?}");
        output.json()
    };
    assert_eq!(
        rotate(&["--max-age", "1d", "--max-size", "20gb", "--keep", "14d"]),
        json!({"from": "logs-000001", "ready": true, "removed": [], "to": null})
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

    // nothing is old enough yet, and less than an hour is rejected
    assert_eq!(
        rotate(&["--max-age", "1d", "--keep", "1h"])["removed"],
        json!([])
    );
    assert_eq!(engine.command(&["rotate", "--keep", "59m"]).code, Some(2));
}

#[test]
#[ignore = "needs Elasticsearch"]
fn an_index_of_any_number_is_like_the_first_and_indices_of_others_are_left_alone() {
    let engine = Elasticsearch::start();
    // one that an earlier version left behind is brought up to date
    engine.ok(
        "PUT",
        "/_index_template/openreplay-logs",
        r#"{"index_patterns":["logs-00*"],"priority":640}"#,
    );
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let templates = || engine.ok("GET", "/_index_template/openreplay-logs", "");
    let template = templates();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    assert_eq!(templates(), template);

    let writer = key(&engine, &["--writer"]);
    let rotate = || engine.command(&["rotate", "--json"]).json()["to"].clone();
    let mut indices = vec!["logs-000001".to_owned()];
    for (before, after) in [
        ("logs-009998", "logs-009999"),
        ("logs-099998", "logs-099999"),
        ("logs-999998", "logs-999999"),
    ] {
        let mark = r#"{"mappings":{"_meta":{"created_by":"openreplay-elastic"}}}"#;
        engine.ok("POST", &format!("/logs/_rollover/{before}"), mark);
        indices.push(before.to_owned());
        assert_eq!(rotate(), after);
        indices.push(after.to_owned());
        write_with(&engine, &writer, after);
        if after == "logs-009999" {
            // Elasticsearch's own rollover names the next one itself
            let rolled = engine.ok("POST", "/logs/_rollover", "");
            indices.push(rolled["new_index"].as_str().unwrap().to_owned());
        } else {
            indices.push(rotate().as_str().unwrap().to_owned());
        }
        write_with(&engine, &writer, indices.last().unwrap());
    }
    assert!(indices.contains(&"logs-010000".to_owned()), "{indices:?}");
    assert!(indices.contains(&"logs-100000".to_owned()), "{indices:?}");
    assert_eq!(indices.last().unwrap(), "logs-1000000");
    let described = engine.ok("GET", "/logs/_mapping", "");
    let settings = engine.ok("GET", "/logs/_settings", "");
    for index in indices.iter().filter(|index| !index.ends_with("999998")) {
        assert_eq!(described[index], described["logs-000001"], "{index}");
        for name in ["sort", "merge", "number_of_shards", "auto_expand_replicas"] {
            let of = |index: &str| &settings[index]["settings"]["index"][name];
            assert_eq!(of(index), of("logs-000001"), "{index} {name}");
        }
    }
    assert_eq!(engine.command(&["logs", "6", "--json"]).json()["total"], 6);

    for other in ["logs-2026.07.01", "logs-20260701", "logs-app-default"] {
        assert_eq!(add_with(&engine, &writer, other), 403, "{other}");
        engine.ok("POST", &format!("/{other}/_doc"), r#"{"message":"m"}"#);
        let mapping = engine.ok("GET", &format!("/{other}/_mapping"), "");
        assert!(mapping[other]["mappings"]["_meta"].is_null(), "{mapping}");
    }
}

/// Writes a record by the alias, and one to the index behind, as a batch is repeated; both arrive
/// there.
#[track_caller]
fn write_with(engine: &Engine, key: &Value, index: &str) {
    let encoded = key["encoded"].as_str().unwrap();
    let builder = ElasticWriter::builder(engine.url()).api_key(encoded);
    let (writer, guard) = builder.build().unwrap();
    writer.write_line(record("6", "info", index).to_string().as_bytes());
    let done = guard.shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done:?}");
    assert_eq!(add_with(engine, key, index), 201, "{index}");
    engine.ok("POST", "/logs/_refresh", "");
    let count = engine.ok("GET", &format!("/{index}/_count"), "");
    assert_eq!(count["count"], 2, "{index}");
}

/// Gives the status.
fn add_with(engine: &Engine, key: &Value, index: &str) -> u16 {
    let path = format!("/{index}/_doc?op_type=create");
    let body = r#"{"level":"info","message":"m"}"#;
    status(engine, key, "POST", &path, body)
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_template_of_a_higher_priority_takes_nothing_away_on_elasticsearch() {
    a_template_of_a_higher_priority_takes_nothing_away(&Elasticsearch::start());
}

#[test]
#[ignore = "needs OpenSearch"]
fn a_template_of_a_higher_priority_takes_nothing_away_on_opensearch() {
    a_template_of_a_higher_priority_takes_nothing_away(&OpenSearch::start());
}

fn a_template_of_a_higher_priority_takes_nothing_away(engine: &Engine) {
    let theirs = json!({
        "index_patterns": ["logs-*"],
        "priority": 1_000,
        "template": {
            "settings": {"index": {"number_of_shards": 2, "refresh_interval": "2s"}},
            "mappings": {
                "_meta": {"created_by": "another"},
                "dynamic": true,
                "properties": {"message": {"type": "keyword"}, "level": {"type": "text"}},
            },
        },
    });
    engine.ok("PUT", "/_index_template/theirs", &theirs.to_string());
    for created in [true, false] {
        let output = engine.command(&["setup", "--json"]);
        assert_eq!(output.json()["created"], created, "{output:?}");
    }
    assert_eq!(
        engine.command(&["rotate", "--json"]).json()["to"],
        "logs-000002"
    );
    let described = engine.ok("GET", "/logs/_mapping", "");
    let settings = engine.ok("GET", "/logs/_settings", "");
    for index in ["logs-000001", "logs-000002"] {
        let mappings = &described[index]["mappings"];
        assert_eq!(mappings["_meta"]["created_by"], "openreplay-elastic");
        assert_eq!(mappings["dynamic"], "false");
        assert_eq!(
            mappings["properties"]["message"],
            json!({"type": "text", "similarity": "boolean", "norms": false})
        );
        let settings = &settings[index]["settings"]["index"];
        assert_eq!(settings["number_of_shards"], "1");
        assert_eq!(settings["sort"]["field"], json!(["@timestamp"]));
        // what ours does not speak of stays theirs
        assert_eq!(settings["refresh_interval"], "2s");
    }
    store(engine, "logs", &[record("9", "info", "m")]);
    assert_eq!(engine.command(&["logs", "9", "--json"]).json()["total"], 1);
}

#[test]
#[ignore = "needs OpenSearch"]
fn names_the_fix_if_a_template_claims_the_names_for_data_streams() {
    let engine = OpenSearch::start();
    let theirs = r#"{"index_patterns":["logs-*"],"priority":1000,"data_stream":{}}"#;
    let says = |args: &[&str]| {
        let output = engine.command(args);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(
            output.err.contains("for example with logs-*-*"),
            "{output:?}"
        );
    };
    engine.ok("PUT", "/_index_template/theirs", theirs);
    says(&["setup"]);
    engine.ok("DELETE", "/_index_template/theirs", "");
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    engine.ok("PUT", "/_index_template/theirs", theirs);
    says(&["rotate"]);
    // as it was told to
    engine.ok(
        "PUT",
        "/_index_template/theirs",
        r#"{"index_patterns":["logs-*-*"],"priority":1000,"data_stream":{}}"#,
    );
    assert_eq!(engine.command(&["rotate"]).code, Some(0));
}

#[test]
#[ignore = "needs Elasticsearch"]
fn goes_on_from_an_index_without_a_number_once_it_was_rolled_over_by_hand() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let mark = r#"{"mappings":{"_meta":{"created_by":"openreplay-elastic"}}}"#;
    engine.ok("POST", "/logs/_rollover/mine", mark);
    let output = engine.command(&["rotate", "--json"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert_eq!(
        output.json()["error"]["precondition"],
        "no-next-index",
        "{output:?}"
    );
    assert!(
        output.err.contains("POST /logs/_rollover/logs-000002"),
        "{output:?}"
    );
    engine.ok("POST", "/logs/_rollover/logs-000002", "");
    let output = engine.command(&["rotate", "--json"]);
    assert_eq!(output.json()["to"], "logs-000003", "{output:?}");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn names_the_fix_if_the_next_index_exists_on_elasticsearch() {
    names_the_fix_if_the_next_index_exists(&Elasticsearch::start());
}

#[test]
#[ignore = "needs OpenSearch"]
fn names_the_fix_if_the_next_index_exists_on_opensearch() {
    names_the_fix_if_the_next_index_exists(&OpenSearch::start());
}

fn names_the_fix_if_the_next_index_exists(engine: &Engine) {
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    assert_eq!(engine.command(&["rotate"]).code, Some(0));
    store(engine, "logs", &[record("7", "info", "before")]);
    let rejects = |args: &[&str], next: &str| {
        let aliases = engine.ok("GET", "/_alias/logs", "");
        let output = engine.command(args);
        assert_eq!(output.code, Some(3), "{output:?}");
        let error = &output.json()["error"];
        assert_eq!(error["precondition"], "next-index-in-use", "{output:?}");
        assert_eq!(engine.ok("GET", "/_alias/logs", ""), aliases);
        let text = error["text"].as_str().unwrap().to_owned();
        assert!(text.starts_with(&format!("an index {next} exists")));
        text
    };
    let lose = r#"{"actions":[{"remove":{"index":"logs-000002","alias":"logs"}}]}"#;
    engine.ok("POST", "/_aliases", lose);
    rejects(&["setup", "--json"], "logs-000002");
    let write =
        r#"{"actions":[{"add":{"index":"logs-000001","alias":"logs","is_write_index":true}}]}"#;
    engine.ok("POST", "/_aliases", write);
    rejects(&["rotate", "--json"], "logs-000002");
    // whatever the conditions
    let text = rejects(&["rotate", "--json", "--max-age", "1d"], "logs-000002");

    // as it was told to
    let (_, rest) = text.split_once("POST /_aliases ").unwrap();
    let (actions, _) = rest.split_once(");").unwrap();
    engine.ok("POST", "/_aliases", actions);
    let rotated = || engine.command(&["rotate", "--json"]).json()["to"].clone();
    assert_eq!(rotated(), "logs-000003");
    assert_eq!(engine.command(&["logs", "7", "--json"]).json()["total"], 1);

    engine.ok("PUT", "/logs-000004", "");
    rejects(&["rotate", "--json"], "logs-000004");
    engine.ok("DELETE", "/logs-000004", "");
    assert_eq!(rotated(), "logs-000004");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn eight_at_once_roll_over_once() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let client = client(&engine);
    let rolled = block_on(async {
        // all request the same next one, however late they come
        let runs: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                let options = RotateOptions::default().max_size("1b".parse().unwrap());
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

/// A stand-in: the engines' clocks cannot be turned. Its responses have the shape of those of
/// Elasticsearch 9.1.
#[test]
fn removes_what_is_older_and_only_its_own() {
    let days_ago =
        |days: i64| (jiff::Timestamp::now().as_millisecond() - days * 24 * 3_600_000).to_string();
    let alias = |write: bool| json!({"aliases": {"logs": {"is_write_index": write}}});
    let ours = json!({"mappings": {"_meta": {"created_by": "openreplay-elastic"}}});
    let row = |index: &str, days| json!({"index": index, "creation.date": days_ago(days)});
    let aliases =
        json!({"indices": [], "aliases": [{"name": "logs", "indices": []}], "data_streams": []});
    let stand_in = FixedServer::start(vec![
        ("GET", "/", 200, json!({"version": {"number": "9.1.0"}})),
        ("GET", "/_resolve/index/logs", 200, aliases),
        (
            "GET",
            "/_alias/logs",
            200,
            json!({"logs-000000": alias(false), "logs-000001": alias(false), "logs-000002": alias(false), "logs-000003": alias(true), "old": alias(false)}),
        ),
        (
            "GET",
            "/logs/_mapping",
            200,
            json!({"logs-000000": ours, "logs-000001": ours, "logs-000002": ours, "logs-000003": ours}),
        ),
        (
            "GET",
            "/_cat/indices/logs",
            200,
            json!([
                row("old", 90),
                // a copy of records from before, made later
                row("logs-000000", 5),
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
        let options = RotateOptions::default()
            .max_age(Duration::from_secs(24 * 60 * 60))
            .retain_for(keep.parse::<Age>().unwrap());
        block_on(rotate::run(&client, &options)).unwrap().removed
    };
    // the last record of each is as old as the next index
    assert_eq!(removed("25d"), [""; 0]);
    assert_eq!(removed("15d"), ["logs-000001"]);
    assert_eq!(removed("1h"), ["logs-000000", "logs-000001", "logs-000002"]);
    let removals = stand_in
        .requests()
        .into_iter()
        .filter(|requests| requests == "POST /_aliases");
    assert_eq!(removals.count(), 4);
}
