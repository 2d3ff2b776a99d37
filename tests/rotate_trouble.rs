//! `rotate` when the response to the rollover is lost, or the new index does not get ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use integration_tests::{CommandOutput, openreplay_elastic};
use serde_json::{Value, json};
use test_kit::http::{Outcome, Request, Response, Server};

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The rollover happens, or not, and the connection breaks.
    Lost { rolls: bool },
    /// The health of the new index is red for so many requests.
    Red(usize),
}

/// An Elasticsearch whose alias `logs` leads to an index of `setup`.
struct Cluster {
    trouble: Trouble,
    is_rolled: AtomicBool,
    health_requests: AtomicUsize,
}

impl Cluster {
    fn respond(&self, request: &Request) -> Outcome {
        let path = request.path().split('?').next().unwrap_or_default();
        let respond = |body: Value| Outcome::Respond(Response::new(200, body.to_string()));
        if path.starts_with("/logs/_rollover/") {
            let rolls = self.trouble != Trouble::Lost { rolls: false };
            self.is_rolled.store(rolls, Ordering::Relaxed);
            return match self.trouble {
                Trouble::Lost { .. } => Outcome::HangUp,
                Trouble::Red(_) => respond(json!({"rolled_over": true})),
            };
        }
        let index = if self.is_rolled.load(Ordering::Relaxed) {
            "logs-000002"
        } else {
            "logs-000001"
        };
        match path {
            "/" => respond(json!({"version": {"number": "9.1.0"}})),
            "/_resolve/index/logs" => respond(json!({
                "indices": [],
                "aliases": [{"name": "logs", "indices": [index]}],
                "data_streams": [],
            })),
            "/_alias/logs" => {
                respond(json!({index: {"aliases": {"logs": {"is_write_index": true}}}}))
            }
            "/logs/_mapping" => respond(
                json!({index: {"mappings": {"_meta": {"created_by": "openreplay-elastic"}}}}),
            ),
            "/_cluster/health/logs-000002" => {
                let before = self.health_requests.fetch_add(1, Ordering::Relaxed);
                let is_red = matches!(self.trouble, Trouble::Red(times) if before < times);
                respond(json!({"status": if is_red { "red" } else { "yellow" }}))
            }
            _ => Outcome::Respond(Response::new(404, "{}".to_owned())),
        }
    }
}

fn rotate(trouble: Trouble) -> CommandOutput {
    let cluster = Arc::new(Cluster {
        trouble,
        is_rolled: AtomicBool::new(false),
        health_requests: AtomicUsize::new(0),
    });
    let server = Server::start(move |request| cluster.respond(request));
    CommandOutput::of(openreplay_elastic().args(["--url", server.url(), "rotate", "--json"]))
}

#[test]
fn a_rollover_whose_response_is_lost_is_found_by_the_alias() {
    let output = rotate(Trouble::Lost { rolls: true });
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(
        output.json(),
        json!({"from": "logs-000001", "to": "logs-000002", "ready": true, "removed": []})
    );

    let output = rotate(Trouble::Lost { rolls: false });
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(
        output.err.contains(
            "the rollover from logs-000001 got no response, and `logs` still writes to logs-000001"
        ),
        "{output:?}"
    );
}

#[test]
fn a_new_index_that_is_not_ready_is_waited_for_and_then_reported() {
    for (red, is_ready) in [(0, true), (3, true), (usize::MAX, false)] {
        let output = rotate(Trouble::Red(red));
        assert_eq!(output.code, Some(0), "{output:?}");
        let result = output.json();
        assert_eq!(
            (&result["to"], &result["ready"]),
            (&json!("logs-000002"), &json!(is_ready)),
            "{output:?}"
        );
    }
}
