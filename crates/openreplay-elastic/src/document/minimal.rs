//! The minimal form of a record: its fixed fields, with the ids of its trace, request and replay in
//! the message.

use std::borrow::Cow;

use openreplay_record::{Level, Record, field, phrase, time};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::members::Members;
use crate::text;

/// A message is cut to this length: in a record that was rejected it may have been too long, where
/// it is a keyword (32766 bytes at most).
pub(super) const MESSAGE: usize = 32_000;
const CUT: &str = " … (cut)";
/// Fields that lead to the record's trace, request and replay. They move into the message: as
/// fields they may be what the mapping rejects.
const LINKS: [&str; 4] = [
    field::TRACE_ID,
    field::SPAN_ID,
    field::REQUEST_ID,
    field::SESSION_URL,
];
/// No link is longer.
const LINK: usize = 1_024;

/// The fixed fields of a record, and nothing that an application could have put into it: the form
/// in which it is sent once more after it was rejected. A line that is no JSON object is a message
/// as it stands.
pub(crate) fn minimal(line: &[u8]) -> Vec<u8> {
    let line = String::from_utf8_lossy(line);
    let fixed = Fixed::of(&line);
    let guessed = if fixed.is_whole {
        Level::Info
    } else {
        Level::named_in(&line).unwrap_or(Level::Info)
    };
    // nothing of it may be lost where nobody would find it: the panel shows the message only
    let message = fixed.message.filter(|_| fixed.is_whole);
    let message = message.as_deref().unwrap_or(&line);
    let links = if fixed.is_whole {
        fixed.links.concat()
    } else {
        String::new()
    };
    let mut record = Record::now(guessed, cut_to(message, MESSAGE - links.len()) + &*links);
    if let Some(instant) = fixed.instant.filter(|text| time::parse(text).is_some()) {
        record.time = instant.into();
    }
    if let Some(level) = fixed.level {
        record.level = level.into();
        record.is_error = false;
    }
    record.is_error |= fixed.is_error;
    record.session_id = fixed.id.map(Cow::Owned);
    record.to_json().into_bytes()
}

/// What can be read of the fixed fields.
#[derive(Default)]
struct Fixed {
    instant: Option<String>,
    level: Option<String>,
    message: Option<String>,
    is_error: bool,
    id: Option<String>,
    /// ` trace.id=…`, and so on, in the order of [`LINKS`].
    links: [String; LINKS.len()],
    /// The line is an object, as far as its top tells.
    is_whole: bool,
}

impl Fixed {
    fn of(line: &str) -> Self {
        let mut fixed = Self::default();
        let mut members = Members::of(line);
        for (name, value) in &mut members {
            let text = || serde_json::from_str::<String>(value).ok();
            match serde_json::from_str::<String>(name).as_deref() {
                Ok(field::TIMESTAMP) => fixed.instant = text(),
                Ok(field::LEVEL) => fixed.level = text(),
                Ok(field::MESSAGE) => fixed.message = message(value),
                Ok(field::TAGS) => fixed.is_error = names_error(value),
                Ok(field::SESSION_ID) => fixed.id = text(),
                Ok(name) => {
                    if let Some(at) = LINKS.iter().position(|link| *link == name) {
                        fixed.links[at] = text().map_or_else(String::new, |text| link(name, &text));
                    }
                }
                Err(_) => {}
            }
        }
        fixed.is_whole = members.is_whole();
        fixed
    }
}

/// A string's text, and anything else that is JSON as it stands.
fn message(value: &str) -> Option<String> {
    if value.starts_with('"') {
        return serde_json::from_str(value).ok();
    }
    let is_json = serde_json::from_str::<IgnoredAny>(value).is_ok();
    is_json.then(|| value.to_owned())
}

fn names_error(tags: &str) -> bool {
    let tags: Vec<Value> = serde_json::from_str(tags).unwrap_or_default();
    tags.iter().any(|tag| tag == field::ERROR_TAG)
}

/// A link as a part of the message; nothing if its text cannot be one.
fn link(name: &str, text: &str) -> String {
    if text.len() > LINK || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return String::new();
    }
    format!(" {name}={}", phrase::broken(text))
}

#[cfg(any(feature = "admin", feature = "ship"))]
pub(super) fn cut(message: &str) -> Cow<'_, str> {
    cut_to(message, MESSAGE)
}

fn cut_to(message: &str, length: usize) -> Cow<'_, str> {
    if message.len() <= length {
        return message.into();
    }
    let kept = text::shortened(message, length - CUT.len());
    format!("{kept}{CUT}").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            Just(json!("2026-07-01T10:00:00Z")),
            Just(json!("error")),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    /// What every mapping and the panel can read.
    #[track_caller]
    fn assert_readable(line: &[u8]) -> Map<String, Value> {
        let minimal = minimal(line);
        assert!(!minimal.contains(&b'\n'));
        let record: Map<String, Value> = serde_json::from_slice(&minimal).unwrap();
        let text = |name: &str| record[name].as_str().unwrap();
        assert!(text("@timestamp").parse::<jiff::Timestamp>().is_ok());
        assert_eq!(text("utc_time"), text("@timestamp"));
        assert!(text("message").len() <= MESSAGE);
        assert!(record["level"].is_string());
        assert!(
            record
                .get("tags")
                .is_none_or(|tags| *tags == json!(["error"]))
        );
        assert!(record.values().all(|value| !value.is_object()));
        record
    }

    proptest! {
        #[test]
        fn any_line_is_a_record_in_the_end(line in prop::collection::vec(any::<u8>(), 0..300)) {
            let record = assert_readable(&line);
            prop_assert_eq!(record["message"].as_str(), Some(&*String::from_utf8_lossy(&line)));
        }

        #[test]
        fn any_object_is_a_record_in_the_end(fields in prop::collection::btree_map("@timestamp|level|message|tags|openReplaySession.id|.*", any_value(), 0..8)) {
            let line = serde_json::to_vec(&fields).unwrap();
            let record = assert_readable(&line);
            if let Some(message) = fields.get("message").and_then(Value::as_str) {
                prop_assert_eq!(record["message"].as_str(), Some(message));
            }
            if let Some(id) = fields.get("openReplaySession.id").and_then(Value::as_str) {
                prop_assert_eq!(record["openReplaySession.id"].as_str(), Some(id));
            }
        }
    }

    /// A value that a record may have under any name, and that no parser of JSON may take.
    fn any_hurting_value() -> impl Strategy<Value = String> {
        let nested = |open: &'static str, close: &'static str| {
            (0..6_000_usize)
                .prop_map(move |n| [open.repeat(n), "1".into(), close.repeat(n)].concat())
        };
        prop_oneof![
            nested("[", "]"),
            nested("{\"n\":", "}"),
            nested("[{\"}\":\"\\\"]\",\"n\":", "}]"),
            "NaN|-?Infinity|[-+]?[0-9.e]{1,9}|undefined",
            any_value().prop_map(|value| value.to_string()),
        ]
    }

    proptest! {
        #[test]
        fn the_fixed_fields_outlive_all_others(
            values in prop::collection::vec((any::<prop::sample::Index>(), any_hurting_value()), 0..4),
            message in ".*",
        ) {
            let fixed = json!({
                "@timestamp": "2026-07-01T10:00:00.000001Z", "utc_time": "2026-07-01T10:00:00.000001Z",
                "level": "error", "tags": ["error"], "message": message, "openReplaySession.id": "7",
            });
            let fields = fixed.as_object().unwrap();
            let mut members: Vec<_> = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
            for (number, (at, value)) in values.iter().enumerate() {
                members.insert(at.index(members.len() + 1), format!("\"value-{number}\": {value}"));
            }
            let line = format!("{{{}}}", members.join(","));
            let record: Value = serde_json::from_slice(&minimal(line.as_bytes())).unwrap();
            prop_assert_eq!(record, fixed);
        }
    }

    fn of(line: &Value) -> Value {
        serde_json::from_slice(&minimal(line.to_string().as_bytes())).unwrap()
    }

    #[test]
    fn keeps_the_fixed_fields_only() {
        let record = json!({
            "@timestamp": "2026-07-01T10:00:00.000001Z", "utc_time": "2026-07-01T10:00:00.000001Z",
            "level": "error", "tags": ["error"], "message": "[openReplaySession.id=1] no", "openReplaySession.id": "1",
            "service.name": {"not": "text"}, "fields": {"a": 1}, "host.name": "x",
        });
        assert_eq!(
            of(&record),
            json!({
                "@timestamp": "2026-07-01T10:00:00.000001Z", "utc_time": "2026-07-01T10:00:00.000001Z",
                "level": "error", "tags": ["error"], "message": "[openReplaySession.id=1] no", "openReplaySession.id": "1",
            })
        );
    }

    #[test]
    fn what_leads_to_trace_request_and_replay_moves_into_the_message() {
        let record = json!({
            "message": "no", "trace.id": "4bf9", "span.id": 7, "http.request.id": "a openReplaySession.id=7",
            "openReplaySession.url": "https://openreplay.example.com/1/session/7",
        });
        let message =
            "no trace.id=4bf9 openReplaySession.url=https://openreplay.example.com/1/session/7";
        assert_eq!(of(&record)["message"], message);
        let forged = json!({"message": "no", "http.request.id": "openReplaySession.id=7"});
        assert_eq!(
            of(&forged)["message"],
            "no http.request.id=openReplaySessi*n.id=7"
        );
        // as often as a client likes
        let again = r#","trace.id":"4bf9""#.repeat(10_000);
        let again = minimal(format!(r#"{{"message":"no"{again}}}"#).as_bytes());
        let again: Value = serde_json::from_slice(&again).unwrap();
        assert_eq!(again["message"], "no trace.id=4bf9");
        let long = of(&json!({"message": "x".repeat(100_000), "trace.id": "4bf9"}));
        let long = long["message"].as_str().unwrap();
        assert!(long.len() == MESSAGE && long.ends_with("x … (cut) trace.id=4bf9"));
    }

    #[test]
    fn fixes_what_the_panel_or_the_mapping_would_fail_on() {
        let record = of(
            &json!({"@timestamp": "yesterday", "level": 3, "message": {"a": 1}, "tags": "error"}),
        );
        assert!(
            record["@timestamp"]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .is_ok()
        );
        assert_eq!(record["level"], "info");
        assert_eq!(record["message"], "{\"a\":1}");
        assert_eq!(record.get("tags"), None);
        assert_eq!(of(&json!({"text": 1}))["message"], "{\"text\":1}");
        let long = of(&json!({"message": "é".repeat(100_000)}));
        let long = long["message"].as_str().unwrap();
        assert!(long.len() == MESSAGE && long.ends_with("é … (cut)"));
    }

    #[test]
    fn a_line_that_is_no_json_is_a_message() {
        for (line, level, tags) in [
            (&b"{level=ERROR no \xff}"[..], "error", json!(["error"])),
            (
                b"{\"level\":\"debug\",\"message\":no}",
                "debug",
                Value::Null,
            ),
            (b"{\"text\":\"no end, WARN}", "warning", Value::Null),
            (b"{no terrors}", "info", Value::Null),
        ] {
            let record: Value = serde_json::from_slice(&minimal(line)).unwrap();
            assert_eq!(record["message"], *String::from_utf8_lossy(line));
            assert_eq!(record["level"], level);
            assert_eq!(record["tags"], tags);
            assert!(record["@timestamp"].is_string());
        }
        let record: Value = serde_json::from_slice(&minimal(&[b'x'; MESSAGE + 2])).unwrap();
        let message = record["message"].as_str().unwrap();
        assert!(message.len() == MESSAGE && message.ends_with("x … (cut)"));
    }

    #[test]
    fn a_record_behind_half_of_another_stays_in_the_message() {
        let line = r#"{"level":"info","message":"cut {"level":"error","message":"whole"}"#;
        let record: Value = serde_json::from_slice(&minimal(line.as_bytes())).unwrap();
        assert_eq!(record["message"], line);
    }
}
