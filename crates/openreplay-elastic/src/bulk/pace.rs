//! How soon something is tried again.

use std::time::Duration;

/// How soon it makes sense to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// The other side is busy or unreachable for a moment.
    Soon,
    /// Somebody has to fix something first.
    Slow,
}

/// How to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    pub(crate) pace: Pace,
    /// The server's `Retry-After`.
    pub(crate) at_least: Option<Duration>,
}

impl From<Pace> for Retry {
    fn from(pace: Pace) -> Self {
        Self {
            pace,
            at_least: None,
        }
    }
}

/// A moment, however often somebody flushes.
const MOMENT: Duration = Duration::from_millis(50);

/// How long to wait before another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// All of it; a flush does not wait that long.
    pub(crate) whole: Duration,
    /// The server's `Retry-After`, and at least a moment: only the end does not wait that long.
    pub(crate) least: Duration,
}

/// Returns the pause before the next attempt. It doubles, with `jitter` (0 to 1) so that many
/// senders do not return at once.
pub(crate) fn pause(attempts: u32, retry: Retry, jitter: f64) -> Pause {
    let (first, most) = match retry.pace {
        Pace::Soon => (Duration::from_millis(100), Duration::from_secs(5)),
        Pace::Slow => (Duration::from_secs(1), Duration::from_secs(30)),
    };
    let doubled = first.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let own = doubled
        .min(most)
        .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    let required = retry.at_least.unwrap_or_default();
    let whole = own.max(required);
    Pause {
        whole,
        least: required.max(MOMENT).min(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_up_to_a_limit() {
        let limited = Retry {
            at_least: Some(Duration::from_secs(7)),
            ..Pace::Soon.into()
        };
        let (soon, slow) = (Pace::Soon.into(), Pace::Slow.into());
        for (attempts, retry, jitter, whole, least) in [
            (1, soon, 1.0, 100, 50),
            (1, soon, 0.0, 50, 50),
            (2, soon, 1.0, 200, 50),
            (99, soon, 1.0, 5_000, 50),
            (1, slow, 1.0, 1_000, 50),
            (99, slow, 0.0, 15_000, 50),
            (1, limited, 0.0, 7_000, 7_000),
        ] {
            let expected = Pause {
                whole: Duration::from_millis(whole),
                least: Duration::from_millis(least),
            };
            assert_eq!(pause(attempts, retry, jitter), expected);
        }
    }
}
