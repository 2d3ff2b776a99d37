//! Tests the records that are stored once the envelope is removed.

use super::*;

fn of(text: &[u8], origin: Origin) -> Option<(Value, bool)> {
    let stored = document::record_from(text, &origin)?;
    assert!(!stored.document.contains(&b'\n'));
    let record = serde_json::from_slice(&stored.document).unwrap();
    Some((record, stored.is_wrapped))
}

fn origin(stream: Stream, level: Option<Level>) -> Origin {
    Origin {
        stream,
        time: at(),
        level,
    }
}

#[test]
fn a_record_keeps_its_own_time_and_level_to_the_byte() {
    for record in [
        r#"{"@timestamp":"2020-01-01T00:00:00.000001Z","level":"debug","message":"m"}"#,
        r#"{"message":"m","level":"debug","@timestamp":"2020-01-01T00:00:00.000001Z"}"#,
        r#"{"ratio":NaN,"level":"debug","@timestamp":"2020-01-01T00:00:00.000001Z"}"#,
        // the fields are found before the syntax error
        r#"{"@timestamp":"2020-01-01T00:00:00.000001Z","level":"debug",}"#,
    ] {
        let origin = origin(Stream::Stderr, None);
        let stored = document::record_from(record.as_bytes(), &origin).unwrap();
        assert_eq!(
            (&*stored.document, stored.is_wrapped),
            (record.as_bytes(), false)
        );
        let spaced = format!("  {record}\t\r");
        let stored = document::record_from(spaced.as_bytes(), &origin).unwrap();
        assert_eq!(&*stored.document, record.as_bytes());
    }
}

#[test]
fn the_envelope_supplies_what_a_record_lacks() {
    let time = json!({"@timestamp": TIME, "utc_time": TIME});
    for (record, stream, level, added) in [
        (json!({}), Stream::Stdout, None, json!({"level": "info"})),
        (
            json!({"message": "m"}),
            Stream::Stdout,
            None,
            json!({"level": "info"}),
        ),
        // its message is not parsed for a level as plain text would be
        (
            json!({"message": "an error"}),
            Stream::Stdout,
            None,
            json!({"level": "info"}),
        ),
        (
            json!({"message": "m"}),
            Stream::Stderr,
            None,
            json!({"level": "error"}),
        ),
        (
            json!({"message": "m"}),
            Stream::Journal(1),
            Some(Level::Warning),
            json!({"level": "warning"}),
        ),
        (json!({"level": "debug"}), Stream::Stderr, None, json!({})),
        (
            json!({"nested": {"level": "debug", "@timestamp": 1}}),
            Stream::Stdout,
            None,
            json!({"level": "info"}),
        ),
    ] {
        let text = record.to_string();
        let mut whole = record;
        for added in [&time, &added] {
            whole
                .as_object_mut()
                .unwrap()
                .extend(added.as_object().unwrap().clone());
        }
        assert_eq!(
            of(text.as_bytes(), origin(stream, level)),
            Some((whole, false)),
            "{text}"
        );
    }
    let named = json!({"utc_time": "2020-01-01T00:00:00.000001Z", "level": "info"});
    let (record, _) = of(named.to_string().as_bytes(), origin(Stream::Stdout, None)).unwrap();
    assert_eq!(record["@timestamp"], named["utc_time"]);
    let timed = json!({"@timestamp": "2020-01-01T00:00:00.000001Z"});
    let (record, _) = of(timed.to_string().as_bytes(), origin(Stream::Stdout, None)).unwrap();
    assert_eq!(
        record,
        json!({"@timestamp": timed["@timestamp"], "level": "info"})
    );
}

#[test]
fn plain_text_becomes_a_record_with_the_runtimes_time_and_stream() {
    for (text, stream, named, level) in [
        (
            "thread 'main' panicked at src/main.rs:7:5:",
            Stream::Stderr,
            None,
            "error",
        ),
        (
            "   3: core::ops::function::FnOnce::call_once",
            Stream::Stderr,
            None,
            "error",
        ),
        ("warning: slow", Stream::Stderr, None, "warning"),
        ("INFO listening", Stream::Stderr, None, "info"),
        ("listening", Stream::Stdout, None, "info"),
        ("DEBUG listening", Stream::Stdout, None, "debug"),
        (
            "error budget: fine",
            Stream::Journal(1),
            Some(Level::Info),
            "info",
        ),
        ("a failure", Stream::Journal(1), None, "info"),
        ("{level=ERROR no}", Stream::Stdout, None, "error"),
        (
            "{\"level\":\"info\",\"message\":\"half a record",
            Stream::Stdout,
            None,
            "info",
        ),
        (
            "{\"message\":\"half{\"level\":\"info\"}",
            Stream::Stdout,
            None,
            "info",
        ),
    ] {
        let mut record =
            json!({"@timestamp": TIME, "utc_time": TIME, "level": level, "message": text});
        if level == "error" {
            record["tags"] = json!(["error"]);
        }
        if let Some(name) = stream.name() {
            record["stream"] = json!(name);
        }
        assert_eq!(
            of(text.as_bytes(), origin(stream, named)),
            Some((record, true)),
            "{text}"
        );
    }
    for empty in ["", "  \t", "\r"] {
        assert_eq!(of(empty.as_bytes(), origin(Stream::Stderr, None)), None);
    }
}

proptest! {
    #[test]
    fn the_panel_shows_whatever_an_app_prints(
        text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            r#"\{("[a-z@é]{0,9}"[:,]?|[0-9]{1,3},?|[{}\[\]]){0,9}\}"#.prop_map(String::into_bytes),
        ],
        stream in any_stream(), time in any_time(),
    ) {
        let text = text.into_iter().filter(|byte| *byte != b'\n').collect::<Vec<_>>();
        let origin = Origin { stream, time, level: None };
        if let Some(stored) = document::record_from(&text, &origin)
            // Elasticsearch rejects the other records; the tests of delivery cover what happens
            // then
            && let Ok(record) = serde_json::from_slice::<Value>(&stored.document)
        {
            prop_assert!(record["level"].is_string() && record["@timestamp"].is_string(), "{}", record);
            prop_assert!(!stored.is_wrapped || record["stream"] == stream.name().unwrap());
        }
    }
}
