use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

/// When something is sent: when the interval is over, or there is so much.
///
/// All writers that share a clock end their intervals at the same moments, so that what was logged in one of them becomes searchable
/// before anything of the next. They do not all send at once: records that come in together, in requests that are worked on at
/// the same time, would lie in parts of the index that overlap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    length: Duration,
    /// So much is sent before it is over.
    pub(super) bytes: usize,
}

impl Interval {
    pub(super) fn new(length: Duration, bytes: usize) -> Self {
        // what is longer than any process lives, the clock may not be able to show
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        Self {
            length: length.min(YEAR),
            bytes,
        }
    }

    /// When the interval that goes on now will be over.
    pub(super) fn ends(self, now: SystemTime) -> Duration {
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let past = since.unwrap_or_default().as_nanos() % self.length.as_nanos().max(1);
        // a year of nanoseconds is far from the limit
        self.length - Duration::from_nanos(u64::try_from(past).unwrap_or_default())
    }

    /// How much later its records are sent: a quarter of it, or of a second, at most.
    pub(super) fn delay(self) -> Duration {
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
            let interval = Interval::new(length, 1);
            assert_eq!(interval.ends(SystemTime::UNIX_EPOCH + past), left);
            assert!(interval.delay() <= length / 4);
        }
        let interval = Interval::new(Duration::MAX, 1);
        let now = SystemTime::now();
        let ends = now + interval.ends(now);
        let later = now + interval.ends(now) / 2;
        assert_eq!(ends, later + interval.ends(later));
    }
}
