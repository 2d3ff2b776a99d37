//! Tests each parser against a writer of its format, and the resulting records.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openreplay_record::{Level, time};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::document;

mod cri;
mod journal;
mod json_file;
mod records;

/// The time of each line below.
const TIME: &str = "2026-07-01T12:00:00.250000Z";

fn at() -> SystemTime {
    time::parse(TIME).unwrap()
}

fn any_time() -> impl Strategy<Value = SystemTime> {
    (0..253_402_300_800_000_000_u64).prop_map(|micros| UNIX_EPOCH + Duration::from_micros(micros))
}

/// Lines of an app without their line feeds. Some are longer than a piece.
fn any_line() -> impl Strategy<Value = String> {
    let long = (r#"[a-z"\\ é]{1,9}"#, 1..9_000_usize).prop_map(|(word, times)| word.repeat(times));
    prop_oneof![4 => ".{0,80}", 1 => long].prop_map(|line| line.replace(['\n', '\r'], ""))
}

fn any_stream() -> impl Strategy<Value = Stream> {
    prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)]
}

/// Returns the lines of a file after joining, each with its stream.
fn joined(format: Format, file: &[u8]) -> Vec<(Stream, Vec<u8>)> {
    let mut join = Join::default();
    let mut lines = Vec::new();
    for (number, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let Some(piece) = format.unwrap(line) else {
            assert!(line.is_empty(), "{}", String::from_utf8_lossy(line));
            continue;
        };
        let line = join.take(piece, number);
        lines.extend(line.map(|line| (line.origin.stream, line.text.into_owned())));
    }
    lines
}

proptest! {
    #[test]
    fn parsers_accept_any_bytes(line in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Auto, Format::Plain, Format::Cri, Format::JsonFile, Format::Journal] {
            format.unwrap(&line);
        }
    }

    #[test]
    fn parsers_accept_any_damaged_line(
        line in any_line(), stream in any_stream(), time in any_time(), at in any::<prop::sample::Index>(), byte: u8, cut: bool
    ) {
        for (format, mut wrapped) in [
            (Format::Cri, cri::Writer::new(time).lines(stream, &[line.as_bytes()])),
            (Format::JsonFile, json_file::line(&line, stream, time).into_bytes()),
            (Format::Journal, journal::entry(line.as_bytes(), time).to_string().into_bytes()),
        ] {
            let at = at.index(wrapped.len());
            if cut {
 wrapped.truncate(at);
 } else {
 wrapped[at] = byte;
 }
            for format in [Format::Auto, format] {
                for line in wrapped.split(|byte| *byte == b'\n') {
                    format.unwrap(line);
                }
            }
        }
    }
}
