//! `check` where a stand-in answers what the engines cannot be made to answer.

use integration_tests::{Answer, Answers};
use openreplay_elastic::admin::check;
use openreplay_elastic::{Client, Connection};
use openreplay_session::SessionId;
use serde_json::{Value, json};

use crate::{block_on, record};

/// Checks what a stand-in answers; gives the faults.
#[track_caller]
fn faults_of(answers: Vec<Answer>, session: Option<&str>) -> Vec<&'static str> {
    let stand_in = Answers::start(answers);
    let session: Option<SessionId> = session.map(|id| id.parse().unwrap());
    let connection = Connection::builder(stand_in.url())
        .api_key("YTpi")
        .build()
        .unwrap();
    let report = block_on(check::run(
        &Client::new(&connection).unwrap(),
        session.as_ref(),
    ))
    .unwrap();
    let findings = report.findings.iter();
    findings.map(|finding| finding.fault.name()).collect()
}

/// What OpenReplay's key finds in a `logs` with these hits.
fn answers(hits: &Value, streams: (u16, Value)) -> Vec<Answer> {
    let total = hits.as_array().unwrap().len();
    let hits = json!({"hits": {"total": {"value": total, "relation": "eq"}, "hits": hits}});
    let caps = json!({"fields": {"message": {"text": {"type": "text", "searchable": true}}}});
    vec![
        ("POST", "/logs/_search", 200, hits),
        ("GET", "/_streams/status", streams.0, streams.1),
        ("GET", "/logs/_field_caps", 200, caps),
        ("GET", "/logs/_settings", 403, refusal()),
    ]
}

fn refusal() -> Value {
    json!({"error": {"type": "security_exception", "reason": "no"}})
}

/// A stand-in: the engines cannot be made to answer so. What a proxy answers has no JSON.
#[test]
fn finds_that_elasticsearch_does_not_answer_as_it_should() {
    let page = json!("<html>502 Bad Gateway</html>");
    let no_shards = json!({"error": {"type": "search_phase_execution_exception", "reason": "all shards failed"}});
    let busy = json!({"error": {"type": "es_rejected_execution_exception", "reason": "rejected"}});
    for (name, status, body, expected) in [
        ("no shards", 503, no_shards, "unavailable"),
        ("too much to do", 429, busy, "unavailable"),
        ("a proxy without a node", 502, page.clone(), "unavailable"),
        ("a page", 200, page.clone(), "wrong-answer"),
        (
            "a page that is not there",
            404,
            page.clone(),
            "wrong-answer",
        ),
        (
            "a proxy that wants another address",
            301,
            page,
            "wrong-answer",
        ),
    ] {
        let found = faults_of(vec![("POST", "/logs/_search", status, body)], Some("7"));
        assert_eq!(found, [expected], "{name}");
    }
    // after "Add" has passed
    let hit = json!({"_index": "logs-000001", "_id": "1", "_source": record("7", "info", "m")});
    for (status, expected) in [
        (401, &["unauthorized"][..]),
        (403, &[]),
        (503, &["unavailable"]),
    ] {
        let mut answers = answers(&json!([hit]), (404, json!({})));
        answers[2] = ("GET", "/logs/_field_caps", status, refusal());
        assert_eq!(faults_of(answers, Some("7")), expected, "{status}");
    }
}

/// A stand-in: these engines have no wired streams. OpenReplay's key may not ask for them.
#[test]
fn says_that_wired_streams_could_not_be_asked_for_where_that_may_be_why() {
    let hit = json!({"_index": "logs-000001", "_id": "1", "_source": record("7", "info", "m")});
    let shown = answers(&json!([hit]), (403, refusal()));
    assert_eq!(faults_of(shown, Some("7")), [""; 0]);
    let empty = answers(&json!([]), (403, refusal()));
    assert_eq!(
        faults_of(empty, Some("7")),
        ["empty", "session-not-found", "wired-streams-unknown"]
    );
    let absent =
        json!({"error": {"type": "index_not_found_exception", "reason": "no such index [logs]"}});
    let mut absent = vec![("POST", "/logs/_search", 404, absent)];
    assert_eq!(faults_of(absent.clone(), None), ["no-logs"]);
    absent.push(("GET", "/_streams/status", 403, refusal()));
    assert_eq!(
        faults_of(absent.clone(), None),
        ["no-logs", "wired-streams-unknown"]
    );
    absent[1] = (
        "GET",
        "/_streams/status",
        200,
        json!({"logs": {"enabled": true}}),
    );
    assert_eq!(faults_of(absent, None), ["wired-streams", "no-logs"]);
}

/// A stand-in: these engines have no wired streams. The answers have the shapes that Elasticsearch
/// 9.1 documents.
#[test]
fn finds_wired_streams() {
    let hit = json!({"_index": ".ds-logs-2026.07.01-000001", "_id": "1", "_source": {
        "@timestamp": "2026-07-01T12:00:00Z",
        "body": {"text": "[openReplaySession.id=7] m"},
        "severity_text": "info",
    }});
    let answers = answers(&json!([hit]), (200, json!({"logs": {"enabled": true}})));
    assert_eq!(
        faults_of(answers, Some("7")),
        ["wired-streams", "no-message", "no-level"]
    );
}
