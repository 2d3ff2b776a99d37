//! A record whose members are `null` where they are nested too deeply to be read.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// `serde_json` reads 127 levels, and any number of a raw value's; Elasticsearch and OpenReplay take 1,000 and more.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let members = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
    let read = |(name, value): (_, Box<RawValue>)| {
        let value: Option<Value> = serde_json::from_str(value.get()).ok();
        (name, value.unwrap_or_default())
    };
    Ok(members.into_iter().map(read).collect())
}

pub(super) fn from_slice(text: &[u8]) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let record = deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn is_what_serde_json_reads() {
        for text in [
            r#"{"a":[1,-1,1.5,true,null,"é\n",{"b":{}},[]],"b":18446744073709551615}"#,
            r#"{"a":1,"\u0061":2}"#,
            " {} ",
        ] {
            let whole: Value = serde_json::from_str(text).unwrap();
            assert_eq!(from_slice(text.as_bytes()).unwrap(), whole);
        }
        for text in ["", "{", "[]", "3", "{} {}", "{\"a\":[1,]}", "{\"a\":nan}"] {
            assert!(from_slice(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_what_stands_beside_any_nesting() {
        for (open, close) in [("[", "]"), ("{\"n\":", "}")] {
            let deep = |levels| [&open.repeat(levels), "1", &close.repeat(levels)].concat();
            for (levels, is_read) in [(64, true), (127, true), (5_000, false), (100_000, false)] {
                let line = format!(r#"{{"deep":{},"message":"m"}}"#, deep(levels));
                let record = from_slice(line.as_bytes()).unwrap();
                assert_eq!(record["message"], json!("m"));
                assert_eq!(!record["deep"].is_null(), is_read, "{levels}");
            }
        }
    }
}
