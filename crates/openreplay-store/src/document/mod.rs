//! What the store reads in a record: that it is one, its time, and the sessions that its message
//! names.

use openreplay_record::sessions_of;
use smallvec::SmallVec;

use self::json::{Fault, Object};
use crate::time;

#[cfg(test)]
mod by_value;
pub(crate) mod json;
mod names;
mod text;

/// The sessions that a message can name. The record gets a row for each.
const MOST_SESSIONS: usize = 1_000;

/// What is needed to file a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Nanoseconds since 1970; `None` without a time that can be read.
    pub(crate) time: Option<i64>,
    /// Those that OpenReplay can ask for, each once, in the order of the message.
    pub(crate) sessions: SmallVec<[u64; 1]>,
}

/// Reads a line. A record whose time cannot be read is kept, as by `logs` of `setup`.
pub(crate) fn read(line: &str) -> Result<Document, Fault> {
    let object = json::read(line)?;
    let mut document = Document {
        time: time_in(line, &object)?,
        ..Document::default()
    };
    if let Some(message) = object.message {
        each_text(&line[message.clone()], message.start, &mut |text| {
            for session in sessions_of(text) {
                if document.sessions.contains(&session) {
                    continue;
                }
                if document.sessions.len() == MOST_SESSIONS {
                    return Err(Fault::ManySessions);
                }
                document.sessions.push(session);
            }
            Ok(())
        })?;
    }
    Ok(document)
}

/// The time of a line: a text, a number, or the first of a list.
pub(crate) fn time_in(line: &str, object: &Object) -> Result<Option<i64>, Fault> {
    match &object.time {
        Some(place) => time_of(&line[place.clone()], place.start),
        None => Ok(None),
    }
}

fn time_of(written: &str, at: usize) -> Result<Option<i64>, Fault> {
    Ok(match written.as_bytes() {
        [b'"', inner @ .., b'"'] => text::read(&written[1..=inner.len()], time::parse),
        [b'[', ..] => {
            let mut first = None;
            json::elements(written, |element| {
                first.get_or_insert(element);
            });
            return first.map_or(Ok(None), |first| time_of(first, at));
        }
        [b'{', ..] => return Err(Fault::Expected("a time, not an object,", at)),
        _ => time::parse(written),
    })
}

/// The texts of a message: Elasticsearch searches each element of a list on its own.
fn each_text(
    written: &str,
    at: usize,
    each: &mut impl FnMut(&str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    match written.as_bytes() {
        [b'"', inner @ .., b'"'] => text::read(&written[1..=inner.len()], each),
        [b'[', ..] => {
            let mut result = Ok(());
            json::elements(written, |element| {
                if result.is_ok() {
                    result = each_text(element, at, each);
                }
            });
            result
        }
        [b'{', ..] => Err(Fault::Expected("a message, not an object,", at)),
        // what has no text names no session
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use smallvec::smallvec;

    use super::*;

    fn sessions(message: &Value) -> Vec<u64> {
        let line = json!({ "message": message }).to_string();
        read(&line).unwrap().sessions.to_vec()
    }

    #[test]
    fn reads_the_time_and_each_session_once() {
        let line = r#"{"@timestamp":"2026-07-01T12:00:00Z","message":"[openReplaySession.id=7] a openReplaySession.id=8 openReplaySession.id=7","fields":{"a":[1,null,{"b":-1.5e3}]}}"#;
        let expected = Document {
            time: Some(1_782_907_200_000_000_000),
            sessions: smallvec![7, 8],
        };
        assert_eq!(read(line), Ok(expected));
        assert_eq!(read("{}"), Ok(Document::default()));
    }

    #[test]
    fn the_message_may_be_a_list_and_escaped() {
        let texts = json!(["openReplaySession.id=7", 1, ["openReplaySession.id=\u{8}8"]]);
        assert_eq!(sessions(&texts), [7, 8]);
        assert_eq!(
            sessions(&json!(["openReplaySession.id=", "7"])),
            Vec::<u64>::new()
        );
        assert_eq!(sessions(&json!(null)), Vec::<u64>::new());
    }

    #[test]
    fn a_time_that_cannot_be_read_is_none() {
        let time = |value: Value| {
            let line = json!({ "@timestamp": value }).to_string();
            read(&line).map(|document| document.time)
        };
        assert_eq!(
            time(json!(1_782_907_200_000_u64)),
            Ok(Some(1_782_907_200_000_000_000))
        );
        assert_eq!(
            time(json!(["2026", "2027"])),
            Ok(Some(1_767_225_600_000_000_000))
        );
        for none in [
            json!(null),
            json!([]),
            json!("soon"),
            json!(true),
            json!(""),
        ] {
            assert_eq!(time(none.clone()), Ok(None), "{none}");
        }
    }

    #[test]
    fn an_object_is_neither_a_time_nor_a_message() {
        for (line, fault) in [
            (
                r#"{"@timestamp":{}}"#,
                "expected a time, not an object, at byte 14",
            ),
            (
                r#"{"message":[{"a":1}]}"#,
                "expected a message, not an object, at byte 11",
            ),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), fault);
        }
    }

    #[test]
    fn a_message_names_a_limited_number_of_sessions() {
        let phrases = |count: usize| -> String {
            let phrases = (1..=count).map(|id| format!("openReplaySession.id={id} "));
            phrases.collect::<String>().repeat(2)
        };
        let most = phrases(MOST_SESSIONS);
        assert_eq!(sessions(&json!(most)).len(), MOST_SESSIONS);
        for message in [
            json!(phrases(MOST_SESSIONS + 1)),
            json!([most, "openReplaySession.id=2000"]),
        ] {
            let line = json!({ "message": message }).to_string();
            assert_eq!(read(&line), Err(Fault::ManySessions));
        }
    }

    #[test]
    fn an_object_may_have_many_names() {
        let names: String = (0..40).map(|name| format!("\"{name}\":0,")).collect();
        assert!(read(&format!("{{{names}\"40\":0}}")).is_ok());
        assert!(read(&format!("{{{names}\"39\":0}}")).is_err());
    }

    proptest! {
        #[test]
        fn every_object_that_serde_json_writes_is_a_record(keys in prop::collection::btree_map(".{0,8}", ".{0,8}", 0..30)) {
            let line = serde_json::to_string(&keys).unwrap();
            prop_assert!(read(&line).is_ok());
        }

        #[test]
        fn never_panics(line in r#"[{}\[\]":,0-9a-z\\ ]{0,40}|.{0,20}"#) {
            let _ = read(&line);
        }
    }
}
