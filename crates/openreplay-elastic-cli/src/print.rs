//! Output for people: colours on a terminal only, and no foreign text that could control it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use openreplay_record::terminal;
use serde::Serialize;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();

/// Prints a result for programs on standard output.
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    let text = terminal::escape_json(&text);
    unless_closed(writeln!(io::stdout().lock(), "{text}"))
}

/// Prints a text of many lines on standard output.
pub(crate) fn bytes(text: &[u8]) -> io::Result<()> {
    unless_closed(io::stdout().lock().write_all(text))
}

/// Prints a line of the result on standard output.
pub(crate) fn line(text: &str) -> io::Result<()> {
    unless_closed(writeln!(anstream::stdout().lock(), "{text}"))
}

/// Prints the fields of OpenReplay's form with their values, on standard output.
pub(crate) fn form(fields: &[(&str, &str)]) -> io::Result<()> {
    note("In OpenReplay: Preferences, Integrations, Elasticsearch; then \"Add\":\n");
    for (field, value) in fields {
        line(&format!("  {BOLD}{field:<11}{BOLD:#} {}", one_line(value)))?;
    }
    Ok(())
}

/// Ignores a closed pipe: a reader such as `head` does not change the outcome.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints a message on standard error.
pub(crate) fn note(text: &str) {
    // if standard error is closed, nobody reads the message
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Prints an error and its causes on standard error.
pub(crate) fn error(text: &str, causes: &[String]) {
    let mut text = format!("{RED}error:{RED:#} {}", paragraph(text));
    for cause in causes {
        let _ = write!(text, "\n  {DIM}because:{DIM:#} {}", paragraph(cause));
    }
    note(&text);
}

/// Prints a warning on standard error.
pub(crate) fn warning(text: &str) {
    note(&format!("{YELLOW}warning:{YELLOW:#} {}", paragraph(text)));
}

/// Escapes untrusted text, including its line feeds, so that no part of it can begin a line that
/// looks like a message of its own.
pub(crate) fn one_line(text: &str) -> String {
    terminal::escape(text).replace('\n', "\\n")
}

/// Escapes untrusted text, and indents its lines, so that none looks like a message of its own.
pub(crate) fn paragraph(text: &str) -> String {
    terminal::escape(text).replace('\n', "\n      ")
}

/// A path, as part of a line.
pub(crate) fn path(path: &Path) -> String {
    one_line(&path.display().to_string())
}

/// A number of things, with what is true of one or of several.
pub(crate) fn count(number: u64, one: &str, several: &str) -> String {
    let what = if number == 1 { one } else { several };
    format!("{number} {what}")
}
