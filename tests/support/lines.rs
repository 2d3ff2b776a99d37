//! What a subscriber of a test writes, kept to be read back.

use std::{
    collections::HashSet,
    fmt, io,
    sync::{Arc, Mutex},
};

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is written, for all that it is cloned to.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// What was written since the last time, as it is.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The same as records: each line is exactly one JSON object, with no key twice in it or in what it holds.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        let text = String::from_utf8(self.take()).unwrap();
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "the last line is not ended: {text:?}"
        );
        text.split_terminator('\n').map(record).collect()
    }

    /// The same as text, and it stays.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// One line as a record, see [`Lines::records`].
#[must_use]
pub fn record(line: &str) -> Value {
    let record = serde_json::Deserializer::from_str(line)
        .deserialize_any(NoKeyTwice)
        .and_then(|()| serde_json::from_str(line));
    match record {
        Ok(Value::Object(record)) => Value::Object(record),
        other => panic!("not one JSON object: {other:?}: {line:?}"),
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

struct NoKeyTwice;

impl<'de> serde::de::DeserializeSeed<'de> for NoKeyTwice {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoKeyTwice {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
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

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(NoKeyTwice)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = object.next_key::<String>()? {
            object.next_value_seed(NoKeyTwice)?;
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key {key:?} is there twice")));
            }
        }
        Ok(())
    }
}
