//! Rate-limited reports to the operator.
//!
//! They do not use `tracing`, since a report would then cause further records.

use std::fmt;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use openreplay_record::terminal;

/// The topic of a report.
///
/// The first report of a topic is printed at once, later ones at most once a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic(&'static str);

impl Topic {
    /// Creates a topic. Topics with the same name are equal.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }
}

const QUIET: Duration = Duration::from_secs(60);

type Handler = Box<dyn Fn(&str) + Send + Sync>;

/// The destination of reports to the operator.
pub struct Diagnostics {
    handler: Handler,
    quiet: Duration,
    /// A list is fast enough for about a dozen topics.
    reports: Mutex<Vec<(Topic, Reported)>>,
}

#[derive(Clone, Copy)]
struct Reported {
    at: Instant,
    /// The number of reports that were not printed since.
    counted: u64,
}

impl Diagnostics {
    /// Prints reports to standard error, each prefixed with a name.
    pub fn to_stderr(name: &'static str) -> Self {
        Self::to(move |text| {
            // Standard error may be closed or on a full disk, which must not stop the program.
            let line = format!("{name}: {text}\n");
            let _ = io::stderr().write_all(line.as_bytes());
        })
    }

    /// Calls a function for each report.
    ///
    /// The function must not block. If the function panics, the panic is caught and the report is
    /// lost.
    pub fn to(handler: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            handler: Box::new(handler),
            quiet: QUIET,
            reports: Mutex::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn never_quiet(self) -> Self {
        Self {
            quiet: Duration::ZERO,
            ..self
        }
    }

    /// Prints a report, or counts it if the last report of its topic is less than a minute old.
    pub fn report(&self, topic: Topic, text: &str) {
        self.report_at(Instant::now(), topic, text);
    }

    /// Returns whether [`report`](Self::report) would only count a report of this topic.
    pub fn is_quiet(&self, topic: Topic) -> bool {
        let last = self
            .reports()
            .iter()
            .find(|(known, _)| *known == topic)
            .copied();
        last.is_some_and(|(_, last)| last.at.elapsed() < self.quiet)
    }

    /// Prints a report even if the last report of its topic is less than a minute old.
    pub fn report_now(&self, topic: Topic, text: &str) {
        let now = Reported {
            at: Instant::now(),
            counted: 0,
        };
        let mut reports = self.reports();
        match reports.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, last)) => *last = now,
            None => reports.push((topic, now)),
        }
        drop(reports);
        self.print(text);
    }

    fn report_at(&self, now: Instant, topic: Topic, text: &str) {
        let mut reports = self.reports();
        let fresh = Reported {
            at: now,
            counted: 0,
        };
        let counted = match reports.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, last)) if now.saturating_duration_since(last.at) < self.quiet => {
                last.counted += 1;
                return;
            }
            Some((_, last)) => std::mem::replace(last, fresh).counted,
            None => {
                reports.push((topic, fresh));
                0
            }
        };
        drop(reports);
        match counted {
            0 => self.print(text),
            count => self.print(&format!("{text} ({count} more like this since)")),
        }
    }

    fn reports(&self) -> MutexGuard<'_, Vec<(Topic, Reported)>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints a message without rate limiting.
    pub fn print(&self, text: &str) {
        // Text of a server or a file must not control a terminal, or look like a line of its own.
        let text = terminal::escape_to_line(text);
        // A panic in the handler must not stop the delivery. The app's panic hook has already
        // reported the panic.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.handler)(&text)));
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diagnostics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const UNREACHABLE: Topic = Topic::new("away");
    const MISSING: Topic = Topic::new("missing");
    const FULL: Topic = Topic::new("full");

    #[test]
    fn a_topic_is_reported_once_a_minute_and_counted_in_between() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let diagnostics = Diagnostics::to(move |text| {
            ear.lock().unwrap().push(text.to_owned());
        });
        let start = Instant::now();
        for second in 0..=60 {
            let now = start + Duration::from_secs(second);
            diagnostics.report_at(now, UNREACHABLE, "nobody\nthere\x1b[2J");
            if second == 1 {
                diagnostics.report_at(now, MISSING, "no logs");
            }
        }
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "nobody there\\u{1b}[2J",
                "no logs",
                "nobody there\\u{1b}[2J (59 more like this since)"
            ]
        );
    }

    #[test]
    fn reports_continue_after_a_handler_panics() {
        let count = Arc::new(Mutex::new(0));
        let counting = Arc::clone(&count);
        let diagnostics = Diagnostics::to(move |text| {
            *counting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            panic!("{text}");
        });
        diagnostics.report(UNREACHABLE, "away");
        diagnostics.report(FULL, "full");
        assert_eq!(*count.lock().unwrap(), 2);
    }

    /// Runs this test in a second process whose standard error fails every write.
    #[test]
    #[cfg(target_os = "linux")]
    fn failed_writes_to_standard_error_are_ignored() {
        const INNER: &str = "OPENREPLAY_BUFFER_TEST_INNER";
        if std::env::var_os(INNER).is_some() {
            let diagnostics = Diagnostics::to_stderr("example");
            diagnostics.report(UNREACHABLE, "away");
            // Not with `report`, which would catch a panic.
            (diagnostics.handler)("full");
            return;
        }
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let name = "diagnostics::tests::failed_writes_to_standard_error_are_ignored";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(INNER, "1")
            .stdout(std::process::Stdio::null())
            .stderr(full)
            .status()
            .unwrap();
        assert!(status.success(), "{status}");
    }
}
