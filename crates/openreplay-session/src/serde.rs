use std::fmt;

use serde_core::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::SessionId;

/// As a string. A number would not survive JavaScript, whose integers end at 2^53.
impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads a string or an unsigned integer from a human-readable format such as JSON, and a string
/// alone from any other.
impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Visitor)
        } else {
            deserializer.deserialize_str(Visitor)
        }
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = SessionId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session id, a string or an unsigned 64-bit integer")
    }

    // the error does not hold the text, which can be a token
    fn visit_str<E: de::Error>(self, text: &str) -> Result<SessionId, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SessionId, E> {
        Ok(SessionId::from(number))
    }

    // formats without unsigned integers, TOML for instance
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<SessionId, E> {
        u64::try_from(number)
            .map(SessionId::from)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }
}
