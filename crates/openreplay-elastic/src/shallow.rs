//! The members of a record that the panel reads. The others are skipped as they are parsed, however
//! large or deep they are.

use std::borrow::Cow;
use std::fmt;

use openreplay_record::{field, phrase};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// In bytes, of a list or an object in a member that is kept: a `Value` of one can take 32 times as
/// much.
const CONTAINER: usize = 4096;

/// What is kept of a record.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) members: Value,
    /// Whether any member names a session.
    pub(crate) names_session: bool,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

pub(crate) fn from_slice(text: &[u8]) -> serde_json::Result<Source> {
    serde_json::from_slice(text)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Source;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Source, A::Error> {
        let mut members = Map::new();
        let mut names_session = false;
        while let Some(name) = map.next_key::<Key<'de>>()? {
            let name = name.0;
            let value: &RawValue = map.next_value()?;
            names_session |= [&name[..], value.get()]
                .iter()
                .any(|text| memchr::memmem::find(text.as_bytes(), SESSION.as_bytes()).is_some());
            let kept = match &name[..] {
                field::TIMESTAMP | field::LEVEL | field::MESSAGE => bounded(value),
                "body" => part(value, "text"),
                "fields" => part(value, "message"),
                _ => continue,
            };
            if let Some(kept) = kept {
                members.insert(name.into_owned(), kept);
            }
        }
        Ok(Source {
            members: Value::Object(members),
            names_session,
        })
    }
}

/// What the name of every member that holds a session has in common.
const SESSION: &str = match phrase::NAME.as_bytes() {
    [session @ .., b'.', b'i', b'd'] => match str::from_utf8(session) {
        Ok(session) => session,
        Err(_) => phrase::NAME,
    },
    _ => phrase::NAME,
};

/// `serde_json` reads 127 levels of a value; Elasticsearch and OpenReplay take 1,000 and more.
fn bounded(value: &RawValue) -> Option<Value> {
    let text = value.get();
    let is_container = text.starts_with(['[', '{']);
    if is_container && text.len() > CONTAINER {
        return Some(Value::Null);
    }
    Some(serde_json::from_str(text).unwrap_or_default())
}

/// One member of a member that is an object.
fn part(value: &RawValue, name: &str) -> Option<Value> {
    let inner: Part = serde_json::from_str(value.get()).ok()?;
    let (_, found) = inner.0.into_iter().find(|(member, _)| member == name)?;
    Some(json!({ name: found }))
}

/// The members of an object that are strings or numbers.
struct Part(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartMembers)
    }
}

struct PartMembers;

impl<'de> Visitor<'de> for PartMembers {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let mut found = Vec::new();
        while let Some(name) = map.next_key::<Key<'de>>()? {
            let value: &RawValue = map.next_value()?;
            if matches!(&name.0[..], "text" | "message") {
                found.extend(bounded(value).map(|value| (name.0.into_owned(), value)));
            }
        }
        Ok(Part(found))
    }
}

/// A name, borrowed if it has no escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        from_slice(text.as_bytes()).unwrap().members
    }

    #[test]
    fn keeps_what_the_panel_reads_and_nothing_else() {
        assert_eq!(
            read(
                r#"{"@timestamp":1,"\u006cevel":["info"],"message":"é\n","a":[1,{"b":{}}],"tags":[],
                    "fields":{"message":"inner","n":[1,2]},"body":{"text":"t","x":1},"body2":{"text":"t"}}"#
            ),
            json!({"@timestamp": 1, "level": ["info"], "message": "é\n", "fields": {"message": "inner"}, "body": {"text": "t"}})
        );
        assert_eq!(
            read(r#"{"message":1,"message":"last","fields":3,"body":{}}"#),
            json!({"message": "last"})
        );
        for text in ["", "{", "[]", "3", "{} {}", "{\"a\":[1,]}", "{\"a\":nan}"] {
            assert!(from_slice(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn sees_that_any_member_names_a_session() {
        for (text, names) in [
            (r#"{"text":"[openReplaySession.id=7] m"}"#, true),
            (r#"{"openReplaySession":{"id":"7"}}"#, true),
            (r#"{"a":[{"openReplaySession.id":7}]}"#, true),
            (r#"{"message":"m"}"#, false),
        ] {
            assert_eq!(from_slice(text.as_bytes()).unwrap().names_session, names);
        }
    }

    #[test]
    fn reads_what_stands_next_to_any_nesting() {
        for (open, close) in [("[", "]"), ("{\"n\":", "}")] {
            let deep = |levels| [&open.repeat(levels), "1", &close.repeat(levels)].concat();
            for (levels, is_read) in [(64, true), (127, true), (5_000, false), (100_000, false)] {
                let line = format!(r#"{{"deep":{0},"level":{0},"message":"m"}}"#, deep(levels));
                let record = read(&line);
                assert_eq!(record["message"], json!("m"));
                assert_eq!(record.get("deep"), None);
                assert_eq!(!record["level"].is_null(), is_read, "{levels}");
            }
        }
    }

    #[test]
    fn a_large_list_in_a_member_is_not_kept() {
        let list = |zeros: usize| format!("[{}0]", "0,".repeat(zeros));
        let read = |zeros| read(&format!(r#"{{"level":{},"message":"m"}}"#, list(zeros)));
        assert!(read(1_000)["level"].is_array());
        assert_eq!(read(3_000), json!({"level": null, "message": "m"}));
    }
}
