//! The values of fields, as the inside of a JSON string.

use std::{
    error::Error,
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{CUT, escape::escape};

/// How many causes of an error are followed: some errors are their own cause.
const MAX_CAUSES: usize = 32;

const PANICKED: &str = "… [panicked while being written]";
const FAILED: &str = "… [failed to be written]";

/// Appends what a user's `Debug` writes, up to a number of bytes, and says whether there is a line break in it.
///
/// A `Debug` that panics or fails costs its own value and no more.
pub(super) fn debug(out: &mut Vec<u8>, limit: usize, value: &dyn fmt::Debug) -> bool {
    let mut text = Text {
        end: out.len() + limit,
        out,
        lines: false,
        cut: false,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| write!(text, "{value:?}")));
    let note = match outcome {
        _ if text.cut => CUT,
        Ok(Ok(())) => "",
        Ok(Err(_)) => FAILED,
        Err(_) => PANICKED,
    };
    let lines = text.lines;
    out.extend_from_slice(note.as_bytes());
    lines
}

pub(super) fn display(out: &mut Vec<u8>, limit: usize, value: &dyn fmt::Display) -> bool {
    debug(out, limit, &format_args!("{value}"))
}

pub(super) fn str(out: &mut Vec<u8>, limit: usize, value: &str) {
    if value.len() <= limit {
        escape(out, value.as_bytes());
    } else {
        escape(out, &value.as_bytes()[..boundary(value, limit)]);
        out.extend_from_slice(CUT.as_bytes());
    }
}

/// The way that `tracing` itself shows bytes: `[00 ff]`.
pub(super) fn bytes(out: &mut Vec<u8>, limit: usize, value: &[u8]) {
    struct Hex<'a>(&'a [u8]);

    impl fmt::Display for Hex<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut separator = "[";
            for byte in self.0 {
                write!(f, "{separator}{byte:02x}")?;
                separator = " ";
            }
            f.write_str(if self.0.is_empty() { "[]" } else { "]" })
        }
    }

    display(out, limit, &Hex(value));
}

/// The errors that led to this one, nearest first.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(source(error), |cause| source(*cause)).take(MAX_CAUSES)
}

fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    catch_unwind(AssertUnwindSafe(|| error.source())).unwrap_or_default()
}

struct Text<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
    lines: bool,
    cut: bool,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.end.saturating_sub(self.out.len());
        let text = if text.len() <= room {
            text
        } else {
            self.cut = true;
            &text[..boundary(text, room)]
        };
        let escaped = escape(self.out, text.as_bytes());
        self.lines |= escaped && text.contains('\n');
        if self.cut { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The largest boundary of a character up to `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}
