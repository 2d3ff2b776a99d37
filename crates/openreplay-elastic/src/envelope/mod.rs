//! The envelopes that container runtimes and journald put around a line: recognised line by line,
//! and taken off.
//!
//! `cri`, `json_file` and `journal` have a format each, `join` puts the pieces of a long line
//! together again.

use std::borrow::Cow;
use std::time::SystemTime;

use openreplay_record::Level;
use serde::{Deserialize, Serialize};

pub(crate) use self::join::{Join, Line};

mod bytes;
mod cri;
mod join;
mod journal;
mod json_file;
#[cfg(test)]
mod tests;

/// What a runtime puts around the lines of an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Recognises each of the other formats, line by line: the default. A JSON object is taken for
    /// a line of Docker's only if it has exactly Docker's keys, and for an entry of the journal
    /// only if it has the fields that `journalctl` always adds. So a record with a field `log` or
    /// `MESSAGE` remains as it is.
    #[default]
    Auto,
    /// Nothing: each line is a record, or the message of one.
    Plain,
    /// The format of Kubernetes' container runtime interface, which containerd, CRI-O and Podman
    /// write: `2026-07-01T12:00:00.250000000Z stdout F {…}`.
    Cri,
    /// The format of Docker's logging driver `json-file`:
    /// `{"log":"{…}\n","stream":"stdout","time":"…"}`. If it is chosen, other keys do not matter.
    JsonFile,
    /// The entries that `journalctl --output=json` prints. If it is chosen, `MESSAGE` is the only
    /// field that an entry must have.
    Journal,
}

/// A line as the app wrote it, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    /// Whether the rest of the line is in the next piece of the same stream.
    pub(crate) is_partial: bool,
    pub(crate) origin: Origin,
    /// A hash of what names the entry in the journal: the same when the entry is read again.
    pub(crate) entry: Option<u128>,
}

/// What the envelope tells of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Origin {
    pub(crate) stream: Stream,
    #[serde(with = "time")]
    pub(crate) time: SystemTime,
    /// As the envelope names it.
    #[serde(with = "level", skip_serializing_if = "Option::is_none", default)]
    pub(crate) level: Option<Level>,
}

/// What the app wrote to. Pieces of different streams can lie between one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stream {
    Stdout,
    Stderr,
    /// One of the many in a journal.
    Journal(u64),
}

impl Format {
    /// Takes the envelope off a line, which is given without its end; `None` if it has none of this
    /// format.
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
    /// The name that the record shows.
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
    /// The level of a line that names none.
    ///
    /// What runtimes keep of standard error are panics, aborts and what libraries complain of.
    pub(crate) fn default_level(&self) -> Level {
        match self.stream {
            Stream::Stderr => Level::Error,
            Stream::Stdout | Stream::Journal(_) => Level::Info,
        }
    }
}

/// Times in a checkpoint, to the microsecond, as records have them.
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

/// Levels in a checkpoint, by their words.
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
