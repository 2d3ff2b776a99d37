//! What docs/elasticsearch.md recommends for an index that is not sorted, request by request as it
//! stands there. On OpenSearch, since Elasticsearch's module for `_reindex` is not on Maven
//! Central: what that does there is done by hand in `check`.

use integration_tests::{OpenSearch, guide};
use serde_json::json;

use crate::store_unsorted;

#[test]
#[ignore = "needs OpenSearch"]
fn an_index_that_is_not_sorted_is_copied_in_order_by_the_guides_requests() {
    let engine = OpenSearch::start();
    store_unsorted(&engine, "old");
    let faults = || {
        let report = engine.command(&["check", "7", "--json"]).json();
        let findings = report["findings"].as_array().unwrap();
        let faults = findings.iter().map(|finding| finding["fault"].clone());
        faults.collect::<Vec<_>>()
    };
    assert_eq!(engine.command(&["setup", "--also", "old"]).code, Some(0));
    for fault in ["out-of-order", "not-sorted"] {
        assert!(faults().contains(&json!(fault)), "{fault}: {:?}", faults());
    }

    let section = "An index that already has records";
    let shown = guide::block("docs/elasticsearch.md", section, "text");
    for request in shown.trim_end().split("\n\n") {
        let (line, body) = request.split_once('\n').unwrap_or((request, ""));
        let (method, path) = line.split_once(' ').unwrap();
        let response = engine.ok(method, path, body);
        if path.starts_with("/_reindex") {
            assert_eq!(response["created"], 300, "{response}");
        }
    }
    for fault in ["out-of-order", "not-sorted"] {
        assert!(!faults().contains(&json!(fault)), "{fault}: {:?}", faults());
    }
    let shown = engine.command(&["logs", "7", "--json"]).json();
    let rows = shown["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 300);
    assert!(rows.is_sorted_by_key(|row| row["time"].as_str().unwrap()));
}
