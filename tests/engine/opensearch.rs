//! OpenReplay's client reads OpenSearch behind the nginx that docs/elasticsearch.md shows, and only
//! there.

use integration_tests::{OpenSearch, Tap, nginx, query_as_openreplay};
use serde_json::json;

use crate::{record, store};

const SESSION: &str = "4950498349085463837";

#[test]
#[ignore = "needs OpenSearch, nginx, OpenReplay's Go client"]
fn openreplays_client_reads_opensearch_behind_the_guides_proxy() {
    let engine = OpenSearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let records: Vec<_> = [3, 1, 2]
        .map(|minute| {
            let mut record = record(SESSION, "info", &format!("minute {minute}"));
            record["@timestamp"] = json!(format!("2026-07-01T12:0{minute}:00Z"));
            record
        })
        .to_vec();
    store(&engine, "logs", &records);
    let key = json!({ "id": "ID", "api_key": "KEY" });

    let rejected = query_as_openreplay(engine.url(), &key, Some(SESSION)).unwrap_err();
    assert!(rejected.contains("not Elasticsearch"), "{rejected}");

    let nginx = nginx::start_for_opensearch(engine.address());
    let tap = Tap::start(nginx.url().trim_start_matches("http://"));
    let url = format!("http://{}", tap.address());
    assert_eq!(
        query_as_openreplay(&url, &key, None).unwrap().len(),
        1,
        "\"Add\" passes"
    );
    // the scheme as the Go client spells it, which is not how Elasticsearch's documentation does
    let head = tap.head("/logs/_search?track_total_hits=true");
    assert!(
        head.contains(&"Authorization: APIKey SUQ6S0VZ".to_owned()),
        "{head:#?}"
    );
    let rows = query_as_openreplay(&url, &key, Some(SESSION)).unwrap();
    let messages: Vec<_> = rows.iter().map(|row| &row["_source"]["message"]).collect();
    let expected =
        [1, 2, 3].map(|minute| json!(format!("[openReplaySession.id={SESSION}] minute {minute}")));
    assert_eq!(messages, expected.iter().collect::<Vec<_>>());
    let wrong = json!({ "id": "ID", "api_key": "key" });
    let rejected = query_as_openreplay(&url, &wrong, None).unwrap_err();
    assert!(rejected.contains("401"), "{rejected}");
}
