//! What the store reads in a record: that it is one, its time, and the sessions that its message
//! names.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use openreplay_record::{field, sessions_of};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::time;

/// What is needed to file a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Nanoseconds since 1970.
    pub(crate) time: Option<i64>,
    /// Those that OpenReplay can ask for, each once, in the order of the message.
    pub(crate) sessions: SmallVec<[u64; 1]>,
}

/// Why a line is no record that Elasticsearch would store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not JSON, not an object, a name that comes twice in one object, or nested too deep.
    Malformed(String),
    /// No form of a time that Elasticsearch accepts.
    Time(String),
}

/// Reads a line.
pub(crate) fn read(line: &str) -> Result<Document, Fault> {
    let mut json = serde_json::Deserializer::from_str(line);
    let mut fields = Fields::default();
    let read = json
        .deserialize_map(Top(&mut fields))
        .and_then(|()| json.end());
    read.map_err(|error| Fault::Malformed(error.to_string()))?;
    let mut document = Document::default();
    if let Some(raw) = fields.time {
        document.time = time_of(raw.get())?;
    }
    for message in fields.messages {
        for session in sessions_of(&message) {
            if !document.sessions.contains(&session) {
                document.sessions.push(session);
            }
        }
    }
    Ok(document)
}

/// A text, a number, or the first of a list; `null` is no time.
fn time_of(raw: &str) -> Result<Option<i64>, Fault> {
    if raw == "null" {
        return Ok(None);
    }
    let text: Cow<'_, str> = match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(raw)
            .unwrap_or_default()
            .into(),
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
            return list.first().map_or(Ok(None), |first| time_of(first.get()));
        }
        _ => raw.into(),
    };
    time::parse(&text)
        .map(Some)
        .ok_or_else(|| Fault::Time(raw.to_owned()))
}

/// What is kept of the outermost object.
#[derive(Default)]
struct Fields<'a> {
    time: Option<&'a RawValue>,
    messages: Vec<Cow<'a, str>>,
}

/// Reads the outermost object.
struct Top<'f, 'a>(&'f mut Fields<'a>);

impl<'a> Visitor<'a> for Top<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        let mut names = Names::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                field::TIMESTAMP => self.0.time = Some(map.next_value()?),
                field::MESSAGE => map.next_value_seed(Messages(&mut self.0.messages))?,
                _ => map.next_value::<Checked>().map(|Checked| ())?,
            }
            names.add(name)?;
        }
        Ok(())
    }
}

/// A name in an object.
struct Name<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Name<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'a> Visitor<'a> for TextVisitor {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The names in an object so far: mostly too few for a set to pay.
#[derive(Default)]
struct Names<'a> {
    few: SmallVec<[Cow<'a, str>; 16]>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    fn add<E: serde::de::Error>(&mut self, name: Cow<'a, str>) -> Result<(), E> {
        if self.few.contains(&name) || self.many.contains(&name) {
            return Err(E::custom(format_args!("duplicate field '{name}'")));
        }
        if self.few.len() < self.few.inline_size() {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        Ok(())
    }
}

/// Any value; no object in it has a name twice.
struct Checked;

impl<'a> Deserialize<'a> for Checked {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'a> Visitor<'a> for Checked {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut list: S) -> Result<Self, S::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self, M::Error> {
        let mut names = Names::default();
        while let Some(Name(name)) = map.next_key()? {
            let Self = map.next_value()?;
            names.add(name)?;
        }
        Ok(self)
    }
}

/// The texts of a message: Elasticsearch searches each element of a list on its own.
struct Messages<'f, 'a>(&'f mut Vec<Cow<'a, str>>);

impl<'a> DeserializeSeed<'a> for Messages<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// What has no text names no session.
impl<'a> Visitor<'a> for Messages<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        self.0.push(Cow::Borrowed(text));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push(Cow::Owned(text.to_owned()));
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut list: S) -> Result<(), S::Error> {
        while list.next_element_seed(Messages(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'a>>(self, _: M) -> Result<(), M::Error> {
        Err(M::Error::custom("`message` is an object, not a text"))
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
    fn the_time_may_be_a_number_a_list_or_null() {
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
        assert_eq!(time(json!(null)), Ok(None));
        assert_eq!(time(json!([])), Ok(None));
        for wrong in [json!("soon"), json!(true), json!({}), json!("")] {
            assert_eq!(time(wrong.clone()), Err(Fault::Time(wrong.to_string())));
        }
    }

    #[test]
    fn a_line_that_elasticsearch_rejects_is_a_fault() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(1_000), "]".repeat(1_000));
        for (line, why) in [
            (r#"{"a":1,"b":2,"a":3}"#, "duplicate field 'a'"),
            (r#"{"a":{"b":[{"c":1,"\u0063":2}]}}"#, "duplicate field 'c'"),
            ("[1]", "an object"),
            ("\"text\"", "an object"),
            ("", "EOF"),
            ("{} {}", "trailing"),
            ("{\"a\":\u{0}}", "expected value"),
            ("{\"a\":\"\u{0}\"}", "control character"),
            (r#"{"message":{"a":1}}"#, "object"),
            (&deep, "recursion limit"),
        ] {
            match read(line) {
                Err(Fault::Malformed(text)) => assert!(text.contains(why), "{line}: {text}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        let names: String = (0..40).map(|name| format!("\"{name}\":0,")).collect();
        assert!(read(&format!("{{{names}\"40\":0}}")).is_ok());
        assert!(read(&format!("{{{names}\"39\":0}}")).is_err());
    }

    proptest! {
        #[test]
        fn every_object_that_serde_json_writes_is_a_record(keys in prop::collection::btree_map(".{0,8}", ".{0,8}", 0..30)) {
            prop_assume!(!keys.contains_key("@timestamp"));
            let line = serde_json::to_string(&keys).unwrap();
            prop_assert!(read(&line).is_ok());
        }

        #[test]
        fn never_panics(line in r#"[{}\[\]":,0-9a-z\\ ]{0,40}|.{0,20}"#) {
            let _ = read(&line);
        }
    }
}
