use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::json;

use super::*;
use crate::Connection;

fn faults(records: &[Value]) -> Vec<Fault> {
    let findings = examine_records(records).into_iter();
    findings.map(|finding| finding.fault).collect()
}

#[test]
fn finds_nothing_in_what_is_right() {
    let record = json!({"@timestamp": "2026-07-01T12:00:00Z", "level": "info", "message": "m"});
    assert_eq!(faults(&[record]), []);
    assert_eq!(faults(&[]), []);
}

#[test]
fn finds_what_one_record_lacks() {
    let time = "2026-07-01T12:00:00Z";
    let cases = [
        (
            json!({"@timestamp": time, "message": "m"}),
            vec![Fault::NoLevel],
        ),
        (
            json!({"@timestamp": time, "message": "m", "level": 3}),
            vec![Fault::NoLevel],
        ),
        (
            json!({"@timestamp": time, "message": "m", "level": "WARN"}),
            vec![Fault::UnknownLevel],
        ),
        (
            json!({"message": "m", "level": "info"}),
            vec![Fault::NoTime],
        ),
        (
            json!({"@timestamp": "noon", "message": "m", "level": "info"}),
            vec![Fault::NoTime],
        ),
        (
            json!({"@timestamp": time, "level": "info"}),
            vec![Fault::NoMessage],
        ),
        (
            json!({"@timestamp": time, "level": "info", "body": {"text": "m"}}),
            vec![Fault::WiredStreams, Fault::NoMessage],
        ),
        (
            json!({"timestamp": time, "level": "INFO", "fields": {"message": "m"}}),
            vec![Fault::TracingJson],
        ),
    ];
    for (record, expected) in cases {
        assert_eq!(faults(std::slice::from_ref(&record)), expected, "{record}");
    }
}

#[test]
fn counts_and_keeps_one_finding_a_fault() {
    let bare = json!({"@timestamp": "2026-07-01T12:00:00Z", "message": "m"});
    let mut report = Report::default();
    report.add(examine_records(&[bare.clone(), bare.clone()]));
    report.add(examine_records(&[bare]));
    let texts: Vec<_> = report
        .findings
        .iter()
        .map(|finding| &finding.text[..])
        .collect();
    assert_eq!(texts, ["2 of 2 records have no `level`"]);
    assert!(!report.is_good());
}

#[test]
fn a_hint_is_no_failure() {
    let mut report = Report::default();
    report.find(Fault::TooMany, "many");
    report.find(Fault::NotAKey, "no key");
    assert!(report.is_good());
}

/// A response larger than the client reads, unless the request is `READ`.
#[tokio::test]
async fn reads_of_large_records_what_the_panel_reads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = thread::spawn(move || {
        let head = |length: usize| {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
        };
        let request = || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            while !request.ends_with('}') {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).unwrap();
                assert!(length > 0, "{request}");
                request += std::str::from_utf8(&buffer[..length]).unwrap();
            }
            (stream, request)
        };
        let (mut stream, whole) = request();
        stream.write_all(head(1 << 30).as_bytes()).unwrap();
        let some = vec![b' '; 1 << 20];
        // until the client has had enough
        while stream.write_all(&some).is_ok() {}

        let (mut stream, fields) = request();
        let hit = json!({"_index": "logs-000001", "_id": "1", "_source": {"message": "m"}});
        let found = json!({"hits": {"total": {"value": 1}, "hits": [hit]}}).to_string();
        stream.write_all(head(found.len()).as_bytes()).unwrap();
        stream.write_all(found.as_bytes()).unwrap();
        [whole, fields]
    });
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let found = latest(&client).await.unwrap();
    assert_eq!(found[0].source, json!({"message": "m"}));
    let [whole, fields] = requests.join().unwrap();
    assert!(!whole.contains("_source"), "{whole}");
    assert!(
        fields
            .contains(r#""_source":["@timestamp","level","message","body.text","fields.message"]"#)
            && fields.contains("sort"),
        "{fields}"
    );
}
