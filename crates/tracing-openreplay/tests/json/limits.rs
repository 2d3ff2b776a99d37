use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;
use tracing::{info, info_span};
use tracing_openreplay::json;

use crate::{ID, capture, one};

const PREFIX: &str = "[openReplaySession.id=4950498349085463837] ";
const CUT: &str = "… [cut]";

/// Returns the record of a layer with a limit, and checks that its line is within the limit.
fn limited(limit: usize, run: impl FnOnce()) -> Value {
    let records = capture(json().with_record_limit(limit), || {
        sync_scope(SessionId::from(ID), run);
    });
    assert_eq!(records.len(), 1);
    let record = records.into_iter().next().unwrap();
    // Like `json()`, serde_json only escapes what must be escaped.
    let length = serde_json::to_string(&record).unwrap().len() + 1;
    assert!(length <= limit, "{length} of {limit}");
    record
}

fn message(record: &Value) -> &str {
    record["message"].as_str().unwrap()
}

#[test]
fn a_long_message_is_cut_after_its_prefix() {
    for text in ["a", "é", "😀", "\"", "\u{1}", "\\"] {
        let long = text.repeat(2_000_000);
        let record = limited(256 * 1024, || info!(small = 1, "{long}"));
        let kept = message(&record)
            .strip_prefix(PREFIX)
            .unwrap()
            .strip_suffix(CUT)
            .unwrap();
        assert!(long.starts_with(kept.trim_end_matches(CUT)));
        let whole = serde_json::to_string(&record).unwrap().len();
        assert!(whole > 255 * 1024, "{text:?} {whole}");
        assert_eq!(record["fields"]["small"], 1);
    }
}

#[test]
fn a_record_within_the_limit_is_not_cut() {
    let long = "a".repeat(250_000);
    let record = limited(256 * 1024, || info!("{long}"));
    assert_eq!(message(&record), format!("{PREFIX}{long}"));
}

#[test]
fn a_long_value_is_cut_in_fields_but_not_in_the_message() {
    let long = "ä".repeat(20_000);
    let record = limited(256 * 1024, || info!(long, "text"));
    let kept = record["fields"]["long"].as_str().unwrap();
    assert!(kept.len() > 31_900 && kept.len() < 32_050, "{}", kept.len());
    assert!(long.starts_with(kept.strip_suffix(CUT).unwrap()));
    assert_eq!(message(&record), format!("{PREFIX}text long={long}"));
}

#[test]
fn many_long_values_keep_complete_fields_and_spans() {
    let long = "x".repeat(30_000);
    let record = limited(100_000, || {
        let _a = info_span!("outermost", a = long).entered();
        let _b = info_span!("inner", long).entered();
        info!(a = long, b = long, c = long, d = long, "text");
    });
    assert!(message(&record).starts_with(&format!("{PREFIX}text a=xxx")));
    assert!(message(&record).ends_with(CUT));
    assert_eq!(record.get("fields"), None);
    assert_eq!(record.get("spans"), None);

    let record = limited(160_000, || {
        let _a = info_span!("outermost", a = long).entered();
        let _b = info_span!("inner", long).entered();
        info!(a = long, b = long, c = long, d = long, "text");
    });
    assert_eq!(record["fields"].as_object().unwrap().len(), 1);
    assert_eq!(record["spans"].as_array().unwrap().len(), 1);
    assert_eq!(record["spans"][0]["name"], "outermost");
}

#[test]
fn the_limit_has_a_minimum() {
    let long = "x".repeat(30_000);
    let records = capture(json().with_record_limit(0), || {
        sync_scope(SessionId::from(ID), || info!("{long}"));
    });
    let message = message(&records[0]);
    assert!(
        message.starts_with(PREFIX) && message.len() > 7_000,
        "{}",
        message.len()
    );
}

#[test]
fn an_endless_value_is_cut() {
    struct Endless;

    impl std::fmt::Display for Endless {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            loop {
                f.write_str("and so on, ")?;
            }
        }
    }

    let record = one(|| info!(endless = %Endless, "text {}", Endless));
    assert!(message(&record).ends_with(CUT));
    assert!(message(&record).starts_with("text and so on, and so on"));
}

#[test]
fn a_long_target_of_a_log_record_is_cut() {
    let target = "\u{1}".repeat(100_000);
    let record = one(|| {
        let record = tracing_log::log::Record::builder()
            .level(tracing_log::log::Level::Info)
            .target(&target)
            .args(format_args!("text"))
            .build();
        tracing_log::format_trace(&record).unwrap();
    });
    assert_eq!(record["message"], "text");
    assert!(record["log.logger"].as_str().unwrap().len() < 1100);
}
