//! What OpenReplay finds.

use serde_json::json;

use super::{Server, create, now, record, statuses};

#[test]
fn openreplay_finds_what_was_sent_in_time_order() {
    let server = Server::start();
    // "Add" in OpenReplay's form fails where nothing is found
    let (status, found) = server.search(&json!({"size": 1}));
    assert_eq!(
        (status, found["hits"]["hits"].as_array().unwrap().len()),
        (200, 1)
    );
    let body = create("b", &record(7, &now(2), "later"))
        + &create("a", &record(7, &now(1), "earlier"))
        + &create("c", &record(8, &now(1), "another session"));
    let (status, response) = server.bulk(body.as_bytes());
    assert_eq!((status, statuses(&response)), (200, vec![201, 201, 201]));
    assert_eq!(response["errors"], false);
    let first = &response["items"][0]["create"];
    assert_eq!(
        (&first["_index"], &first["_id"], &first["result"]),
        (&json!("logs-000001"), &json!("b"), &json!("created"))
    );
    let texts: Vec<_> = server
        .sources(7)
        .iter()
        .map(|row| row["message"].clone())
        .collect();
    assert_eq!(
        texts,
        [
            "[openReplaySession.id=7] earlier",
            "[openReplaySession.id=7] later"
        ]
    );

    let (_, again) = server.bulk(body.as_bytes());
    assert_eq!(
        (statuses(&again), &again["errors"]),
        (vec![409; 3], &json!(true))
    );
    assert_eq!(
        again["items"][0]["create"]["error"]["type"],
        "version_conflict_engine_exception"
    );
    assert_eq!(server.sources(7).len(), 2);
    let (_, found) = server.search(&json!({"size": 1}));
    assert_eq!(
        found["hits"]["total"],
        json!({"value": 3, "relation": "eq"})
    );
}

#[test]
fn a_record_without_level_or_time_blanks_no_panel() {
    let server = Server::start();
    let (_, response) = server.bulk(
        b"{\"index\":{}}\n{\"message\":\"openReplaySession.id=7 from rsyslog\",\"level\":3}\n",
    );
    assert_eq!(statuses(&response), [201]);
    let rows = server.sources(7);
    assert_eq!(rows[0]["level"], "info");
    assert!(
        rows[0]["@timestamp"].as_str().unwrap().ends_with('Z'),
        "{rows:?}"
    );
}

#[test]
fn what_other_readers_cannot_read_is_stored_and_returned_readable() {
    let server = Server::start();
    let records = [
        r#"{"message":"openReplaySession.id=7 a","level":"info","@timestamp":"soon"}"#,
        r#"{"message":"openReplaySession.id=7 b","level":"info","a":1e999}"#,
        r#"{"message":"openReplaySession.id=7 c","level":"info","a":"\ud800"}"#,
    ];
    let body: String = ["a", "b", "c"]
        .iter()
        .zip(records)
        .map(|(id, record)| create(id, record))
        .collect();
    let (_, response) = server.bulk(body.as_bytes());
    assert_eq!(statuses(&response), [201; 3]);
    // a retry finds them, although the time of arrival is another
    let (_, response) = server.bulk(body.as_bytes());
    assert_eq!(statuses(&response), [409; 3]);
    let mut rows = server.sources(7);
    rows.sort_by_key(|row| row["message"].as_str().map(str::to_owned));
    for row in &rows {
        assert!(row["@timestamp"].as_str().unwrap().ends_with('Z'), "{row}");
    }
    assert_eq!(
        (&rows[1]["a"], &rows[2]["a"]),
        (&json!("1e999"), &json!("\u{fffd}"))
    );
}
