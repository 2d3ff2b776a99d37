//! A record as OpenReplay gets it: the line as it was received, with what the panel cannot do
//! without.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use openreplay_record::field;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::query::Record;

impl Record {
    /// The record as OpenReplay gets it: the line as it was received, with `"level":"info"` where
    /// the panel would break without a level, and with its time where it has none.
    #[must_use]
    pub fn to_source(&self) -> String {
        shown(self)
    }
}

fn shown(record: &Record) -> String {
    let Ok(Members(members)) = serde_json::from_str(&record.line) else {
        return record.line.clone();
    };
    let value = |name: &str| {
        members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.get())
    };
    let has_level = value(field::LEVEL).is_some_and(is_level);
    let has_time = value(field::TIMESTAMP).is_some_and(|value| !matches!(value, "null" | "[]"));
    if has_level && has_time {
        return record.line.clone();
    }
    let is_kept = |key: &str| match key {
        field::LEVEL => has_level,
        field::TIMESTAMP => has_time,
        _ => true,
    };
    let mut line = String::with_capacity(record.line.len() + 64);
    let mut add = |key: &str, value: &str| {
        line.push(if line.is_empty() { '{' } else { ',' });
        line.push_str(&serde_json::Value::from(key).to_string());
        line.push(':');
        line.push_str(value);
    };
    if !has_time {
        add(field::TIMESTAMP, &format!("\"{}\"", text(record.time)));
    }
    if !has_level {
        add(field::LEVEL, "\"info\"");
    }
    members
        .iter()
        .filter(|(key, _)| is_kept(key))
        .for_each(|(key, value)| add(key, value.get()));
    line.push('}');
    line
}

/// A record for a store that has none, so that "Add" in OpenReplay's form finds something.
pub(crate) fn greeting() -> Record {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Record {
        id: "no-records-yet".to_owned(),
        time: i64::try_from(now.as_nanos()).unwrap_or(i64::MAX),
        line: r#"{"message":"openreplay-store has no records yet"}"#.to_owned(),
    }
}

/// The panel calls `includes` on it, which texts and lists have.
fn is_level(value: &str) -> bool {
    value.starts_with(['"', '['])
}

fn text(nanos: i64) -> String {
    // every i64 of nanoseconds is a time that jiff can show
    let time = Timestamp::from_nanosecond(nanos.into()).unwrap_or_default();
    format!("{time:.6}")
}

/// An object's members in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Deserialize<'a> for Members<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'a> Visitor<'a> for Collect {
            type Value = Members<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Members<'a>, M::Error> {
                let mut members = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A text, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn show(line: &str) -> String {
        let record = Record {
            id: "a".to_owned(),
            time: 1_782_907_200_000_001_000,
            line: line.to_owned(),
        };
        shown(&record)
    }

    #[test]
    fn a_whole_record_is_shown_as_it_was_received() {
        for line in [
            r#" {"level" : "warn", "@timestamp":1, "a\u0062":1.50}"#,
            r#"{"level":[],"@timestamp":"2026"}"#,
        ] {
            assert_eq!(show(line), line);
        }
    }

    #[test]
    fn what_the_panel_needs_is_added() {
        let time = r#""@timestamp":"2026-07-01T12:00:00.000001Z""#;
        for (line, expected) in [
            ("{}", format!(r#"{{{time},"level":"info"}}"#)),
            (
                r#"{"message":"m","level":null,"@timestamp":null}"#,
                format!(r#"{{{time},"level":"info","message":"m"}}"#),
            ),
            (
                r#"{"level":3,"@timestamp":"2026","b":[1, 2]}"#,
                r#"{"level":"info","@timestamp":"2026","b":[1, 2]}"#.to_owned(),
            ),
            (
                r#"{"level":"error"}"#,
                format!(r#"{{{time},"level":"error"}}"#),
            ),
        ] {
            assert_eq!(show(line), expected);
        }
    }

    proptest! {
        #[test]
        fn everything_else_stays(keys in prop::collection::btree_map("[a-z\"\\\\é]{0,4}", ".{0,8}", 0..6)) {
            prop_assume!(!keys.contains_key("level"));
            let mut expected = json!(keys);
            let shown: Value = serde_json::from_str(&show(&expected.to_string())).unwrap();
            expected["level"] = json!("info");
            expected["@timestamp"] = json!("2026-07-01T12:00:00.000001Z");
            prop_assert_eq!(shown, expected);
        }
    }
}
