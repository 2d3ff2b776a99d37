//! The format of Docker's `json-file` logging driver: one object per line.
//!
//! Docker writes it in `daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go`, and splits lines in
//! `daemon/logger/copier.go`. Docker does not mark the pieces of a line: their text merely lacks
//! the line feed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str;

use openreplay_record::time;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Origin, Piece, Stream};

/// Docker splits a line where its buffer of this size is full. A shorter text without a line feed
/// is the end of the container's output.
const FULL: usize = 16 * 1024;

/// Exactly Docker's keys. `attrs` is present if the driver's options `labels`, `env` or `tag` are
/// set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(rename = "attrs")]
    _attrs: Option<BTreeMap<String, IgnoredAny>>,
}

/// The same keys, among any others.
#[derive(Deserialize)]
struct AnyLine<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

pub(super) fn parse(line: &[u8]) -> Option<Piece<'_>> {
    // Docker writes this key first, so other lines need not be parsed
    if !line.starts_with(br#"{"log":""#) {
        return None;
    }
    let Line {
        log, stream, time, ..
    } = serde_json::from_slice(line).ok()?;
    piece(log, &stream, &time)
}

pub(super) fn parse_any(line: &[u8]) -> Option<Piece<'_>> {
    let AnyLine { log, stream, time } = serde_json::from_slice(line).ok()?;
    piece(log, &stream, &time)
}

fn piece<'a>(log: Cow<'a, str>, stream: &str, time: &str) -> Option<Piece<'a>> {
    let origin = Origin {
        stream: Stream::named(stream.as_bytes())?,
        time: time::parse(time)?,
        level: None,
    };
    let has_end = log.ends_with('\n');
    let is_partial = !has_end && log.len() >= FULL;
    let mut text = match log {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    if has_end {
        match &mut text {
            Cow::Borrowed(text) => *text = &text[..text.len() - 1],
            Cow::Owned(text) => text.truncate(text.len() - 1),
        }
    }
    Some(Piece {
        text,
        is_partial,
        origin,
        entry: None,
    })
}
