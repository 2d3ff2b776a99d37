//! Measures the busy and the idle time of a span.

use std::time::{Duration, Instant};

/// The times of a span. Several layers of one subscriber share them: once one layer has ended a
/// period, the next one adds no time.
pub(crate) struct Timing {
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
    since: Instant,
}

impl Timing {
    pub(crate) fn start() -> Self {
        Self {
            busy: Duration::ZERO,
            idle: Duration::ZERO,
            since: Instant::now(),
        }
    }

    pub(crate) fn end_idle(&mut self) {
        self.idle += lap(&mut self.since);
    }

    pub(crate) fn end_busy(&mut self) {
        self.busy += lap(&mut self.since);
    }
}

fn lap(since: &mut Instant) -> Duration {
    let now = Instant::now();
    now - std::mem::replace(since, now)
}
