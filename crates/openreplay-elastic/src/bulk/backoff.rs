//! How long to wait before another attempt.

use std::time::Duration;

/// Which backoff an attempt that failed is followed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Backoff {
    /// The other side is busy or unreachable for a moment.
    Short,
    /// Somebody has to fix something first.
    Long,
}

/// How to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    pub(crate) backoff: Backoff,
    /// The server's `Retry-After`.
    pub(crate) at_least: Option<Duration>,
}

impl From<Backoff> for Retry {
    fn from(backoff: Backoff) -> Self {
        Self {
            backoff,
            at_least: None,
        }
    }
}

/// What comes before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BeforeRetry {
    pub(crate) retry: Retry,
    /// Which delay of its backoff it is, from 1.
    pub(crate) nth: u32,
    /// How many records may be set aside, so that they do not hold up the others.
    pub(crate) set_aside: usize,
}

/// A moment, however often somebody flushes.
const MOMENT: Duration = Duration::from_millis(50);

/// The time until another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delay {
    /// All of it; a flush does not wait that long.
    pub(crate) full: Duration,
    /// The server's `Retry-After`, and at least a moment: only the end does not wait that long.
    pub(crate) at_least: Duration,
}

/// Returns the delay before the next attempt. It doubles, with `jitter` (0 to 1) so that many
/// senders do not return at once.
pub(crate) fn delay(attempts: u32, retry: Retry, jitter: f64) -> Delay {
    let (first, most) = match retry.backoff {
        Backoff::Short => (Duration::from_millis(100), Duration::from_secs(5)),
        Backoff::Long => (Duration::from_secs(1), Duration::from_secs(30)),
    };
    let doubled = first.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let own = doubled
        .min(most)
        .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    let required = retry.at_least.unwrap_or_default();
    let full = own.max(required);
    Delay {
        full,
        at_least: required.max(MOMENT).min(full),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_up_to_a_limit() {
        let limited = Retry {
            at_least: Some(Duration::from_secs(7)),
            ..Backoff::Short.into()
        };
        let (short, long) = (Backoff::Short.into(), Backoff::Long.into());
        for (attempts, retry, jitter, full, at_least) in [
            (1, short, 1.0, 100, 50),
            (1, short, 0.0, 50, 50),
            (2, short, 1.0, 200, 50),
            (99, short, 1.0, 5_000, 50),
            (1, long, 1.0, 1_000, 50),
            (99, long, 0.0, 15_000, 50),
            (1, limited, 0.0, 7_000, 7_000),
        ] {
            let expected = Delay {
                full: Duration::from_millis(full),
                at_least: Duration::from_millis(at_least),
            };
            assert_eq!(delay(attempts, retry, jitter), expected);
        }
    }
}
