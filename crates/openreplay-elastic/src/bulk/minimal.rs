use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::text;

/// A message is cut to this length: in a record that was refused it may have been too long.
const MESSAGE: usize = 32 * 1024;

/// The fixed fields of a record, and nothing that an application could have put into it: the form in which it is sent
/// once more after it was refused. `None` where the line is no JSON object.
pub(super) fn minimal(line: &[u8]) -> Option<Vec<u8>> {
    let whole: Map<String, Value> = serde_json::from_slice(line).ok()?;
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
    serde_json::to_vec(&record).ok()
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
    use super::*;

    fn of(line: &Value) -> Value {
        serde_json::from_slice(&minimal(line.to_string().as_bytes()).unwrap()).unwrap()
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
        assert_eq!(minimal(b"{no}"), None);
        assert_eq!(minimal(b"[1]"), None);
    }
}
