//! A record as deep as anybody looks into it.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// What is deeper is `null`. Elasticsearch and OpenReplay take 1,000 levels and more, and `serde_json` 128.
const DEPTH: usize = 64;

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Shallow(DEPTH).deserialize(deserializer)
}

pub(super) fn from_slice(text: &[u8]) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// With so many levels below it.
#[derive(Clone, Copy)]
struct Shallow(usize);

impl Shallow {
    fn below(self) -> Self {
        Self(self.0 - 1)
    }
}

impl<'de> DeserializeSeed<'de> for Shallow {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.0 == 0 {
            // unlike any other value, this one is read without recursion
            return IgnoredAny::deserialize(deserializer).map(|_| Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shallow {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element_seed(self.below())? {
            list.push(value);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key()? {
            object.insert(name, members.next_value_seed(self.below())?);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn is_what_serde_json_reads() {
        for text in [
            r#"{"a":[1,-1,1.5,true,null,"é\n",{"b":{}},[]],"b":18446744073709551615}"#,
            "[]",
            "3",
        ] {
            let whole: Value = serde_json::from_str(text).unwrap();
            assert_eq!(from_slice(text.as_bytes()).unwrap(), whole);
        }
        for text in ["", "{", "[1,]", "{} {}", "{\"a\":nan}"] {
            assert!(from_slice(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_what_stands_beside_any_nesting() {
        for (open, close) in [("[", "]"), ("{\"n\":", "}")] {
            let deep = [&open.repeat(100_000), "1", &close.repeat(100_000)].concat();
            let line = format!(r#"{{"deep":{deep},"message":"m"}}"#);
            let record = from_slice(line.as_bytes()).unwrap();
            assert_eq!(record["message"], json!("m"));
        }
    }
}
