//! How large a request may be, learned from 413 and timeouts.

use std::time::{Duration, Instant};

/// The first request is no longer than this: on a line of 200 KiB/s it takes five seconds.
const INITIAL_LIMIT: usize = 1 << 20;

/// After so many accepted requests, a little more is tried: somebody may have raised the limit.
const ACCEPTED_BEFORE_GROWTH: u32 = 32;

/// A request that may get no response costs a whole timeout. So a little more is tried only after
/// as many of them.
const TIMEOUTS_WITHOUT_GROWTH: u32 = 20;

/// What is known of the limit, in bytes before compression: some limits count those, and the others
/// count about in proportion.
#[derive(Debug)]
pub(super) struct Room {
    /// How long a request may take.
    timeout: Duration,
    limit: usize,
    /// The limit doubles up to here, and grows slowly from here on: about twice as much has failed.
    ceiling: usize,
    /// Accepted requests of about the limit, since it last changed for a failure or a slow growth.
    passed: u32,
    longest: usize,
    timed_out: Option<Instant>,
    /// Whether a request was accepted since one timed out.
    is_responsive: bool,
}

impl Room {
    /// `timeout`: how long a request may take.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            limit: INITIAL_LIMIT,
            ceiling: usize::MAX,
            passed: 0,
            longest: 0,
            timed_out: None,
            is_responsive: false,
        }
    }

    /// Returns the length that a longer request is cut to.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether a request of this length can be too much: a longer one was accepted, unless the
    /// limit was changed since.
    pub(super) fn may_be_too_much(&self, bytes: usize) -> bool {
        bytes > self.longest
    }

    /// A request of this length was rejected as too much. The next time, it is believed.
    pub(super) fn too_much(&mut self, bytes: usize) {
        if self.may_be_too_much(bytes) {
            self.cut_to(bytes / 2);
            self.ceiling = self.limit;
        }
        self.longest = 0;
    }

    /// A request of this length got no response in time. It may be too long for the line, or the
    /// engine responds to nothing: then all requests time out, whatever their lengths.
    pub(super) fn timed_out(&mut self, bytes: usize, now: Instant) {
        self.cut_to(bytes / 2);
        if std::mem::take(&mut self.is_responsive) {
            if self.may_be_too_much(bytes) {
                self.ceiling = self.limit;
            }
            self.longest = 0;
        }
        self.timed_out = Some(now);
    }

    /// A request of this length was accepted, and took so long.
    pub(super) fn passed(&mut self, bytes: usize, took: Duration, now: Instant) {
        self.longest = self.longest.max(bytes);
        self.is_responsive = true;
        // A small request proves nothing about a larger one.
        let is_telling = bytes >= self.limit / 2;
        self.limit = self.limit.max(bytes);
        self.ceiling = self.ceiling.max(bytes);
        if !is_telling {
            return;
        }
        self.passed += 1;
        let in_time = self.in_time(bytes, took);
        if self.limit < self.ceiling {
            let doubled = self.limit.saturating_mul(2).min(self.ceiling);
            self.limit = self.limit.max(doubled.min(in_time));
        } else if self.passed >= ACCEPTED_BEFORE_GROWTH && self.is_calm(now) {
            self.passed = 0;
            let more = self.limit.saturating_add(self.limit / 2);
            self.limit = self.limit.max(more.min(in_time));
            self.ceiling = self.limit;
        }
    }

    fn cut_to(&mut self, bytes: usize) {
        self.limit = self.limit.min(bytes).max(1);
        self.passed = 0;
    }

    /// What half of the timeout suffices for, at the speed of this request.
    fn in_time(&self, bytes: usize, took: Duration) -> usize {
        let half = (self.timeout / 2).as_nanos();
        let in_time = (bytes as u128).saturating_mul(half) / took.as_nanos().max(1);
        usize::try_from(in_time).unwrap_or(usize::MAX)
    }

    fn is_calm(&self, now: Instant) -> bool {
        let calm = self.timeout.saturating_mul(TIMEOUTS_WITHOUT_GROWTH);
        self.timed_out
            .is_none_or(|at| now.saturating_duration_since(at) >= calm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    fn accept(room: &mut Room, bytes: usize) {
        room.passed(bytes, Duration::ZERO, Instant::now());
    }

    /// A room in which requests of so many bytes were accepted, and the doubled length was
    /// rejected.
    fn limited(bytes: usize) -> Room {
        let mut room = Room::new(TIMEOUT);
        room.too_much(2 * bytes);
        assert_eq!(room.limit(), bytes);
        room
    }

    #[test]
    fn finds_the_limit_and_that_it_was_raised() {
        let mut room = Room::new(TIMEOUT);
        assert_eq!(room.limit(), INITIAL_LIMIT);
        let mut rejected = 0;
        let mut send = |room: &mut Room, limit: usize| {
            let bytes = room.limit().min(1_000_000);
            if bytes > limit {
                room.too_much(bytes);
                rejected += 1;
            } else {
                accept(room, bytes);
            }
            rejected
        };
        for _ in 0..5 {
            send(&mut room, 100_000);
        }
        assert_eq!((send(&mut room, 100_000), room.limit()), (4, 62_500));
        for _ in 0..1_000 {
            send(&mut room, 100_000);
        }
        assert!(send(&mut room, 100_000) < 30, "one in dozens at most");
        assert!(room.limit() > 40_000);
        for _ in 0..500 {
            send(&mut room, usize::MAX);
        }
        assert!(room.limit() > 1_000_000);
    }

    #[test]
    fn a_single_record_that_passes_makes_room() {
        let mut room = limited(150);
        accept(&mut room, 10);
        assert_eq!(room.limit(), 150);
        accept(&mut room, 4_000);
        assert_eq!(room.limit(), 4_000);
    }

    #[test]
    fn what_was_accepted_is_too_much_only_when_it_is_rejected_twice() {
        let mut room = Room::new(TIMEOUT);
        accept(&mut room, 4_000);
        let may_be = |room: &Room| [3_000, 4_000, 4_001].map(|bytes| room.may_be_too_much(bytes));
        assert_eq!(may_be(&room), [false, false, true]);
        room.too_much(3_000);
        assert_eq!(room.limit(), INITIAL_LIMIT);
        assert_eq!(may_be(&room), [true, true, true]);
        room.too_much(3_000);
        assert_eq!(room.limit(), 1_500);
    }

    /// A small request proves nothing about a larger one.
    #[test]
    fn only_requests_of_half_the_limit_and_more_raise_it() {
        for (bytes, raised) in [(499, 1_000), (500, 1_500)] {
            let mut room = limited(1_000);
            for _ in 0..ACCEPTED_BEFORE_GROWTH - 1 {
                accept(&mut room, bytes);
            }
            assert_eq!(room.limit(), 1_000);
            accept(&mut room, bytes);
            assert_eq!(room.limit(), raised, "{bytes}");
        }
        for (bytes, raised) in [
            (INITIAL_LIMIT / 2 - 1, INITIAL_LIMIT),
            (INITIAL_LIMIT / 2, 2 * INITIAL_LIMIT),
        ] {
            let mut room = Room::new(TIMEOUT);
            accept(&mut room, bytes);
            assert_eq!(room.limit(), raised, "{bytes}");
        }
    }

    #[test]
    fn the_limit_doubles_only_while_half_of_the_timeout_suffices() {
        for (seconds, limit) in [
            (0, 2 * INITIAL_LIMIT),
            (7, 2 * INITIAL_LIMIT),
            (10, INITIAL_LIMIT + INITIAL_LIMIT / 2),
            (15, INITIAL_LIMIT),
            (29, INITIAL_LIMIT),
        ] {
            let mut room = Room::new(TIMEOUT);
            room.passed(INITIAL_LIMIT, Duration::from_secs(seconds), Instant::now());
            assert_eq!(room.limit(), limit, "{seconds} s");
        }
    }

    #[test]
    fn a_length_that_timed_out_after_shorter_ones_passed_is_not_tried_again_soon() {
        let start = Instant::now();
        let mut room = Room::new(TIMEOUT);
        accept(&mut room, INITIAL_LIMIT);
        room.timed_out(2 * INITIAL_LIMIT, start);
        assert_eq!(room.limit(), INITIAL_LIMIT);
        let calm = TIMEOUT * TIMEOUTS_WITHOUT_GROWTH;
        for (after, raised) in [
            (calm - TIMEOUT, INITIAL_LIMIT),
            (calm, INITIAL_LIMIT + INITIAL_LIMIT / 2),
        ] {
            for _ in 0..ACCEPTED_BEFORE_GROWTH {
                room.passed(INITIAL_LIMIT, Duration::ZERO, start + after);
            }
            assert_eq!(room.limit(), raised, "{after:?}");
        }
    }

    #[test]
    fn an_engine_that_responded_to_nothing_for_a_while_gets_as_much_as_before_soon() {
        for before in [INITIAL_LIMIT, 8 * INITIAL_LIMIT] {
            let mut room = Room::new(TIMEOUT);
            if before > INITIAL_LIMIT {
                accept(&mut room, before);
            }
            for _ in 0..20 {
                let bytes = room.limit().max(300);
                room.timed_out(bytes, Instant::now());
            }
            assert_eq!(room.limit(), 150);
            let requests = (0..20).find(|_| {
                let bytes = room.limit().max(300);
                accept(&mut room, bytes);
                room.limit() >= before
            });
            assert!(requests.is_some(), "{room:?}");
        }
    }

    #[test]
    fn a_limit_that_was_lowered_is_found_again() {
        let mut room = Room::new(TIMEOUT);
        accept(&mut room, 8 * INITIAL_LIMIT);
        let mut lost = 0;
        for _ in 0..100 {
            match room.limit() {
                bytes if bytes > 3 * INITIAL_LIMIT => {
                    room.timed_out(bytes, Instant::now());
                    lost += 1;
                }
                bytes => accept(&mut room, bytes),
            }
        }
        assert_eq!((lost, room.limit()), (4, 2 * INITIAL_LIMIT));
    }
}
