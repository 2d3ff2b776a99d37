//! Serializes paths as JSON: as text if they are valid Unicode, otherwise as bytes in base64: those
//! of a Unix path, or the UTF-16 code units of a Windows one, low byte first.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

use crate::envelope::TextOrBase64;

pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    let form = match path.to_str() {
        Some(text) => TextOrBase64::Text(text),
        None => TextOrBase64::Bytes {
            base64: STANDARD.encode(to_bytes(path.as_os_str())),
        },
    };
    form.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Ok(match TextOrBase64::<String>::deserialize(deserializer)? {
        TextOrBase64::Text(text) => text.into(),
        TextOrBase64::Bytes { base64 } => {
            let bytes = STANDARD.decode(base64).map_err(D::Error::custom)?;
            from_bytes(bytes).into()
        }
    })
}

#[cfg(unix)]
fn to_bytes(text: &OsStr) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;

    text.as_bytes().to_vec()
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;

    OsString::from_vec(bytes)
}

#[cfg(windows)]
fn to_bytes(text: &OsStr) -> Vec<u8> {
    use std::os::windows::ffi::OsStrExt as _;

    text.encode_wide().flat_map(u16::to_le_bytes).collect()
}

#[cfg(windows)]
fn from_bytes(bytes: Vec<u8>) -> OsString {
    use std::os::windows::ffi::OsStringExt as _;

    let units: Vec<_> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    OsString::from_wide(&units)
}
