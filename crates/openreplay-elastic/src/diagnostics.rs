//! What this crate has to say about itself: never through `tracing`, and not over and over.

use std::fmt;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a diagnostic is about: the same topic is not raised again within [`QUIET`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Elasticsearch cannot be reached, or is busy.
    Away,
    /// The credentials are not good for this.
    Credentials,
    /// The alias is not there.
    Missing,
    /// An answer that is none of Elasticsearch's.
    Answer,
    /// The indices behind the alias cannot be written to directly.
    AliasOnly,
    /// A record goes on with its fixed fields only.
    Reduced,
    /// A record was refused.
    Refused,
    /// A line is no record.
    NoObject,
    /// A record is longer than the buffer takes.
    TooLong,
    /// The buffer is full.
    Full,
    /// A defect of our own.
    Defect,
    /// The end, with records left.
    Left,
}

const TOPICS: usize = Topic::Left as usize + 1;

const QUIET: Duration = Duration::from_secs(60);

type Handler = Box<dyn Fn(&str) + Send + Sync>;

/// Says a thing at once the first time, and then at most once a minute with a count.
pub(crate) struct Diagnostics {
    handler: Handler,
    quiet: Duration,
    said: Mutex<[Option<Said>; TOPICS]>,
}

#[derive(Clone, Copy)]
struct Said {
    at: Instant,
    unsaid: u64,
}

impl Diagnostics {
    pub(crate) fn to_stderr() -> Self {
        Self::to(Box::new(|text| {
            // whoever read it may be gone, or its disk full: that is no reason to end
            let line = format!("openreplay-elastic: {text}\n");
            let _ = io::stderr().write_all(line.as_bytes());
        }))
    }

    pub(crate) fn to(handler: Handler) -> Self {
        Self {
            handler,
            quiet: QUIET,
            said: Mutex::new([None; TOPICS]),
        }
    }

    #[cfg(test)]
    pub(crate) fn never_quiet(self) -> Self {
        Self {
            quiet: Duration::ZERO,
            ..self
        }
    }

    pub(crate) fn say(&self, topic: Topic, text: &str) {
        self.say_at(Instant::now(), topic, text);
    }

    /// Whether a topic was raised so short a time ago that [`say`](Self::say) would only count it.
    pub(crate) fn is_quiet(&self, topic: Topic) -> bool {
        let said = self.said()[topic as usize];
        said.is_some_and(|said| said.at.elapsed() < self.quiet)
    }

    /// Says a thing however short a time ago its topic was raised.
    pub(crate) fn say_now(&self, topic: Topic, text: &str) {
        self.said()[topic as usize] = Some(Said {
            at: Instant::now(),
            unsaid: 0,
        });
        self.tell(text);
    }

    fn say_at(&self, now: Instant, topic: Topic, text: &str) {
        let mut all = self.said();
        let said = &mut all[topic as usize];
        let unsaid = match said {
            Some(said) if now.saturating_duration_since(said.at) < self.quiet => {
                said.unsaid += 1;
                return;
            }
            Some(said) => said.unsaid,
            None => 0,
        };
        *said = Some(Said { at: now, unsaid: 0 });
        drop(all);
        match unsaid {
            0 => self.tell(text),
            count => self.tell(&format!("{text} ({count} more like this since)")),
        }
    }

    fn said(&self) -> MutexGuard<'_, [Option<Said>; TOPICS]> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says a thing that has no topic: whoever calls this sees to it that it is not said over and over.
    pub(crate) fn tell(&self, text: &str) {
        // control characters of a far end do not reach a terminal
        let text: String = text
            .chars()
            .map(|char| if char.is_control() { ' ' } else { char })
            .collect();
        // an app's handler that panics must not end the delivery; its panic hook has been told
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

    #[test]
    fn says_a_thing_once_and_then_counts() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let diagnostics = Diagnostics::to(Box::new(move |text| {
            ear.lock().unwrap().push(text.to_owned());
        }));
        let start = Instant::now();
        for second in 0..=60 {
            let now = start + Duration::from_secs(second);
            diagnostics.say_at(now, Topic::Away, "nobody\nthere\x1b[2J");
            if second == 1 {
                diagnostics.say_at(now, Topic::Missing, "no logs");
            }
        }
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "nobody there [2J",
                "no logs",
                "nobody there [2J (59 more like this since)"
            ]
        );
    }

    #[test]
    fn a_handler_that_panics_ends_nothing() {
        let count = Arc::new(Mutex::new(0));
        let counting = Arc::clone(&count);
        let diagnostics = Diagnostics::to(Box::new(move |text| {
            *counting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            panic!("{text}");
        }));
        diagnostics.say(Topic::Away, "away");
        diagnostics.say(Topic::Full, "full");
        assert_eq!(*count.lock().unwrap(), 2);
    }

    /// Runs itself once more, with a standard error that takes nothing.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_standard_error_that_fails_ends_nothing() {
        const INNER: &str = "OPENREPLAY_ELASTIC_TEST_INNER";
        if std::env::var_os(INNER).is_some() {
            let diagnostics = Diagnostics::to_stderr();
            diagnostics.say(Topic::Away, "away");
            // not through `say`, which would catch a panic
            (diagnostics.handler)("full");
            return;
        }
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let name = "diagnostics::tests::a_standard_error_that_fails_ends_nothing";
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
