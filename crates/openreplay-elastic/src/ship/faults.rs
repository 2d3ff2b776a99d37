//! Finds the faults that keep OpenReplay's panel from showing records.

use std::str;

use openreplay_record::panel::RecordFault;
use openreplay_record::{Level, field, time};

use crate::document::Members;
use crate::shallow;

const KINDS: usize = RecordFault::ALL.len();

/// The number of records with each fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults([u64; KINDS]);

impl Faults {
    /// Counts the faults of a record, which is a JSON object.
    pub(super) fn examine(&mut self, record: &[u8]) {
        if is_faultless(record) {
            return;
        }
        // Elasticsearch rejects a record that no parser can read, and that is reported.
        let Ok(source) = shallow::from_slice(record) else {
            return;
        };
        let found = RecordFault::of(&source.members);
        for (fault, count) in RecordFault::ALL.iter().zip(&mut self.0) {
            *count += u64::from(found.contains(fault));
        }
    }

    /// Adds the faults of more records. Returns the faults that occurred for the first time.
    pub(super) fn add(&mut self, more: &Self) -> Vec<RecordFault> {
        let mut new = Vec::new();
        for (at, fault) in RecordFault::ALL.into_iter().enumerate() {
            if self.0[at] == 0 && more.0[at] > 0 {
                new.push(fault);
            }
            self.0[at] += more.0[at];
        }
        new
    }

    /// Returns the faults that occurred, each with its number of records.
    pub(super) fn counted(&self) -> impl Iterator<Item = (RecordFault, u64)> {
        let counts = RecordFault::ALL.into_iter().zip(self.0);
        counts.filter(|(_, count)| *count > 0)
    }
}

/// Returns whether a quick look proves that a record has no fault. In records of
/// `tracing_openreplay::json()`, the relevant members come first.
fn is_faultless(record: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(record) else {
        return false;
    };
    let (mut has_time, mut has_level, mut has_message) = (false, false, false);
    for (name, value) in Members::of(text) {
        match unquoted(name) {
            field::TIMESTAMP => has_time = time::parse(unquoted(value)).is_some(),
            field::LEVEL => has_level = is_known_level(value),
            field::MESSAGE => has_message = value.starts_with('"'),
            _ => continue,
        }
        if has_time && has_level && has_message {
            return true;
        }
    }
    false
}

fn is_known_level(value: &str) -> bool {
    let word = unquoted(value);
    Level::ALL.iter().any(|level| level.as_str() == word)
}

/// Returns the text between quotes. A text with escapes is not decoded: it equals none of the names
/// and levels that are compared with it.
fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = r#""@timestamp":"2026-07-01T12:00:00.000001Z""#;

    fn faults_of(record: &str) -> Vec<RecordFault> {
        let mut faults = Faults::default();
        faults.examine(record.as_bytes());
        faults.counted().map(|(fault, _)| fault).collect()
    }

    #[test]
    fn finds_the_faults_that_affect_the_panel() {
        use RecordFault::*;
        for (record, faults) in [
            (
                format!(r#"{{{TIME},"level":"info","message":"m"}}"#),
                vec![],
            ),
            (
                format!(r#"{{"message":"m","level":"debug","a":[1],{TIME}}}"#),
                vec![],
            ),
            (
                format!(r#"{{{TIME},"\u006cevel":["info"],"message":"m"}}"#),
                vec![],
            ),
            (format!(r#"{{{TIME},"message":"m"}}"#), vec![NoLevel]),
            (format!(r#"{{{TIME},"level":info,"message":"m"}}"#), vec![]),
            (
                format!(r#"{{{TIME},"level":7,"message":"m"}}"#),
                vec![NoLevel],
            ),
            (
                format!(r#"{{{TIME},"level":"WARN","message":"m"}}"#),
                vec![UnknownLevel],
            ),
            (
                r#"{"@timestamp":"noon","level":"info","message":"m"}"#.to_owned(),
                vec![NoTime],
            ),
            (
                format!(r#"{{{TIME},"level":"info","message":{{}}}}"#),
                vec![NoMessage],
            ),
            (
                r#"{"timestamp":"2026-07-01T12:00:00Z","level":"INFO","fields":{"message":"m"}}"#
                    .to_owned(),
                vec![TracingJson],
            ),
            ("{}".to_owned(), vec![NoMessage, NoLevel, NoTime]),
        ] {
            assert_eq!(faults_of(&record), faults, "{record}");
        }
    }

    #[test]
    fn a_quick_look_suffices_for_our_own_records() {
        let own = r#"{"@timestamp":"2026-07-01T12:00:00.000001Z","utc_time":"2026-07-01T12:00:00.000001Z","level":"info","message":"m","fields":{"n":1}}"#;
        assert!(is_faultless(own.as_bytes()));
        assert!(!is_faultless(own.replace("info", "INFO").as_bytes()));
    }

    #[test]
    fn a_fault_is_new_only_once() {
        use RecordFault::*;
        let examined = |record: &[u8]| {
            let mut faults = Faults::default();
            faults.examine(record);
            faults
        };
        let mut all = Faults::default();
        assert_eq!(
            all.add(&examined(b"{\"message\":\"m\"}")),
            [NoLevel, NoTime]
        );
        assert_eq!(all.add(&examined(b"{}")), [NoMessage]);
        let counted: Vec<_> = all.counted().collect();
        assert_eq!(counted, [(NoMessage, 1), (NoLevel, 2), (NoTime, 2)]);
    }
}
