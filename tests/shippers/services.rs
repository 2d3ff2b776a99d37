//! The other services that OpenReplay reads. They are untested: what each makes of a record is
//! written after its documentation, and the questions are those of OpenReplay's
//! `backend/pkg/integrations/clients`.

use serde_json::Value;
use tempfile::TempDir;

use crate::{SESSION, write_records};

fn records() -> Vec<Value> {
    let directory = TempDir::new().unwrap();
    write_records(&directory.path().join("shop.ndjson"))
}

#[test]
fn the_record_matches_the_query_to_datadog() {
    // free text is searched in `message`, the reserved attribute of that name
    let query = format!("openReplaySession.id={SESSION}");
    let records = records();
    let found = records
        .iter()
        .filter(|record| record["message"].as_str().unwrap().contains(&query));
    let found: Vec<_> = found
        .map(|record| {
            // what Datadog's preprocessing takes for `date` and `status`, and OpenReplay's panel
            // for the row
            assert!(record["@timestamp"].is_string(), "{record}");
            record["level"].as_str().unwrap()
        })
        .collect();
    assert_eq!(found, ["info", "warning", "error", "info"]);
}

#[test]
fn the_record_matches_the_query_to_dynatrace() {
    // (status="WARN" OR status="ERROR") AND openReplaySession.id=…
    let session = SESSION.to_string();
    let records = records();
    let found: Vec<_> = records
        .iter()
        .map(Dynatrace::ingest)
        .filter(|log| ["WARN", "ERROR"].contains(&log.status))
        .filter(|log| log.attributes["openReplaySession.id"] == session)
        .collect();
    let rows: Vec<_> = found.iter().map(|log| (log.status, log.content)).collect();
    let prefix = format!("[openReplaySession.id={SESSION}] ");
    assert_eq!(
        rows,
        [
            ("WARN", format!("{prefix}slow").as_str()),
            ("ERROR", &format!("{prefix}first line\nsecond line")),
        ]
    );
    assert!(found.iter().all(|log| log.timestamp.ends_with('Z')));
}

/// A record of Dynatrace's, as its log ingestion API makes it of ours.
struct Dynatrace<'a> {
    timestamp: &'a str,
    content: &'a str,
    status: &'static str,
    attributes: &'a Value,
}

impl<'a> Dynatrace<'a> {
    fn ingest(record: &'a Value) -> Self {
        let first = |keys: &[&str]| {
            let value = keys.iter().find_map(|key| record[key].as_str());
            value.unwrap_or_else(|| panic!("none of {keys:?} in {record}"))
        };
        let level = first(&["loglevel", "status", "severity", "level"]);
        Self {
            timestamp: first(&["timestamp", "@timestamp"]),
            content: first(&["content", "message"]),
            // by how it begins
            status: match level.as_bytes()[0] {
                b'e' => "ERROR",
                b'w' => "WARN",
                b'i' | b'd' => "INFO",
                _ => "NONE",
            },
            attributes: record,
        }
    }
}
