use std::fmt;

use serde_core::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::SessionId;

/// Serializes the id as a string, since JavaScript's numbers are exact only up to 2^53.
impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Deserializes a string. Human-readable formats such as JSON may also contain an unsigned integer.
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

    // The error does not contain the text, which may be a token.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<SessionId, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SessionId, E> {
        Ok(SessionId::from(number))
    }

    // Some formats, such as TOML, only have signed integers.
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<SessionId, E> {
        u64::try_from(number)
            .map(SessionId::from)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }
}
