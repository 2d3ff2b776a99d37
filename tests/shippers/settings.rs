//! The untested shippers: no setting on the page but those that were looked up, and where.

use std::collections::BTreeSet;

use integration_tests::{Elasticsearch, guide};
use serde_json::json;
use tempfile::TempDir;

use crate::{PAGE, SESSION, write_records};

/// docs/reference/filebeat of elastic/beats, main of 2026: `filebeat-input-filestream`,
/// `configuration-general-options`, `configuring-internal-queue`, `configuration-template`, `ilm`,
/// `elasticsearch-output`.
const FILEBEAT: [&str; 20] = [
    "backoff.init",
    "backoff.max",
    "file_identity.native",
    "filebeat.inputs",
    "hosts",
    "id",
    "index",
    "ndjson",
    "output.elasticsearch",
    "overwrite_keys",
    "parsers",
    "paths",
    "prospector.scanner.check_interval",
    "prospector.scanner.fingerprint.enabled",
    "queue.mem.flush.timeout",
    "setup.ilm.enabled",
    "setup.template.enabled",
    "target",
    "timestamp.precision",
    "type",
];

/// vectordotdev/vector c3445d4, 0.58.0: `src/sources/file.rs`, `src/transforms/remap.rs`,
/// `src/sinks/elasticsearch/config.rs`; the names of the parts are the page's.
const VECTOR: [&str; 19] = [
    "acknowledgements",
    "action",
    "api_version",
    "bulk",
    "elasticsearch",
    "enabled",
    "endpoints",
    "include",
    "index",
    "inputs",
    "max_line_bytes",
    "record",
    "request_retry_partial",
    "shop",
    "sinks",
    "source",
    "sources",
    "transforms",
    "type",
];

/// fluent/fluent-bit d55459d, 5.1.1: `plugins/in_tail/tail.c`, `plugins/out_es/es.c`,
/// `src/flb_config.c`, `src/flb_output.c`.
const FLUENT_BIT: [&str; 20] = [
    "buffer_max_size",
    "db",
    "flush",
    "generate_id",
    "host",
    "index",
    "match",
    "name",
    "parser",
    "parsers_file",
    "path",
    "port",
    "read_from_head",
    "retry_limit",
    "skip_long_lines",
    "suppress_type_name",
    "time_key",
    "write_operation",
    "[input]",
    "[output]",
];

#[test]
fn every_setting_of_the_untested_shippers_was_looked_up() {
    for (heading, language, known) in [
        ("Filebeat", "yaml", &FILEBEAT[..]),
        ("Vector", "yaml", &VECTOR),
        ("Fluent Bit", "ini", &FLUENT_BIT),
    ] {
        let block = guide::block(PAGE, heading, language);
        let lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
        let shown: BTreeSet<_> = lines
            .map(|line| {
                let line = line.trim_start_matches("- ");
                let end = line.find([':', ' ']).unwrap_or(line.len());
                line[..end].to_ascii_lowercase()
            })
            .filter(|name| name != "[service]")
            .collect();
        let known: BTreeSet<_> = known.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(shown, known, "{heading}");
    }
}

#[test]
#[ignore = "needs Elasticsearch"]
fn what_the_untested_shippers_add_to_a_record_does_no_harm() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let key = engine.command(&["api-key", "--json"]).json();
    let folder = TempDir::new().unwrap();
    let mut records = write_records(&folder.path().join("shop.ndjson"));
    let mut body = String::new();
    for record in &mut records {
        let filebeat = json!({
            "agent": { "type": "filebeat", "version": "9.1.0" },
            "ecs": { "version": "8.0.0" },
            "host": { "name": "one", "os": { "type": "linux" } },
            "input": { "type": "filestream" },
            "log": { "offset": 17, "file": { "path": "/var/log/shop/shop.ndjson" } },
        });
        let record = record.as_object_mut().unwrap();
        record.extend(filebeat.as_object().unwrap().clone());
        record.insert("host.name".into(), "two".into());
        record.insert("fluent_bit_time".into(), "2026-11-22T12:00:00.000Z".into());
        body += &format!("{{\"create\":{{}}}}\n{}\n", json!(record));
    }
    let response = engine.ok("POST", "/logs/_bulk?refresh=true", &body);
    assert_eq!(response["errors"], false, "{response}");
    let found = engine.query_as_openreplay(&key, Some(&SESSION.to_string()));
    let found = found.unwrap();
    assert_eq!(found.len(), 4);
    for hit in found {
        assert!(records.contains(&hit["_source"]), "{hit}");
    }
}
