use std::time::{SystemTime, UNIX_EPOCH};

use openreplay_buffer::Framing;

use super::frame::{Action, LENGTH, OVERHEAD};

/// The digits in the order of their bytes, so that ids sort as the numbers they stand for.
const DIGITS: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

const TIME: usize = 8;
const SOURCE: usize = 8;

/// Creates `_id`s: the time in milliseconds, the source (48 random bits), a count.
///
/// They sort by time, which is cheap for Elasticsearch; the count never starts again, so a clock
/// that jumps back makes no id twice.
#[derive(Debug)]
pub(crate) struct Ids {
    next: Action,
    count: u64,
}

impl Ids {
    pub(crate) fn new(source: u64) -> Self {
        let mut ids = Self {
            next: Action::new([DIGITS[0]; LENGTH]),
            count: 0,
        };
        write_digits(source, &mut ids.next.id_mut()[TIME..TIME + SOURCE]);
        ids.set_time(SystemTime::now());
        ids
    }

    /// Sets the time of the ids to come: once a chunk is exact enough.
    pub(crate) fn set_time(&mut self, now: SystemTime) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        write_digits(millis, &mut self.next.id_mut()[..TIME]);
    }

    pub(crate) fn next(&mut self) -> &Action {
        let count = self.count;
        self.count += 1;
        change_digits(count, self.count, &mut self.next.id_mut()[TIME + SOURCE..]);
        &self.next
    }
}

/// Each line as `_bulk` wants it, under an `_id` of its own.
impl Framing for Ids {
    const OVERHEAD: usize = OVERHEAD;

    #[inline]
    fn frame(&mut self, out: &mut Vec<u8>, line: &[u8]) {
        self.next().frame(out, line);
    }

    fn tick(&mut self, now: SystemTime) {
        self.set_time(now);
    }
}

/// Fills `digits` with a number, the lowest digit last.
pub(crate) fn write_digits(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number & 63) as usize];
        number >>= 6;
    }
}

/// Makes digits that show `old` show `new`: next to nothing where the two are near each other.
pub(crate) fn change_digits(mut old: u64, mut new: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        if old == new {
            return;
        }
        *digit = DIGITS[(new & 63) as usize];
        (old, new) = (old >> 6, new >> 6);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_sort_by_time_and_then_by_count(source: u64, times in prop::collection::vec(0..1_u64 << 47, 1..20)) {
            let mut ids = Ids::new(source);
            let mut made = Vec::new();
            for time in times {
                ids.set_time(UNIX_EPOCH + Duration::from_millis(time));
                for _ in 0..3 {
                    let id = ids.next().id().to_vec();
                    prop_assert!(id.iter().all(|byte| DIGITS.contains(byte)));
                    made.push((time, made.len(), id));
                }
            }
            let mut sorted = made.clone();
            sorted.sort();
            made.sort_by_key(|(_, _, id)| id.clone());
            prop_assert_eq!(made, sorted);
        }
    }

    proptest! {
        #[test]
        fn changed_digits_are_those_of_the_number(old: u64, new: u64, near in 0..100_000_u64) {
            for new in [new, old.saturating_add(near)] {
                let (mut changed, mut written) = ([0; 11], [0; 11]);
                write_digits(old, &mut changed);
                change_digits(old, new, &mut changed);
                write_digits(new, &mut written);
                prop_assert_eq!(changed, written);
            }
        }
    }

    #[test]
    fn two_sources_share_no_id() {
        let (mut one, mut other) = (Ids::new(1), Ids::new(2));
        one.set_time(UNIX_EPOCH);
        other.set_time(UNIX_EPOCH);
        assert_ne!(one.next().id(), other.next().id());
        assert_eq!(one.next().id(), b"---------------0------1");
    }
}
