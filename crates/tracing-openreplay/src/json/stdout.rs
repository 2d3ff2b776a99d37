//! A writer for standard output, which may be non-blocking.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use openreplay_record::terminal;
use tracing_subscriber::fmt::MakeWriter;

/// The maximum time that a record waits for the reader.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(1);

/// Whether the last record was lost because the reader was too slow. Until a record can be written,
/// further records do not wait.
static IS_STALLED: AtomicBool = AtomicBool::new(false);

/// A writer for standard output, the default of [`json()`](crate::json()).
///
/// If a process inherits a non-blocking standard output and the pipe is full, [`io::stdout`] fails
/// with [`WouldBlock`](io::ErrorKind::WouldBlock) in the middle of a record. This writer retries
/// for up to one second. If the reader is slower, the record is lost, and further records are tried
/// only once each until one is written.
///
/// If standard output is a terminal, characters outside ASCII that can control the terminal or are
/// invisible are written as JSON escapes, such as `\u009b`.
///
/// ```
/// use tracing_openreplay::{Stdout, json};
/// use tracing_subscriber::fmt::writer::MakeWriterExt as _;
///
/// // writes records to both standard output and standard error
/// let layer = json().with_writer(Stdout.and(std::io::stderr));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "its name is its only value")]
pub struct Stdout;

impl<'a> MakeWriter<'a> for Stdout {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let visible = visible(bytes, is_terminal());
        let mut bytes = &visible[..];
        let mut out = io::stdout().lock();
        let mut patience = Patience::default();
        loop {
            // After a partial write, the standard library's buffer holds the rest of the line.
            let written = if bytes.is_empty() {
                out.flush().map(|()| None)
            } else {
                out.write(bytes).map(Some)
            };
            match written {
                Ok(None) => break,
                Ok(Some(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(Some(written)) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => patience.wait(error)?,
                Err(error) => return Err(error),
            }
        }
        if IS_STALLED.load(Ordering::Relaxed) {
            IS_STALLED.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

fn is_terminal() -> bool {
    static IS_TERMINAL: OnceLock<bool> = OnceLock::new();
    *IS_TERMINAL.get_or_init(|| io::stdout().is_terminal())
}

/// Returns the line for standard output. JSON does not escape characters outside ASCII, some of
/// which control a terminal.
fn visible(line: &[u8], is_terminal: bool) -> Cow<'_, [u8]> {
    if is_terminal && let Ok(Cow::Owned(escaped)) = str::from_utf8(line).map(terminal::escape_json)
    {
        return Cow::Owned(escaped.into_bytes());
    }
    Cow::Borrowed(line)
}

#[derive(Default)]
struct Patience {
    since: Option<Instant>,
}

impl Patience {
    #[cold]
    fn wait(&mut self, error: io::Error) -> io::Result<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if IS_STALLED.load(Ordering::Relaxed) || since.elapsed() > PATIENCE {
            IS_STALLED.store(true, Ordering::Relaxed);
            return Err(error);
        }
        thread::sleep(PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_gets_escapes_and_the_values_are_the_same() {
        let line = "{\"message\":\"\u{9b}31m\u{202e}é\"}\n";
        assert_eq!(visible(line.as_bytes(), false), line.as_bytes());
        let shown = "{\"message\":\"\\u009b31m\\u202eé\"}\n";
        assert_eq!(visible(line.as_bytes(), true), shown.as_bytes());
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(shown), value(line));
    }
}
