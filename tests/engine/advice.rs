//! What `setup` advises where `logs` is something else: its requests, sent as they are printed,
//! lead to a `logs` that apps can write to, with every record.

use integration_tests::{Engine, OpenSearch};
use serde_json::{Deserializer, Value, json};

use crate::{record, store};

const RECORDS: usize = 300;

#[test]
#[ignore = "needs OpenSearch"]
fn a_data_stream_becomes_an_alias_by_what_setup_prints() {
    let engine = OpenSearch::start();
    let template = json!({
        "index_patterns": ["logs"],
        "data_stream": {},
        "template": {"mappings": {"properties": {"message": {"type": "text"}}}},
    });
    engine.ok("PUT", "/_index_template/streams", &template.to_string());
    engine.ok("PUT", "/_data_stream/logs", "");
    leads_to_an_alias_with_every_record(&engine, "logs-is-a-data-stream");
}

#[test]
#[ignore = "needs OpenSearch"]
fn an_index_becomes_an_alias_by_what_setup_prints() {
    let engine = OpenSearch::start();
    engine.ok("PUT", "/logs", "");
    leads_to_an_alias_with_every_record(&engine, "logs-is-an-index");
}

fn leads_to_an_alias_with_every_record(engine: &Engine, precondition: &str) {
    let records: Vec<_> = (0..RECORDS)
        .map(|n| record("7", "info", &n.to_string()))
        .collect();
    store(engine, "logs", &records);
    let output = engine.command(&["setup", "--json"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    let error = &output.json()["error"];
    assert_eq!(error["precondition"], precondition, "{output:?}");
    let text = error["text"].as_str().unwrap();
    for (method, path, body) in requests_in(text) {
        let response = engine.ok(method, path, &body);
        assert_eq!(response["failures"].as_array().map_or(0, Vec::len), 0);
    }

    let command = text.rsplit('`').nth(1).unwrap();
    let args: Vec<_> = command.split(' ').skip(1).collect();
    let output = engine.command(&args);
    assert_eq!(output.code, Some(0), "{args:?}: {output:?}");
    let total = || engine.command(&["logs", "7", "--json"]).json()["total"].clone();
    engine.ok("POST", "/logs/_refresh", "");
    assert_eq!(total(), RECORDS);
    crate::write(engine, &[record("7", "info", "new").to_string()]);
    assert_eq!(total(), RECORDS + 1);
}

/// The requests in a text: a method, a path, and a JSON object if one follows.
fn requests_in(text: &str) -> Vec<(&str, &str, String)> {
    let mut requests = Vec::new();
    for method in ["PUT", "POST", "GET", "DELETE"] {
        for (at, _) in text.match_indices(&format!("{method} /")) {
            let rest = &text[at + method.len() + 1..];
            let (path, after) = rest.split_once(' ').unwrap_or((rest, ""));
            let is_object = after.starts_with('{');
            let body = Deserializer::from_str(after).into_iter::<Value>().next();
            let body = body
                .filter(|_| is_object)
                .map(|body| body.unwrap().to_string());
            let path = path.trim_end_matches([',', ';']);
            requests.push((at, (method, path, body.unwrap_or_default())));
        }
    }
    assert!(requests.len() > 1, "{text}");
    requests.sort_unstable_by_key(|(at, _)| *at);
    requests.into_iter().map(|(_, request)| request).collect()
}
