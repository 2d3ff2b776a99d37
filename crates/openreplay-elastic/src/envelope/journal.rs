//! The entries that `journalctl --output=json` prints.
//!
//! systemd writes them in `src/shared/logs-show.c`. A field is a string, a list of bytes if it is
//! not printable, or `null` if it is long and `--all` is missing. If an entry has a field several
//! times, the value is a list of these. `src/journal/journald-stream.c` splits lines longer than
//! `LineMax=` (48 KiB) and marks all pieces but the last with `_LINE_BREAK=line-max`.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use memchr::memmem;
use openreplay_record::Level;
use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};

use super::{Origin, Piece, Stream};

/// Replaces a message that `journalctl` left out.
pub(super) const LEFT_OUT: &str =
    "a message of 4096 bytes or more was left out: run journalctl with --all";

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "__CURSOR", borrow, default)]
    cursor: Option<Field<'a>>,
    #[serde(rename = "__REALTIME_TIMESTAMP", borrow, default)]
    time: Option<Field<'a>>,
    #[serde(rename = "MESSAGE", borrow, default, deserialize_with = "present")]
    message: Option<Field<'a>>,
    #[serde(rename = "PRIORITY", borrow, default)]
    priority: Option<Field<'a>>,
    #[serde(rename = "_TRANSPORT", borrow, default)]
    transport: Option<Field<'a>>,
    #[serde(rename = "_LINE_BREAK", borrow, default)]
    line_break: Option<Field<'a>>,
    #[serde(rename = "_STREAM_ID", borrow, default)]
    stream: Option<Field<'a>>,
}

enum Field<'a> {
    Bytes(Cow<'a, [u8]>),
    LeftOut,
}

pub(super) fn parse(line: &[u8]) -> Option<Piece<'_>> {
    // all field names are in upper case
    if !matches!(line, [b'{', b'"', b'_' | b'A'..=b'Z', ..]) {
        return None;
    }
    memmem::find(line, br#""__CURSOR""#)?;
    memmem::find(line, br#""__REALTIME_TIMESTAMP""#)?;
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    entry.cursor.as_ref()?;
    entry.time()?;
    entry.piece()
}

pub(super) fn parse_any(line: &[u8]) -> Option<Piece<'_>> {
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    entry.message.as_ref()?;
    entry.piece()
}

impl<'a> Entry<'a> {
    fn piece(self) -> Option<Piece<'a>> {
        let origin = Origin {
            stream: Stream::Journal(self.stream()),
            time: self.time().unwrap_or_else(SystemTime::now),
            level: self.level(),
        };
        let is_partial = text(self.line_break.as_ref()) == Some("line-max");
        let entry = text(self.cursor.as_ref()).map(hash);
        let (text, origin) = match self.message {
            Some(Field::Bytes(text)) => (text, origin),
            // an entry without a message is not a line of an app
            None => (Cow::Borrowed(&b""[..]), origin),
            Some(Field::LeftOut) => (
                Cow::Borrowed(LEFT_OUT.as_bytes()),
                Origin {
                    level: Some(Level::Warning),
                    ..origin
                },
            ),
        };
        Some(Piece {
            text,
            is_partial,
            origin,
            entry,
        })
    }

    /// Returns half of the random id, which suffices to tell streams apart.
    fn stream(&self) -> u64 {
        let half = number(self.stream.as_ref(), 16).map(|id| id & u128::from(u64::MAX));
        half.and_then(|half| half.try_into().ok()).unwrap_or(0)
    }

    fn time(&self) -> Option<SystemTime> {
        let micros = u64::try_from(number(self.time.as_ref(), 10)?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))
    }

    /// Returns the level of the entry's priority, unless the priority is a default. journald gives
    /// each line on a service's standard output the unit's `SyslogLevel=`, which is `info` by
    /// default and tells nothing about the line.
    fn level(&self) -> Option<Level> {
        let is_default = text(self.transport.as_ref()) == Some("stdout");
        match text(self.priority.as_ref())? {
            "0" | "1" | "2" | "3" => Some(Level::Error),
            "4" => Some(Level::Warning),
            "5" => Some(Level::Info),
            "6" => (!is_default).then_some(Level::Info),
            "7" => Some(Level::Debug),
            _ => None,
        }
    }
}

fn text<'a>(field: Option<&'a Field<'_>>) -> Option<&'a str> {
    match field? {
        Field::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        Field::LeftOut => None,
    }
}

fn number(field: Option<&Field<'_>>, radix: u32) -> Option<u128> {
    u128::from_str_radix(text(field)?, radix).ok()
}

/// FNV-1a, because the hash must be the same in every version. An attacker gains nothing from a
/// collision within their own journal.
fn hash(cursor: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = cursor.bytes();
    bytes.fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    })
}

/// Distinguishes `null` from a missing field.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Field<'de>>, D::Error> {
    Field::deserialize(deserializer).map(Some)
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a list of bytes or null")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Field::Bytes(text.as_bytes().into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Field::Bytes(text.as_bytes().to_vec().into()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::LeftOut)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(element) = list.next_element()? {
            match element {
                Element::Byte(byte) => bytes.push(byte),
                // if the field occurs several times, the first value counts
                Element::Field(field) => {
                    while list.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(field);
                }
            }
        }
        Ok(Field::Bytes(bytes.into()))
    }
}

enum Element<'a> {
    Byte(u8),
    Field(Field<'a>),
}

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte, or a field")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        let byte = u8::try_from(number).map_err(|_| E::custom("not a byte"))?;
        Ok(Element::Byte(byte))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        FieldVisitor.visit_borrowed_str(text).map(Element::Field)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        FieldVisitor.visit_str(text).map(Element::Field)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(Element::Field(Field::LeftOut))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(number) = list.next_element::<u64>()? {
            bytes.push(u8::try_from(number).map_err(|_| A::Error::custom("not a byte"))?);
        }
        Ok(Element::Field(Field::Bytes(bytes.into())))
    }
}
