//! What an index behind `logs` is like.

use openreplay_record::{Level, Record};
use serde_json::{Value, json};

use super::engine::Flavor;
use super::logs::CREATED_BY;
use crate::transport::error::Error;
use crate::transport::kind::Precondition;

/// Higher than the engines' built-in templates, lower than one with which a user overrides ours.
pub(super) const PRIORITY: u32 = 640;
/// Matches the indices that Elasticsearch's own rollover creates; `rotate` sends the layout itself.
/// Six digits from `logs-000001`
/// on, an index an hour for eleven years, and not `logs-2026.07.01`, which other shippers name
/// theirs: a pattern cannot match digits only.
const PATTERN: &str = "logs-0*";
/// `keyword` and `flattened` reject a value over 32,766 bytes, and a character has up to four.
const LONGEST_TERM: u32 = 8_191;
/// How many adjacent segments are merged into one, within which records are in order. Default: 32
/// (OpenSearch: 10), which costs less work.
const MERGE_FACTOR: u32 = 5;

pub(super) fn template(flavor: Flavor) -> Value {
    json!({
        "index_patterns": [PATTERN],
        "priority": PRIORITY,
        "_meta": {"created_by": CREATED_BY},
        "template": like(flavor),
    })
}

/// Sent with each index that we create: a request takes precedence over any template, ours or one
/// of a higher priority.
pub(super) fn like(flavor: Flavor) -> Value {
    json!({"settings": {"index": settings(flavor)}, "mappings": mappings(flavor)})
}

/// Explains that another template reserves the name for data streams, if that is why an index
/// cannot be created.
pub(super) fn explained(error: Error) -> Error {
    if !error
        .reason()
        .is_some_and(|reason| reason.contains("creates data streams only"))
    {
        return error;
    }
    error.explained(
        "another index template, with a priority above 640, creates data streams with such names; exclude logs-0* from its patterns, \
         for example with logs-*-*",
    )
}

/// Merges adjacent segments only, so that time order survives. The engines have different names for
/// this.
fn settings(flavor: Flavor) -> Value {
    let mut settings = json!({
        "number_of_shards": 1,
        // one replica if there is a second node, none otherwise: a single node stays green
        "auto_expand_replicas": "0-1",
        "sort.field": ["@timestamp"],
        "sort.order": ["asc"],
    });
    match flavor {
        Flavor::Elasticsearch | Flavor::Store => {
            settings["merge.policy.type"] = json!("time_based");
            settings["merge.policy.merge_factor"] = json!(MERGE_FACTOR);
        }
        Flavor::OpenSearch => {
            settings["merge.policy"] = json!("log_byte_size");
            settings["merge.log_byte_size_policy.merge_factor"] = json!(MERGE_FACTOR);
        }
    }
    settings
}

fn mappings(flavor: Flavor) -> Value {
    let keyword = json!({"type": "keyword", "ignore_above": LONGEST_TERM});
    let number = json!({"type": "long", "ignore_malformed": true});
    let fields = match flavor {
        Flavor::Elasticsearch | Flavor::Store => {
            json!({"type": "flattened", "ignore_above": LONGEST_TERM, "depth_limit": 64})
        }
        Flavor::OpenSearch => json!({"type": "flat_object"}),
    };
    json!({
        "_meta": {"created_by": CREATED_BY},
        "dynamic": false,
        "properties": {
            // without an index on it, or Elasticsearch visits the newest segments first
            "@timestamp": {"type": "date_nanos", "index": false, "ignore_malformed": true},
            // each hit has to score the same, in every index behind the alias
            "message": {"type": "text", "similarity": "boolean", "norms": false},
            "level": keyword,
            "tags": keyword,
            "openReplaySession": {"properties": {"id": keyword, "url": keyword}},
            "log": {"properties": {
                "logger": keyword,
                "origin": {"properties": {"file": {"properties": {"name": keyword, "line": number}}}},
            }},
            "service": {"properties": {"name": keyword, "version": keyword, "environment": keyword}},
            "host": {"properties": {"name": keyword}},
            "process": {"properties": {
                "pid": number,
                "thread": {"properties": {"id": number, "name": keyword}},
            }},
            "http": {"properties": {"request": {"properties": {"id": keyword}}}},
            "trace": {"properties": {"id": keyword}},
            "span": {"properties": {"id": keyword}},
            "fields": fields,
            "spans": {"type": "object", "enabled": false},
        },
    })
}

/// The next index exists, and `logs` writes to `from`, or should.
pub(super) fn next_in_use(from: &str, next: &str) -> Error {
    Error::unmet(
        Precondition::NextIndexInUse,
        format!(
            "an index {next} exists, but `logs` does not write to it: nothing was changed. If an earlier `openreplay-elastic rotate` \
             created it, let `logs` write to it (POST /_aliases {{\"actions\": [{{\"add\": {{\"index\": \"{from}\", \
             \"alias\": \"logs\", \"is_write_index\": false}}}}, {{\"add\": {{\"index\": \"{next}\", \"alias\": \"logs\", \
             \"is_write_index\": true}}}}]}}); otherwise reindex it under another name and delete it. Then run this again"
        ),
    )
}

/// What "Add" in OpenReplay's form finds before the first app has written.
pub(super) fn first_record() -> Value {
    let message = "openreplay-elastic setup: OpenReplay can read `logs`";
    let mut record = Record::now(Level::Info, message);
    record.service_name = Some("openreplay-elastic");
    json!(record)
}

#[cfg(test)]
mod tests {
    use openreplay_record::field;

    use super::*;

    #[test]
    fn every_field_of_a_record_is_mapped() {
        for flavor in [Flavor::Elasticsearch, Flavor::OpenSearch, Flavor::Store] {
            let mappings = mappings(flavor);
            for name in field::ALL {
                let path = format!("/properties/{}", name.replace('.', "/properties/"));
                let found = mappings.pointer(&path);
                // the same time as `@timestamp`, which a query can use instead
                assert_eq!(found.is_some(), name != field::UTC_TIME, "{name}");
            }
        }
    }
}
