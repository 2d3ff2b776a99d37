//! Recognises the envelopes that container runtimes and journald put around lines, and removes
//! them.
//!
//! `cri`, `json_file` and `journal` each parse one format; `join` joins the pieces of long lines.

use std::borrow::Cow;
use std::time::SystemTime;

use openreplay_record::Level;
use serde::{Deserialize, Serialize};

pub(crate) use self::bytes::TextOrBase64;
pub(crate) use self::join::{Join, LONGEST_LINE, Line};

mod bytes;
mod cri;
mod join;
mod journal;
mod json_file;
#[cfg(test)]
mod tests;

/// The envelope that a runtime puts around each line of an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Recognises the other formats line by line. This is the default. A JSON object is treated as
    /// a line of Docker only if it has exactly Docker's keys, and as a journal entry only if it has
    /// the fields that `journalctl` always adds. A record with a field `log` or `MESSAGE` therefore
    /// stays unchanged.
    #[default]
    Auto,
    /// No envelope: each line is a record or the message of one.
    Plain,
    /// The format of Kubernetes' container runtime interface, which containerd, CRI-O and Podman
    /// write: `2026-07-01T12:00:00.250000000Z stdout F {…}`.
    Cri,
    /// The format of Docker's `json-file` logging driver:
    /// `{"log":"{…}\n","stream":"stdout","time":"…"}`. If this format is selected, other keys are
    /// ignored.
    JsonFile,
    /// The entries that `journalctl --output=json` prints. If this format is selected, `MESSAGE` is
    /// the only required field.
    Journal,
}

/// A line as the app wrote it, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    /// Whether the line continues in the next piece of the same stream.
    pub(crate) is_partial: bool,
    pub(crate) origin: Origin,
    /// A hash of the entry's cursor in the journal, which is the same each time the entry is read.
    pub(crate) entry: Option<u128>,
}

/// The metadata that an envelope adds to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Origin {
    pub(crate) stream: Stream,
    #[serde(with = "time")]
    pub(crate) time: SystemTime,
    /// The level that the envelope names.
    #[serde(with = "level", skip_serializing_if = "Option::is_none", default)]
    pub(crate) level: Option<Level>,
}

/// The output that the app wrote to. Pieces of different streams can be interleaved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stream {
    Stdout,
    Stderr,
    /// One of the many streams in a journal.
    Journal(u64),
}

impl Format {
    /// Removes the envelope from a line, which is passed without its line end. Returns `None` if
    /// the line has no envelope of this format.
    #[inline]
    pub(crate) fn unwrap(self, line: &[u8]) -> Option<Piece<'_>> {
        match self {
            Self::Auto => match line.first()? {
                b'0'..=b'9' => cri::parse(line),
                b'{' => json_file::parse(line).or_else(|| journal::parse(line)),
                _ => None,
            },
            Self::Plain => None,
            Self::Cri => cri::parse(line),
            Self::JsonFile => json_file::parse_any(line),
            Self::Journal => journal::parse_any(line),
        }
    }
}

impl Stream {
    /// Returns the stream's name in a record.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Stdout => Some("stdout"),
            Self::Stderr => Some("stderr"),
            Self::Journal(_) => None,
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"stdout" => Some(Self::Stdout),
            b"stderr" => Some(Self::Stderr),
            _ => None,
        }
    }
}

impl Origin {
    /// Returns the level of a line that names none.
    ///
    /// Standard error mostly contains panics, aborts and the errors of libraries.
    pub(crate) fn default_level(&self) -> Level {
        match self.stream {
            Stream::Stderr => Level::Error,
            Stream::Stdout | Stream::Journal(_) => Level::Info,
        }
    }
}

/// Serializes times in a checkpoint, in microseconds as in records.
mod time {
    use std::time::SystemTime;

    use openreplay_record::time;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &SystemTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time::text(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        time::parse(&text).ok_or_else(|| D::Error::custom("not a time"))
    }
}

/// Serializes levels in a checkpoint by name.
mod level {
    use openreplay_record::Level;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        level: &Option<Level>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match level {
            Some(level) => serializer.serialize_str(level.as_str()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Level>, D::Error> {
        let word = Option::<String>::deserialize(deserializer)?;
        let level = word.map(|word| word.parse().map_err(D::Error::custom));
        level.transpose()
    }
}
