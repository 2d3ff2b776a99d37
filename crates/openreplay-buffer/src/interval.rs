use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

/// The time for which records are collected before they are sent.
///
/// Intervals start at multiples of their length since the Unix epoch. All writers with the same
/// clock therefore end their intervals at the same time, so the records of one interval become
/// searchable before those of the next. Each writer then waits for a random delay, because requests
/// that Elasticsearch processes at the same time would be stored in overlapping parts of the index.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    length: Duration,
}

impl Interval {
    /// Creates an interval of the given length, at most a year.
    pub fn new(length: Duration) -> Self {
        // The end of a longer interval may overflow the clock.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        Self {
            length: length.min(YEAR),
        }
    }

    /// Returns the time until the current interval ends.
    pub(crate) fn ends(self, now: SystemTime) -> Duration {
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let past = since.unwrap_or_default().as_nanos() % self.length.as_nanos().max(1);
        // A year in nanoseconds fits into a `u64`.
        self.length - Duration::from_nanos(u64::try_from(past).unwrap_or_default())
    }

    /// Returns a random time to wait after the interval before sending, at most a quarter of the
    /// interval and a quarter of a second.
    pub(crate) fn delay(self) -> Duration {
        self.length.min(SECOND).mul_f64(fastrand::f64() / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end(interval: Interval, now: Duration) -> Duration {
        now + interval.ends(SystemTime::UNIX_EPOCH + now)
    }

    proptest! {
        /// At any two moments of an interval, two writers compute the same end, which is a multiple
        /// of the interval's length.
        #[test]
        fn all_writers_end_their_intervals_at_the_same_time(
            millis in 1..100_000_u64,
            number in 0..1_000_000_u64,
            moments in prop::array::uniform2(0.0..1.0_f64),
        ) {
            let length = Duration::from_millis(millis);
            let start = Duration::from_millis(millis * number);
            let ends = moments.map(|moment| end(Interval::new(length), start + length.mul_f64(moment)));
            prop_assert_eq!(ends, [start + length; 2]);
        }

        /// Requests that arrive together would be stored in overlapping parts of the index.
        #[test]
        fn writers_send_at_different_times_after_an_interval(millis in 1..10_000_u64, seed: u64) {
            fastrand::seed(seed);
            let length = Duration::from_millis(millis);
            let delays: Vec<_> = (0..64).map(|_| Interval::new(length).delay()).collect();
            let most = length.min(SECOND) / 4;
            prop_assert!(delays.iter().all(|delay| *delay <= most));
            let in_half = |half: bool| delays.iter().filter(|delay| (**delay > most / 2) == half).count();
            prop_assert!(in_half(true) > 5 && in_half(false) > 5, "{:?}", delays);
        }
    }

    #[test]
    fn an_interval_of_zero_ends_at_once_and_the_longest_lasts_a_year() {
        let now = Duration::from_secs(1_700_000_000);
        assert_eq!(end(Interval::new(Duration::ZERO), now), now);
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        assert!(end(Interval::new(Duration::MAX), now) <= now + year);
    }
}
