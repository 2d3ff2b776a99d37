//! The log format of Kubernetes' container runtime interface (CRI): time, stream, tags and content,
//! separated by one space each.
//!
//! Kubernetes reads it with `parseCRILog` in `staging/src/k8s.io/cri-client/pkg/logs/logs.go`.

use std::str;

use openreplay_record::time;

use super::{Origin, Piece, Stream};

/// The length of the longest time, which has nanoseconds and an offset.
const LONGEST_TIME: usize = 35;

pub(super) fn parse(line: &[u8]) -> Option<Piece<'_>> {
    let (time, rest) = word(&line[..line.len().min(LONGEST_TIME + 1)], line)?;
    let (stream, rest) = word(rest, rest)?;
    let stream = Stream::named(stream)?;
    let (tags, text) = word(rest, rest)?;
    // more tags may follow the first
    let is_partial = match tags.split(|byte| *byte == b':').next()? {
        b"P" => true,
        b"F" => false,
        _ => return None,
    };
    let time = time::parse(str::from_utf8(time).ok()?)?;
    Some(Piece {
        text: text.into(),
        is_partial,
        origin: Origin {
            stream,
            time,
            level: None,
        },
        entry: None,
    })
}

/// Splits a line at the first space within `start`, its beginning.
fn word<'a>(start: &[u8], line: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let end = memchr::memchr(b' ', start)?;
    Some((&line[..end], &line[end + 1..]))
}
