//! Measures the busy and the idle time of a span.

use std::time::{Duration, Instant};

/// The times of a span. Several layers of one subscriber share them.
pub(crate) struct Timing {
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
    since: Instant,
    /// The number of times that the span has been entered and not left yet, once for each layer. A
    /// span may be entered again while it is entered, also on several threads.
    entered: usize,
}

impl Timing {
    pub(crate) fn start() -> Self {
        Self {
            busy: Duration::ZERO,
            idle: Duration::ZERO,
            since: Instant::now(),
            entered: 0,
        }
    }

    pub(crate) fn enter(&mut self) {
        if self.entered == 0 {
            self.end_idle();
        }
        self.entered += 1;
    }

    pub(crate) fn exit(&mut self) {
        // A layer that was added while the span was entered leaves it without having entered it.
        self.entered = self.entered.saturating_sub(1);
        if self.entered == 0 {
            self.busy += lap(&mut self.since);
        }
    }

    pub(crate) fn end_idle(&mut self) {
        self.idle += lap(&mut self.since);
    }
}

fn lap(since: &mut Instant) -> Duration {
    let now = Instant::now();
    now - std::mem::replace(since, now)
}
