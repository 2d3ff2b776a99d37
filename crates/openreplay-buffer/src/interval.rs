use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

/// How long records are gathered before they are sent.
///
/// All writers that share a clock end their intervals at the same moments, so the records of one
/// interval become searchable before any of the next. The writers do not all send at once: records
/// of requests that are processed at the same time would lie in parts of the index that overlap.
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

    /// Returns how long to wait after the interval before sending: a random time, at most a quarter
    /// of it and of a second.
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
        /// Two writers that look at the clock at any two moments of an interval see the same end: a
        /// whole multiple of its length.
        #[test]
        fn all_writers_end_their_intervals_at_the_same_moments(
            millis in 1..100_000_u64,
            number in 0..1_000_000_u64,
            moments in prop::array::uniform2(0.0..1.0_f64),
        ) {
            let length = Duration::from_millis(millis);
            let start = Duration::from_millis(millis * number);
            let ends = moments.map(|moment| end(Interval::new(length), start + length.mul_f64(moment)));
            prop_assert_eq!(ends, [start + length; 2]);
        }

        /// Records that come in together would lie in parts of the index that overlap.
        #[test]
        fn writers_send_at_different_moments_of_the_next_quarter(millis in 1..10_000_u64, seed: u64) {
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
    fn an_interval_without_a_length_is_over_at_once_and_one_without_an_end_is_a_year() {
        let now = Duration::from_secs(1_700_000_000);
        assert_eq!(end(Interval::new(Duration::ZERO), now), now);
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        assert!(end(Interval::new(Duration::MAX), now) <= now + year);
    }
}
