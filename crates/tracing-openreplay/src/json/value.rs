//! Writes the values of fields into a JSON string.

use std::{
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::escape::{CUT, escape};
use crate::text::{FAILED, Hex, PANICKED};

/// Appends the `Debug` output of a value, up to `limit` bytes. Returns whether it contains a line
/// break.
///
/// If the `Debug` implementation panics or fails, only the rest of this value is lost.
pub(super) fn debug(out: &mut Vec<u8>, limit: usize, value: &dyn fmt::Debug) -> bool {
    let mut text = Text {
        end: out.len().saturating_add(limit),
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

pub(super) fn bytes(out: &mut Vec<u8>, limit: usize, value: &[u8]) {
    display(out, limit, &Hex(value));
}

struct Text<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
    lines: bool,
    cut: bool,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Err(fmt::Error);
        }
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

/// Returns the last character boundary up to `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Contained;

    #[test]
    fn a_value_that_is_cut_has_not_failed() {
        let mut out = Vec::new();
        // The last character does not fit, and leaves room for the beginning of another mark.
        debug(&mut out, 4, &Contained(&format_args!("a😀")));
        assert_eq!(str::from_utf8(&out).unwrap(), format!("a{CUT}"));
    }
}
