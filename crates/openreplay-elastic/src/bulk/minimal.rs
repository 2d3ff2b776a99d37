use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::text;

/// A message is cut to this length: in a record that was refused it may have been too long, where it is a keyword
/// (32766 bytes at most).
const MESSAGE: usize = 32_000;

/// The fixed fields of a record, and nothing that an application could have put into it: the form in which it is sent
/// once more after it was refused. A line that is no JSON object is a message as it stands.
pub(super) fn minimal(line: &[u8]) -> Vec<u8> {
    let Ok(whole) = serde_json::from_slice::<Map<String, Value>>(line) else {
        return wrapped(line);
    };
    let text = |name: &str| whole.get(name).and_then(Value::as_str);
    let instant = text("@timestamp")
        .filter(|text| text.parse::<Timestamp>().is_ok())
        .map_or_else(|| format!("{:.6}", Timestamp::now()), str::to_owned);
    let message = match whole.get("message") {
        Some(Value::String(message)) => message.clone(),
        Some(other) => other.to_string(),
        // nothing of it may be lost where nobody would find it: the panel shows the message only
        None => String::from_utf8_lossy(line).into_owned(),
    };
    let mut record = json!({
        "@timestamp": instant,
        "utc_time": instant,
        "level": text("level").unwrap_or("info"),
        "message": cut(&message),
    });
    if whole.get("tags").is_some_and(is_error) {
        record["tags"] = json!(["error"]);
    }
    if let Some(id) = text("openReplaySession.id") {
        record["openReplaySession.id"] = json!(id);
    }
    record.to_string().into_bytes()
}

/// A record whose message is a text that cannot be read any closer.
fn wrapped(line: &[u8]) -> Vec<u8> {
    let now = format!("{:.6}", Timestamp::now());
    let message = String::from_utf8_lossy(line);
    let level = guessed(&message.to_ascii_lowercase());
    let mut record = json!({
        "@timestamp": now,
        "utc_time": now,
        "level": level,
        "message": cut(&message),
    });
    if level == "error" {
        record["tags"] = json!(["error"]);
    }
    record.to_string().into_bytes()
}

/// The first level that a text names.
fn guessed(text: &str) -> &'static str {
    text.split(|char: char| !char.is_ascii_alphabetic())
        .find_map(|word| match word {
            "error" | "fatal" | "critical" | "panic" | "panicked" => Some("error"),
            "warn" | "warning" => Some("warning"),
            "debug" | "trace" => Some("debug"),
            "info" => Some("info"),
            _ => None,
        })
        .unwrap_or("info")
}

fn is_error(tags: &Value) -> bool {
    let tags = tags.as_array();
    tags.is_some_and(|tags| tags.iter().any(|tag| tag == "error"))
}

fn cut(message: &str) -> &str {
    text::shortened(message, MESSAGE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert!(text("@timestamp").parse::<Timestamp>().is_ok());
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
    fn mends_what_the_panel_or_the_mapping_would_stumble_over() {
        let record = of(
            &json!({"@timestamp": "yesterday", "level": 3, "message": {"a": 1}, "tags": "error"}),
        );
        assert!(
            record["@timestamp"]
                .as_str()
                .unwrap()
                .parse::<Timestamp>()
                .is_ok()
        );
        assert_eq!(record["level"], "info");
        assert_eq!(record["message"], "{\"a\":1}");
        assert_eq!(record.get("tags"), None);
        assert_eq!(of(&json!({"text": 1}))["message"], "{\"text\":1}");
        let long = of(&json!({"message": "é".repeat(100_000)}));
        assert_eq!(long["message"].as_str().unwrap().len(), MESSAGE);
    }

    #[test]
    fn a_line_that_is_no_json_is_a_message() {
        for (line, level, tags) in [
            (&b"{level=ERROR no \xff}"[..], "error", json!(["error"])),
            (
                b"{\"level\":\"warn\",\"message\":no}",
                "warning",
                Value::Null,
            ),
            (b"{no terrors}", "info", Value::Null),
        ] {
            let record: Value = serde_json::from_slice(&minimal(line)).unwrap();
            assert_eq!(record["message"], *String::from_utf8_lossy(line));
            assert_eq!(record["level"], level);
            assert_eq!(record["tags"], tags);
            assert!(record["@timestamp"].is_string());
        }
    }
}
