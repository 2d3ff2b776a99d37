//! Compares what is read of a line with what serde_json reads.

use openreplay_record::sessions_of;
use proptest::prelude::*;
use serde_json::Value;
use smallvec::SmallVec;

use super::{Document, read};
use crate::time;

fn name() -> &'static str {
    r#""(a|b|\\u0061|@timestamp|message)""#
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        2 => r#"null|true|-?[0-9]{1,13}|0\.5e3|"[a-z]{0,2}"|"2026(-07-01)?""#.boxed(),
        1 => r#""(\[?openReplaySession\.id=[0-9]{1,2}[\] ]{0,2}){1,2}""#.boxed(),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3);
        let object = prop::collection::vec((name(), inner), 0..3);
        prop_oneof![
            list.prop_map(|values| format!("[{}]", values.join(","))),
            object.prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(name, value)| format!("{name}:{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// What a line is as a record, read from a whole `Value`.
fn by_value(line: &str) -> Option<Document> {
    let whole: serde_json::Map<String, Value> = serde_json::from_str(line).ok()?;
    let has_all = count(&Value::Object(whole.clone())) == colons(line);
    let time = match whole.get("@timestamp") {
        None => None,
        Some(value) => time_by_value(value)?,
    };
    let mut messages = Vec::new();
    let message = whole.get("message").unwrap_or(&Value::Null);
    texts(message, &mut messages)?;
    let mut sessions = SmallVec::new();
    for session in messages.iter().flat_map(|text| sessions_of(text)) {
        if !sessions.contains(&session) {
            sessions.push(session);
        }
    }
    has_all.then_some(Document { time, sessions })
}

/// The members of all objects.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(count).sum::<usize>(),
        Value::Array(values) => values.iter().map(count).sum(),
        _ => 0,
    }
}

/// The members of all objects of a text that is JSON: a value that replaced another is one.
fn colons(line: &str) -> usize {
    let mut is_text = false;
    let mut bytes = line.bytes();
    let mut colons = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => is_text = !is_text,
            b':' if !is_text => colons += 1,
            _ => {}
        }
    }
    colons
}

/// `None` if the value cannot be a time or none.
fn time_by_value(value: &Value) -> Option<Option<i64>> {
    match value {
        Value::Array(values) => values.first().map_or(Some(None), time_by_value),
        Value::Object(_) => None,
        Value::String(text) => Some(time::parse(text)),
        // as it stands in the line
        Value::Number(number) if number.is_i64() => Some(time::parse(&number.to_string())),
        _ => Some(None),
    }
}

fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) -> Option<()> {
    match value {
        Value::Object(_) => return None,
        Value::Array(values) => return values.iter().try_for_each(|value| texts(value, found)),
        Value::String(text) => found.push(text),
        _ => {}
    }
    Some(())
}

proptest! {
    #[test]
    fn a_line_is_a_record_exactly_if_serde_json_reads_an_object_without_duplicate_names(
        members in prop::collection::vec((name(), value()), 0..5),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..2_usize, r#"|[{}\[\]",:\\0-9 ]|"a":1,|null"#), 0..3),
    ) {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        let mut line = format!("{{{}}}", members.join(","));
        for (at, length, edit) in edits {
            let at = at.index(line.len() + 1);
            line.replace_range(at..line.len().min(at + length), &edit);
        }
        prop_assert_eq!(read(&line).ok(), by_value(&line), "{}", line);
    }
}
