//! `check` with responses of a stand-in that the engines cannot be made to give.

use integration_tests::{CommandOutput, FixedResponse, FixedServer, openreplay_elastic};
use openreplay_elastic::admin::{check, panel};
use openreplay_elastic::{Client, Connection};
use openreplay_session::SessionId;
use serde_json::{Value, json};

use crate::{block_on, record};

/// Checks a stand-in with these responses; returns the faults.
#[track_caller]
fn faults_of(responses: Vec<FixedResponse>, session: Option<&str>) -> Vec<&'static str> {
    let report = report_of(responses, session);
    let findings = report.findings.iter();
    findings.map(|finding| finding.fault.name()).collect()
}

#[track_caller]
fn report_of(responses: Vec<FixedResponse>, session: Option<&str>) -> check::Report {
    let stand_in = FixedServer::start(responses);
    let session: Option<SessionId> = session.map(|id| id.parse().unwrap());
    let connection = Connection::builder(stand_in.url())
        .api_key("YTpi")
        .build()
        .unwrap();
    let client = Client::new(&connection).unwrap();
    block_on(check::run(&client, session.as_ref())).unwrap()
}

/// What OpenReplay's key finds in a `logs` with these hits.
fn responses(hits: &Value, streams: (u16, Value)) -> Vec<FixedResponse> {
    let total = hits.as_array().unwrap().len();
    let hits = json!({"hits": {"total": {"value": total, "relation": "eq"}, "hits": hits}});
    let caps = json!({"fields": {"message": {"text": {"type": "text", "searchable": true}}}});
    vec![
        ("POST", "/logs/_search", 200, hits),
        ("GET", "/_streams/status", streams.0, streams.1),
        ("GET", "/logs/_field_caps", 200, caps),
        ("GET", "/logs/_settings", 403, forbidden()),
        ("GET", "/_resolve/index/logs", 403, forbidden()),
    ]
}

fn forbidden() -> Value {
    json!({"error": {"type": "security_exception", "reason": "no"}})
}

/// A stand-in: the engines cannot be made to respond so. A proxy's response has no JSON.
#[test]
fn reports_an_unexpected_response_of_elasticsearch() {
    let page = json!("<html>502 Bad Gateway</html>");
    let no_shards = json!({"error": {"type": "search_phase_execution_exception", "reason": "all shards failed"}});
    let busy = json!({"error": {"type": "es_rejected_execution_exception", "reason": "rejected"}});
    for (name, status, body, expected) in [
        ("no shards", 503, no_shards, "unavailable"),
        ("too much to do", 429, busy, "unavailable"),
        ("a proxy without a node", 502, page.clone(), "unavailable"),
        ("a page", 200, page.clone(), "unexpected-response"),
        (
            "a page that is not there",
            404,
            page.clone(),
            "unexpected-response",
        ),
        (
            "a proxy that wants another address",
            301,
            page,
            "unexpected-response",
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
        let mut responses = responses(&json!([hit]), (404, json!({})));
        responses[2] = ("GET", "/logs/_field_caps", status, forbidden());
        assert_eq!(faults_of(responses, Some("7")), expected, "{status}");
    }
}

/// A stand-in: these engines have no wired streams. OpenReplay's key may not query them.
#[test]
fn reports_that_wired_streams_could_not_be_queried_if_they_may_be_the_cause() {
    let hit = json!({"_index": "logs-000001", "_id": "1", "_source": record("7", "info", "m")});
    let shown = responses(&json!([hit]), (403, forbidden()));
    assert_eq!(faults_of(shown, Some("7")), [""; 0]);
    let empty = responses(&json!([]), (403, forbidden()));
    assert_eq!(
        faults_of(empty, Some("7")),
        ["empty", "session-not-found", "wired-streams-unknown"]
    );
    let absent =
        json!({"error": {"type": "index_not_found_exception", "reason": "no such index [logs]"}});
    let mut absent = vec![("POST", "/logs/_search", 404, absent)];
    assert_eq!(faults_of(absent.clone(), None), ["no-logs"]);
    absent.push(("GET", "/_streams/status", 403, forbidden()));
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

/// A stand-in: these engines have no wired streams. The responses have the shapes that
/// Elasticsearch 9.1 documents.
#[test]
fn finds_wired_streams() {
    let hit = json!({"_index": ".ds-logs-2026.07.01-000001", "_id": "1", "_source": {
        "@timestamp": "2026-07-01T12:00:00Z",
        "body": {"text": "[openReplaySession.id=7] m"},
        "severity_text": "info",
    }});
    let responses = responses(&json!([hit]), (200, json!({"logs": {"enabled": true}})));
    assert_eq!(
        faults_of(responses, Some("7")),
        ["wired-streams", "no-message", "no-level"]
    );
}

/// A stand-in for a proxy that passes `logs/_search` on, which is all that OpenReplay needs.
#[test]
fn a_rejected_side_request_is_a_hint() {
    let hit = json!({"_index": "logs-000001", "_id": "1", "_source": record("7", "info", "m")});
    let page = json!("<html>");
    for status in [400, 403, 404, 405, 200] {
        let mut responses = responses(&json!([hit]), (status, page.clone()));
        for response in &mut responses[1..] {
            (response.2, response.3) = (status, page.clone());
        }
        let report = report_of(responses, Some("7"));
        let names: Vec<_> = report
            .findings
            .iter()
            .map(|finding| finding.fault.name())
            .collect();
        assert_eq!(names, ["not-examined"], "{status} {report:?}");
        let text = &report.findings[0].text;
        assert!(text.contains("the mapping of `message`"), "{text}");
        assert!(text.contains("the write index"), "{text}");
        assert!(report.add_passes && report.is_good());
    }
}

/// A stand-in: a reader's key may not examine the write index.
#[test]
fn names_what_the_credentials_do_not_allow_to_examine() {
    let hit = json!({"_index": "logs-000001", "_id": "1", "_source": record("7", "info", "m")});
    let report = report_of(responses(&json!([hit]), (404, json!({}))), Some("7"));
    assert!(report.findings.is_empty(), "{report:?}");
    let unexamined = ["the order of the indices", "the write index"];
    assert_eq!(report.unexamined, unexamined);
}

/// A stand-in: a search can succeed although rows are missing.
#[test]
fn reports_shards_that_did_not_respond() {
    let hit = json!({"_index": "logs-000001", "_id": "1", "_source": record("7", "info", "m")});
    let failure = json!({"shard": 0, "index": "logs-000002", "reason": {"type": "x"}});
    for (shards, timed_out, text) in [
        (
            json!({"total": 5, "failed": 1, "failures": [failure]}),
            false,
            "1 of 5 shards did not respond (logs-000002)",
        ),
        (
            json!({"total": 5, "failed": 2}),
            true,
            "2 of 5 shards did not respond",
        ),
        (
            json!({"total": 5, "failed": 0}),
            true,
            "the search timed out before all shards had responded",
        ),
    ] {
        let mut responses = responses(&json!([hit]), (404, json!({})));
        responses[0].3["_shards"] = shards;
        responses[0].3["timed_out"] = json!(timed_out);
        let report = report_of(responses.clone(), Some("7"));
        assert_eq!(report.findings[0].fault.name(), "incomplete", "{report:?}");
        assert_eq!(report.findings[0].text, text);
        assert!(!report.is_good());

        let stand_in = FixedServer::start(responses);
        let output =
            CommandOutput::of(openreplay_elastic().args(["logs", "7", "--url", stand_in.url()]));
        assert_eq!(output.code, Some(8), "{output:?}");
        assert!(output.err.contains(text), "{output:?}");
        assert_eq!(output.out.lines().count(), 1, "{output:?}");
    }
}

/// A stand-in for each state of the write index, as seen with an app's key, which cannot search.
#[test]
fn examines_the_write_index_with_an_apps_key() {
    let probe = |error_type: &str, reason: &str, status: u16| {
        let error = json!({"type": error_type, "reason": reason});
        json!({"items": [{"create": {"_index": "logs-000002", "status": status, "error": error}}]})
    };
    for (item, expected) in [
        (
            probe("document_parsing_exception", "no object", 400),
            &["forbidden"][..],
        ),
        (
            probe(
                "cluster_block_exception",
                "index [logs-000002] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has \
                 read-only-allow-delete block];",
                429,
            ),
            &["forbidden", "write-blocked"],
        ),
        (
            probe(
                "unavailable_shards_exception",
                "primary shard is not active",
                503,
            ),
            &["forbidden", "red-index"],
        ),
        (
            probe(
                "illegal_argument_exception",
                "no write index is defined for alias [logs]",
                400,
            ),
            &["forbidden", "no-write-index"],
        ),
    ] {
        let report = report_of(
            vec![
                ("POST", "/logs/_search", 403, forbidden()),
                ("GET", "/_streams/status", 403, forbidden()),
                ("GET", "/_resolve/index/logs", 403, forbidden()),
                (
                    "POST",
                    "/_security/user/_has_privileges",
                    200,
                    json!({"has_all_requested": true}),
                ),
                ("POST", "/logs/_bulk", 200, item),
            ],
            None,
        );
        let names: Vec<_> = report
            .findings
            .iter()
            .map(|finding| finding.fault.name())
            .collect();
        assert_eq!(names, expected, "{report:?}");
    }
}

/// A stand-in whose texts steer a terminal.
#[test]
fn nothing_of_a_response_steers_the_terminal() {
    let evil = "\u{1b}]0;t\u{7}\u{9b}31m\u{202e}\u{2028}\u{e0041}\u{200b}";
    let error = json!({"error": {"type": "security_exception", "reason": evil}});
    let hit = json!({"_index": evil, "_id": "1", "_source": record("7", evil, evil)});
    let mut found = responses(&json!([hit]), (404, json!({})));
    found[2].3 = json!({"fields": {"message": {"keyword": {"type": evil, "searchable": true}}}});
    let root = json!({"version": {"number": evil}});
    for (responses, args) in [
        (found.clone(), &["check", "7"][..]),
        (found.clone(), &["check", "7", "--json"]),
        (found.clone(), &["logs", "7", "--open"]),
        (found, &["logs", "7", "--json"]),
        (
            vec![("POST", "/logs/_search", 403, error.clone())],
            &["check"],
        ),
        (
            vec![
                ("GET", "/", 200, root),
                ("GET", "/_streams/status", 503, error.clone()),
            ],
            &["setup"],
        ),
        (vec![("GET", "/", 403, error.clone())], &["setup"]),
        (
            vec![("POST", "/_security/api_key", 403, error)],
            &["api-key"],
        ),
    ] {
        let stand_in = FixedServer::start(responses);
        let mut command = openreplay_elastic();
        command
            .env("ELASTICSEARCH_API_KEY", "YTpi")
            .args(["--url", stand_in.url()])
            .args(args);
        let output = CommandOutput::of(&mut command);
        let all = format!("{}{}", output.out, output.err);
        assert!(all.contains("202e"), "{args:?}: {output:?}");
        assert!(
            !all.contains(|c: char| evil.contains(c) && !c.is_ascii_graphic()),
            "{args:?}: {output:?}"
        );
    }
}

/// A stand-in: Elasticsearch creates no such key.
#[test]
fn a_key_that_a_shell_would_execute_is_not_offered() {
    let key = json!({"id": "i", "name": "n", "api_key": "k", "encoded": "x;touch${IFS}f;#"});
    for args in [&["api-key"][..], &["api-key", "--writer"]] {
        let stand_in = FixedServer::start(vec![("POST", "/_security/api_key", 200, key.clone())]);
        let output = CommandOutput::of(
            openreplay_elastic()
                .args(["--url", stand_in.url()])
                .args(args),
        );
        assert_eq!((output.code, &output.out[..]), (Some(1), ""), "{output:?}");
        assert!(!output.err.contains("touch"), "{output:?}");
    }
}

/// A response with one huge member that is not shown.
#[test]
fn a_member_that_is_not_shown_is_not_kept() {
    let zeros = vec![0; 3_000_000];
    let mut source = record("7", "info", "m");
    source["zeros"] = json!(zeros);
    let hit = json!({"_index": "logs-000001", "_id": "1", "_source": source});
    let responses = responses(&json!([hit]), (404, json!({})));
    let length = responses[0].3.to_string().len() as u64;
    let stand_in = FixedServer::start(responses);
    let client = Client::new(&Connection::builder(stand_in.url()).build().unwrap()).unwrap();
    let counted = allocation_counter::measure(|| {
        let found = block_on(panel::session(&client, &SessionId::from(7))).unwrap();
        assert_eq!(found.hits.len(), 1);
    });
    assert!(counted.bytes_max < 2 * length, "{counted:?} of {length}");
}
