//! JSON that two independent parsers, serde_json and simd-json, read as the same value, with no key
//! twice in an object.
//!
//! Elasticsearch rejects a document in which a key comes twice, while most parsers pass over it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use simd_json::{Node, StaticNode};

/// Reads a line that is one object.
///
/// # Panics
///
/// If a parser rejects the line, if both read different values, if the line is no object, or if a
/// key comes twice in one of its objects.
#[must_use]
#[track_caller]
pub fn object(line: &str) -> Value {
    match parse(line) {
        Ok(value @ Value::Object(_)) => value,
        Ok(value) => panic!("not an object: {value}"),
        Err(error) => panic!("{error}: {line}"),
    }
}

fn parse(text: &str) -> Result<Value, String> {
    let Strict(first) =
        serde_json::from_str(text).map_err(|error| format!("serde_json: {error}"))?;
    let second = by_simd_json(text).map_err(|error| format!("simd-json: {error}"))?;
    if first != second {
        return Err(format!("serde_json reads {first}, simd-json {second}"));
    }
    Ok(first)
}

fn by_simd_json(text: &str) -> Result<Value, String> {
    // it parses in place
    let mut bytes = text.as_bytes().to_vec();
    let tape = simd_json::to_tape(&mut bytes).map_err(|error| error.to_string())?;
    let mut nodes = tape.0.into_iter();
    let value = value_of(&mut nodes)?;
    match nodes.next() {
        None => Ok(value),
        Some(node) => Err(format!("more behind the value: {node:?}")),
    }
}

/// The next value of the nodes, each of which stands in front of what it holds.
fn value_of<'a>(nodes: &mut impl Iterator<Item = Node<'a>>) -> Result<Value, String> {
    match nodes.next() {
        Some(Node::String(text)) => Ok(text.into()),
        Some(Node::Static(value)) => Ok(scalar(value)),
        Some(Node::Array { len, .. }) => (0..len).map(|_| value_of(nodes)).collect(),
        Some(Node::Object { len, .. }) => {
            let mut object = Map::new();
            for _ in 0..len {
                let Some(Node::String(key)) = nodes.next() else {
                    return Err("a key that is no text".into());
                };
                let value = value_of(nodes)?;
                if object.insert(key.to_owned(), value).is_some() {
                    return Err(format!("the key {key:?} comes twice"));
                }
            }
            Ok(object.into())
        }
        None => Err("no value".into()),
    }
}

fn scalar(value: StaticNode) -> Value {
    match value {
        StaticNode::I64(number) => number.into(),
        StaticNode::U64(number) => number.into(),
        StaticNode::F64(number) => number.into(),
        StaticNode::Bool(value) => value.into(),
        StaticNode::Null => Value::Null,
    }
}

/// A value in no object of which a key comes twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without a key that comes twice")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Strict, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Strict(array.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, _>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} comes twice")));
            }
            object.insert(key, value);
        }
        Ok(Strict(object.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parsers_read_the_same_value() {
        let text = r#"{"a":[1,-1,18446744073709551615,0.1,5e-324,1.7976931348623157e308,true,null,"\u0001\ud83d\ude00é\\\""],"b":{"b":{}}}"#;
        let value = object(text);
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(value["a"][8], "\u{1}😀é\\\"");
    }

    #[test]
    fn each_parser_rejects_a_key_that_comes_twice() {
        // the second is the same key, escaped
        for text in [r#"{"a":[{"b":1,"c":2,"b":3}]}"#, r#"{"b":1,"\u0062":1}"#] {
            assert!(
                by_simd_json(text).unwrap_err().contains("comes twice"),
                "{text}"
            );
            assert!(serde_json::from_str::<Strict>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_parser_rejects_what_is_no_json() {
        for text in [
            "",
            "{}{}",
            "{\"a\":1}}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":1,}",
            "{\"a\":\"\u{1}\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\ud800\"}",
            "{'a':1}",
            "{\"a\" 1}",
        ] {
            assert!(by_simd_json(text).is_err(), "{text:?}");
            assert!(serde_json::from_str::<Strict>(text).is_err(), "{text:?}");
        }
    }

    #[test]
    #[should_panic(expected = "not an object")]
    fn what_is_no_object_is_rejected() {
        let _ = object("[1]");
    }
}
