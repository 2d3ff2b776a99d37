//! Serializes bytes in a checkpoint: as text if they are valid UTF-8, otherwise in base64. A line
//! can be cut within a character.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a checkpoint stores bytes that are usually text.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum TextOrBase64<T> {
    Text(T),
    Bytes { base64: String },
}

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let form = match std::str::from_utf8(bytes) {
        Ok(text) => TextOrBase64::Text(text),
        Err(_) => TextOrBase64::Bytes {
            base64: STANDARD.encode(bytes),
        },
    };
    form.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    match TextOrBase64::<String>::deserialize(deserializer)? {
        TextOrBase64::Text(text) => Ok(text.into_bytes()),
        TextOrBase64::Bytes { base64 } => STANDARD.decode(base64).map_err(D::Error::custom),
    }
}
