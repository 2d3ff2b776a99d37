use serde_json::json;

use super::*;

fn faults(records: &[Value]) -> Vec<Fault> {
    let mut report = Report::default();
    records::look_at(&mut report, records);
    report
        .findings
        .iter()
        .map(|finding| finding.fault)
        .collect()
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
    ];
    for (record, expected) in cases {
        assert_eq!(faults(std::slice::from_ref(&record)), expected, "{record}");
    }
}

#[test]
fn says_how_many_and_keeps_one_finding_a_fault() {
    let bare = json!({"@timestamp": "2026-07-01T12:00:00Z", "message": "m"});
    let mut report = Report::default();
    records::look_at(&mut report, &[bare.clone(), bare.clone()]);
    records::look_at(&mut report, &[bare]);
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
