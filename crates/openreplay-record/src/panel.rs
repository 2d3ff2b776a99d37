//! How OpenReplay's panel reads a record, and which faults keep a record from being shown
//! correctly.
//!
//! ```
//! use openreplay_record::panel::RecordFault;
//! use serde_json::json;
//!
//! let record = json!({"@timestamp": "2026-07-01T12:00:00Z", "message": "low on stock"});
//! assert_eq!(RecordFault::of(&record), [RecordFault::NoLevel]);
//! assert_eq!(RecordFault::NoLevel.describe(2, 9), "2 of 9 records have no `level`");
//! ```

use std::fmt;
use std::time::SystemTime;

use serde_json::Value;

use crate::{Level, field, time};

/// A fault that keeps OpenReplay's panel from showing a record correctly.
///
/// Faults are ordered by severity, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordFault {
    /// The record has the JSON format of tracing-subscriber, with the message inside `fields`.
    TracingJson,
    /// The `message` is missing or not a string.
    NoMessage,
    /// The `level` is missing or unreadable. A single such record breaks the whole panel.
    NoLevel,
    /// The `@timestamp` is missing or unreadable.
    NoTime,
    /// The panel does not know the `level`, and reads it as `info`.
    UnknownLevel,
}

impl RecordFault {
    /// All faults, the worst first.
    pub const ALL: [Self; 5] = [
        Self::TracingJson,
        Self::NoMessage,
        Self::NoLevel,
        Self::NoTime,
        Self::UnknownLevel,
    ];

    /// Returns the faults of a record, the worst first.
    ///
    /// For a record in tracing-subscriber's format, this returns only
    /// [`TracingJson`](Self::TracingJson), since the other faults follow from that one.
    #[must_use]
    pub fn of(record: &Value) -> Vec<Self> {
        let message = record.get(field::MESSAGE);
        let has_message = message.is_some_and(Value::is_string);
        if !has_message && record.pointer("/fields/message").is_some() {
            return vec![Self::TracingJson];
        }
        let level = record.get(field::LEVEL).and_then(level);
        let has_time = time(record.get(field::TIMESTAMP)).is_some();
        let faults = [
            (Self::NoMessage, !has_message),
            (Self::NoLevel, level.is_none()),
            (Self::NoTime, !has_time),
            (
                Self::UnknownLevel,
                level.is_some_and(|(_, is_known)| !is_known),
            ),
        ];
        let found = faults.into_iter().filter(|(_, is_there)| *is_there);
        found.map(|(fault, _)| fault).collect()
    }

    /// Returns the name of the fault for programs, such as `no-level`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// Returns a description that completes a sentence such as "3 records …": ``have no `level` ``.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.entry().1
    }

    /// Returns a sentence about so many of the records that were read: ``1 of 9 records has no
    /// `level` ``.
    #[must_use]
    pub fn describe(self, count: u64, of: u64) -> String {
        let text = self.text();
        let singular = |plural, verb| Some(format!("{verb}{}", text.strip_prefix(plural)?));
        let one = || singular("have ", "has ").or_else(|| singular("are ", "is "));
        let text = match count {
            1 => one().unwrap_or_else(|| text.to_owned()),
            _ => text.to_owned(),
        };
        format!("{count} of {of} records {text}")
    }

    /// Returns how to fix the fault, in one line.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.entry().2
    }

    /// Returns whether the panel shows the record in spite of the fault.
    #[must_use]
    pub const fn is_hint(self) -> bool {
        matches!(self, Self::UnknownLevel)
    }

    /// Returns the name, the text and the remedy.
    const fn entry(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::TracingJson => (
                "tracing-json",
                "are in tracing's own JSON form, with the message in `fields.message`, where OpenReplay does not search",
                "write the records with tracing_openreplay::json() instead of fmt::layer().json()",
            ),
            Self::NoMessage => (
                "no-message",
                "have no `message`",
                "write each record's text into `message`, as tracing_openreplay::json() does",
            ),
            Self::NoLevel => (
                "no-level",
                "have no `level`",
                "give every record a `level` of error, warning, info or debug: a single record without one breaks the whole panel",
            ),
            Self::NoTime => (
                "no-time",
                "have no `@timestamp` that the panel can read",
                "write `@timestamp` as RFC 3339, such as 2026-07-01T12:00:00.000000Z",
            ),
            Self::UnknownLevel => (
                "unknown-level",
                "have a `level` that the panel reads as info",
                "write error, warning, info or debug, in lower case: warn is `warning`, trace is `debug`",
            ),
        }
    }
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Returns the level as the panel reads it, and whether the panel knows the word.
///
/// Returns `None` if the value is neither a string nor a list. In a string, the panel searches for
/// one of its words; in a list, for an element that equals one
/// (`frontend/.../BackendLogs/utils.ts`).
#[must_use]
pub fn level(value: &Value) -> Option<(Level, bool)> {
    let contains = |word: &str| match value {
        Value::String(text) => text.contains(word),
        Value::Array(words) => words.iter().any(|element| element == word),
        _ => false,
    };
    if !matches!(value, Value::String(_) | Value::Array(_)) {
        return None;
    }
    let known = Level::ALL
        .into_iter()
        .find(|level| contains(level.as_str()));
    Some((known.unwrap_or(Level::Info), known.is_some()))
}

/// Returns the time as the panel reads it: RFC 3339, or milliseconds since the Unix epoch.
///
/// Returns `None` if the value is missing or is neither.
#[must_use]
pub fn time(value: Option<&Value>) -> Option<SystemTime> {
    match value? {
        Value::String(text) => time::parse(text),
        Value::Number(milliseconds) => time::from_milliseconds(milliseconds.as_i64()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_fault_is_found_and_named() {
        use RecordFault::*;
        let time = "2026-07-01T12:00:00Z";
        for (record, faults) in [
            (
                json!({"@timestamp": time, "level": "info", "message": "m"}),
                vec![],
            ),
            (
                json!({"@timestamp": 1_782_907_200_250_u64, "level": ["info"], "message": ""}),
                vec![],
            ),
            (
                json!({"@timestamp": time, "level": 3, "message": "m"}),
                vec![NoLevel],
            ),
            (
                json!({"@timestamp": time, "level": "WARN", "message": "m"}),
                vec![UnknownLevel],
            ),
            (
                json!({"@timestamp": "noon", "level": "info", "message": "m"}),
                vec![NoTime],
            ),
            (
                json!({"@timestamp": time, "level": "info", "message": 3}),
                vec![NoMessage],
            ),
            (json!({}), vec![NoMessage, NoLevel, NoTime]),
            (
                json!({"timestamp": time, "level": "INFO", "fields": {"message": "m"}, "target": "shop"}),
                vec![TracingJson],
            ),
            (
                json!({"@timestamp": time, "level": "info", "message": "m", "fields": {"message": "m"}}),
                vec![],
            ),
        ] {
            assert_eq!(RecordFault::of(&record), faults, "{record}");
        }
        assert!(RecordFault::ALL.is_sorted());
    }

    #[test]
    fn one_record_is_described_in_the_singular() {
        for fault in RecordFault::ALL {
            let (one, two) = (fault.describe(1, 2), fault.describe(2, 2));
            assert!(
                one.starts_with("1 of 2 records has ") || one.starts_with("1 of 2 records is "),
                "{one}"
            );
            assert_eq!(two, format!("2 of 2 records {}", fault.text()));
        }
    }

    #[test]
    fn a_level_is_read_from_a_text_and_from_a_list() {
        for (value, expected) in [
            (json!("error"), Some((Level::Error, true))),
            (json!("an info of debug"), Some((Level::Info, true))),
            (json!(["x", "debug"]), Some((Level::Debug, true))),
            (json!(["errors"]), Some((Level::Info, false))),
            (json!([]), Some((Level::Info, false))),
            (json!("WARN"), Some((Level::Info, false))),
            (json!({"level": "error"}), None),
            (json!(null), None),
        ] {
            assert_eq!(level(&value), expected, "{value}");
        }
    }

    #[test]
    fn each_fault_has_its_own_name_text_and_remedy() {
        for (fault, name, text, remedy) in [
            (
                RecordFault::TracingJson,
                "tracing-json",
                "JSON form",
                "json()",
            ),
            (
                RecordFault::NoMessage,
                "no-message",
                "no `message`",
                "`message`",
            ),
            (RecordFault::NoLevel, "no-level", "no `level`", "`level`"),
            (
                RecordFault::NoTime,
                "no-time",
                "no `@timestamp`",
                "`@timestamp`",
            ),
            (
                RecordFault::UnknownLevel,
                "unknown-level",
                "reads as info",
                "`warning`",
            ),
        ] {
            assert_eq!((fault.name(), fault.to_string()), (name, name.to_owned()));
            assert!(fault.text().contains(text), "{}", fault.text());
            assert!(fault.remedy().contains(remedy), "{}", fault.remedy());
            assert_eq!(fault.is_hint(), fault == RecordFault::UnknownLevel);
        }
    }
}
