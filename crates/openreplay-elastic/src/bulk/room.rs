//! How much a request may hold: what is in front of the engine says so by 413 only.

/// After so many requests that it took, a little more is tried: somebody may have raised the limit.
const PASSED: u32 = 32;

/// What is known of the limit. In bytes before compression: those are what some limits count, and the others count
/// about in proportion.
#[derive(Debug, Default)]
pub(super) struct Room {
    bytes: Option<usize>,
    passed: u32,
    longest: usize,
}

impl Room {
    /// What a longer request has to be cut to.
    pub(super) fn limit(&self) -> usize {
        self.bytes.unwrap_or(usize::MAX)
    }

    /// A request of this length was too much, it says. Whether that can be: a longer one was not, unless that was changed.
    pub(super) fn too_much(&mut self, bytes: usize) -> bool {
        if bytes <= std::mem::take(&mut self.longest) {
            return false;
        }
        self.bytes = Some(self.limit().min(bytes / 2));
        self.passed = 0;
        true
    }

    /// A request of this length was not too much.
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
        assert!(room.too_much(300));
        room.passed(10);
        assert_eq!(room.limit(), 150);
        room.passed(4_000);
        assert_eq!(room.limit(), 4_000);
    }

    #[test]
    fn what_was_not_too_much_is_so_only_when_it_is_said_again() {
        let mut room = Room::default();
        room.passed(4_000);
        assert!(!room.too_much(3_000));
        assert_eq!(room.limit(), usize::MAX);
        assert!(room.too_much(3_000));
        assert_eq!(room.limit(), 1_500);
    }
}
