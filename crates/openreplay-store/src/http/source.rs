//! A record as OpenReplay gets it: the line as it was received, with what the panel cannot do
//! without.

use std::ops::Range;
use std::time::SystemTime;

use jiff::Timestamp;
use openreplay_record::field;

use crate::document;
use crate::document::json::{self, Object, Unreadable};
use crate::query::Record;

impl Record {
    /// Returns the record as OpenReplay gets it: the line as it was received, except that
    ///
    /// - a missing level becomes `info`, because the panel breaks without a level,
    /// - a missing time, or a time that cannot be read, becomes the time of the first arrival,
    /// - a number beyond an `f64` becomes a text, and the escape of half a surrogate pair becomes
    ///   U+FFFD: some JSON readers reject both, OpenReplay's Go client the number.
    #[must_use]
    pub fn to_source(&self) -> String {
        shown(self)
    }
}

fn shown(record: &Record) -> String {
    let line = &*record.line;
    let Ok(object) = json::read(line) else {
        return line.to_owned();
    };
    let mut edits = edits(record, &object).into_iter().peekable();
    let mut shown = Shown::new(line);
    if object.has_unreadable {
        json::each_unreadable(line, |what, place| {
            while let Some((earlier, text)) = edits.next_if(|(edit, _)| edit.start <= place.start) {
                shown.replace(earlier, &text);
            }
            match what {
                // part of a value that is replaced as a whole
                _ if place.start < shown.end => {}
                Unreadable::Number => {
                    let quoted = format!("\"{}\"", &line[place.clone()]);
                    shown.replace(place, &quoted);
                }
                Unreadable::Surrogate => shown.replace(place, r"\ufffd"),
            }
        });
    }
    for (place, text) in edits {
        shown.replace(place, &text);
    }
    shown.text.push_str(&line[shown.end..]);
    shown.text
}

/// A line with replacements, as far as it is written.
struct Shown<'a> {
    line: &'a str,
    text: String,
    /// Where the rest of the line begins.
    end: usize,
}

impl<'a> Shown<'a> {
    fn new(line: &'a str) -> Self {
        Self {
            line,
            text: String::with_capacity(line.len() + 64),
            end: 0,
        }
    }

    /// Replaces a part behind the previous one.
    fn replace(&mut self, place: Range<usize>, text: &str) {
        self.text.push_str(&self.line[self.end..place.start]);
        self.text.push_str(text);
        self.end = place.end;
    }
}

/// The level and the time where the panel needs others, in the order of the line.
fn edits(record: &Record, object: &Object) -> Vec<(Range<usize>, String)> {
    let line = &*record.line;
    let has_level = object.level.clone().is_some_and(|at| is_level(&line[at]));
    let has_time = matches!(document::time_in(line, object), Ok(Some(_)));
    let mut edits = Vec::new();
    let mut added = String::new();
    let mut set = |name: &str, place: &Option<Range<usize>>, value: String| match place {
        Some(place) => edits.push((place.clone(), value)),
        None => added.push_str(&format!("\"{name}\":{value},")),
    };
    if !has_time {
        set(
            field::TIMESTAMP,
            &object.time,
            format!("\"{}\"", text(record.time)),
        );
    }
    if !has_level {
        set(field::LEVEL, &object.level, "\"info\"".to_owned());
    }
    if object.is_empty {
        added.pop();
    }
    if !added.is_empty() {
        edits.push((object.start..object.start, added));
    }
    edits.sort_by_key(|(place, _)| place.start);
    edits
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
            ("{ }", format!(r#"{{{time},"level":"info" }}"#)),
            (
                r#"{"message":"m","level":null,"@timestamp":null}"#,
                format!(r#"{{"message":"m","level":"info",{time}}}"#),
            ),
            (
                r#"{ "level":3,"@timestamp":"2026","b":[1, 2]}"#,
                r#"{ "level":"info","@timestamp":"2026","b":[1, 2]}"#.to_owned(),
            ),
            (
                r#"{"level":"error","@timestamp":"soon"}"#,
                format!(r#"{{"level":"error",{time}}}"#),
            ),
            (
                r#"{"level":"error"}"#,
                format!(r#"{{{time},"level":"error"}}"#),
            ),
        ] {
            assert_eq!(show(line), expected);
        }
    }

    #[test]
    fn what_other_readers_reject_is_replaced() {
        let line = r#"{"a":-1e999,"level":1e999,"@timestamp":"\ud800","b":"\ud83d\ude00 \ude00"}"#;
        let time = r#""@timestamp":"2026-07-01T12:00:00.000001Z""#;
        let expected =
            format!(r#"{{"a":"-1e999","level":"info",{time},"b":"\ud83d\ude00 \ufffd"}}"#);
        assert_eq!(show(line), expected);
        assert!(serde_json::from_str::<Value>(&expected).is_ok());
    }

    #[test]
    fn a_record_full_of_what_other_readers_reject_is_shown() {
        // quadratic work on these would take minutes
        let line = format!(
            r#"{{"a":"{}","level":"info"}}"#,
            r"\ud800".repeat(1_000_000)
        );
        let shown = show(&line);
        assert_eq!(shown.matches(r"\ufffd").count(), 1_000_000);
        assert!(!shown.contains(r"\ud800"));
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
