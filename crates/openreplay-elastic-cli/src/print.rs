//! Output for people: colours on a terminal only, and nothing of a record that could steer one.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();

/// A result for programs, on standard output.
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    unless_gone(io::stdout().lock().write_all(&text))
}

/// A line of the result, on standard output.
pub(crate) fn line(text: &str) -> io::Result<()> {
    unless_gone(writeln!(anstream::stdout().lock(), "{text}"))
}

/// The reader may have closed the pipe, which does not change the outcome.
fn unless_gone(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A word to the person who waits, on standard error.
pub(crate) fn note(text: &str) {
    // there is no one left to tell where standard error is closed
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

pub(crate) fn error(text: &str, causes: &[String]) {
    let mut text = format!("{RED}error:{RED:#} {}", tame(text));
    for cause in causes {
        let _ = write!(text, "\n  {DIM}because:{DIM:#} {}", tame(cause));
    }
    note(&text);
}

/// Shows control characters as what they are, but for line ends and tabs.
pub(crate) fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            tamed.extend(c.escape_default());
        } else {
            tamed.push(c);
        }
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_record_steers_the_terminal() {
        assert_eq!(
            tame("a\u{1b}[31mb\u{9b}1m\r\n\tc"),
            "a\\u{1b}[31mb\\u{9b}1m\\r\n\tc"
        );
    }
}
