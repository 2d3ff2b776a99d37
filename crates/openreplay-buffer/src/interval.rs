use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

/// How long records are gathered before they are sent.
///
/// All writers that share a clock end their intervals at the same moments, so the records of one interval become searchable before any
/// of the next. The writers do not all send at once: records of requests that are processed at the same time would lie in parts of
/// the index that overlap.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    length: Duration,
}

impl Interval {
    /// Creates an interval. More than a year counts as a year.
    pub fn new(length: Duration) -> Self {
        // The clock may not be able to show the end of a longer one.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        Self {
            length: length.min(YEAR),
        }
    }

    /// Returns how long the current interval still lasts.
    pub(crate) fn ends(self, now: SystemTime) -> Duration {
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let past = since.unwrap_or_default().as_nanos() % self.length.as_nanos().max(1);
        // A year of nanoseconds is far below the limit.
        self.length - Duration::from_nanos(u64::try_from(past).unwrap_or_default())
    }

    /// Returns how long to wait after the interval before sending: a random time, at most a quarter of it and of a second.
    pub(crate) fn delay(self) -> Duration {
        self.length.min(SECOND).mul_f64(fastrand::f64() / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_writers_end_their_intervals_at_the_same_moments() {
        let ms = Duration::from_millis;
        for (length, past, left) in [
            (ms(1_000), ms(0), ms(1_000)),
            (ms(1_000), ms(999), ms(1)),
            (ms(250), ms(1_300), ms(200)),
            (ms(0), ms(7), ms(0)),
        ] {
            let interval = Interval::new(length);
            assert_eq!(interval.ends(SystemTime::UNIX_EPOCH + past), left);
            assert!(interval.delay() <= length / 4);
        }
        let interval = Interval::new(Duration::MAX);
        let now = SystemTime::now();
        let ends = now + interval.ends(now);
        let later = now + interval.ends(now) / 2;
        assert_eq!(ends, later + interval.ends(later));
    }
}
