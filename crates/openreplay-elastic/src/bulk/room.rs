//! How large a request may be: a proxy in front of the engine tells only by 413.

/// After so many accepted requests, a little more is tried: somebody may have raised the limit.
const PASSED: u32 = 32;

/// What is known of the limit, in bytes before compression: some limits count those, and the others count about in proportion.
#[derive(Debug, Default)]
pub(super) struct Room {
    bytes: Option<usize>,
    passed: u32,
    longest: usize,
}

impl Room {
    /// Returns the length that a longer request is cut to.
    pub(super) fn limit(&self) -> usize {
        self.bytes.unwrap_or(usize::MAX)
    }

    /// Whether a request of this length can be too much: a longer one was accepted, unless the limit was changed since.
    pub(super) fn may_be_too_much(&self, bytes: usize) -> bool {
        bytes > self.longest
    }

    /// A request of this length was rejected as too much. The next time, it is believed.
    pub(super) fn too_much(&mut self, bytes: usize) {
        if self.may_be_too_much(bytes) {
            self.bytes = Some(self.limit().min(bytes / 2));
            self.passed = 0;
        }
        self.longest = 0;
    }

    /// A request of this length was accepted.
    pub(super) fn passed(&mut self, bytes: usize) {
        self.longest = self.longest.max(bytes);
        let Some(limit) = self.bytes else { return };
        if bytes >= limit / 2 {
            self.passed += 1;
        }
        let mut limit = limit.max(bytes);
        if self.passed >= PASSED {
            self.passed = 0;
            limit = limit.saturating_add(limit / 2);
        }
        self.bytes = Some(limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_limit_and_that_it_was_raised() {
        let mut room = Room::default();
        assert_eq!(room.limit(), usize::MAX);
        let mut refused = 0;
        let mut ask = |room: &mut Room, limit: usize| {
            let bytes = room.limit().min(1_000_000);
            if bytes > limit {
                room.too_much(bytes);
                refused += 1;
            } else {
                room.passed(bytes);
            }
            refused
        };
        for _ in 0..5 {
            ask(&mut room, 100_000);
        }
        assert_eq!((ask(&mut room, 100_000), room.limit()), (4, 62_500));
        for _ in 0..1_000 {
            ask(&mut room, 100_000);
        }
        assert!(ask(&mut room, 100_000) < 30, "one in dozens at most");
        assert!(room.limit() > 40_000);
        for _ in 0..500 {
            ask(&mut room, usize::MAX);
        }
        assert!(room.limit() > 1_000_000);
    }

    #[test]
    fn a_single_record_that_passes_makes_room() {
        let mut room = Room::default();
        assert!(room.may_be_too_much(300));
        room.too_much(300);
        room.passed(10);
        assert_eq!(room.limit(), 150);
        room.passed(4_000);
        assert_eq!(room.limit(), 4_000);
    }

    #[test]
    fn what_was_accepted_is_too_much_only_when_it_is_rejected_twice() {
        let mut room = Room::default();
        room.passed(4_000);
        assert!(
            !room.may_be_too_much(3_000)
                && !room.may_be_too_much(4_000)
                && room.may_be_too_much(4_001)
        );
        room.too_much(3_000);
        assert_eq!(room.limit(), usize::MAX);
        assert!(room.may_be_too_much(3_000));
        room.too_much(3_000);
        assert_eq!(room.limit(), 1_500);
    }

    /// A small request says nothing about a larger one.
    #[test]
    fn only_requests_of_half_the_limit_and_more_raise_it() {
        for (bytes, raised) in [(499, 1_000), (500, 1_500)] {
            let mut room = Room::default();
            room.too_much(2_000);
            for _ in 0..PASSED - 1 {
                room.passed(bytes);
            }
            assert_eq!(room.limit(), 1_000);
            room.passed(bytes);
            assert_eq!(room.limit(), raised, "{bytes}");
        }
    }
}
