//! The URL of a session's replay.

use std::time::{SystemTime, UNIX_EPOCH};

use openreplay_session::SessionId;

/// The time that session ids count from, in milliseconds since the Unix epoch
/// (`backend/pkg/flakeid/flakeid.go` of OpenReplay).
const SESSIONS_SINCE: u64 = 1_550_000_000_000;
/// The number of bits of an id below its time.
const SESSION_BITS: u32 = 24;
/// The maximum length of a replay in milliseconds.
const LONGEST: u64 = 24 * 60 * 60 * 1000;

/// The part of the URL between the project and the id.
pub(crate) const SESSION: &str = "/session/";
/// The part of the URL between the id and the milliseconds.
pub(crate) const JUMP: &str = "?jumpto=";

/// A point in the replay of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replay {
    /// The milliseconds since the session started, if the replay can be that long.
    pub(crate) jump: Option<u64>,
}

impl Replay {
    /// Returns `None` if the id is not a number, since OpenReplay has no such session.
    pub(crate) fn of(session: &SessionId, now: SystemTime) -> Option<Self> {
        let id = session.as_u64()?;
        Some(Self {
            jump: since_start(id, now),
        })
    }
}

fn since_start(id: u64, now: SystemTime) -> Option<u64> {
    let now = now.duration_since(UNIX_EPOCH).ok()?;
    // As 64 bits: `as_millis` divides 128 bits.
    let millis = (now.as_secs().checked_mul(1_000)?).checked_add(now.subsec_millis().into())?;
    let start = SESSIONS_SINCE + (id >> SESSION_BITS);
    let since = millis.checked_sub(start)?;
    (since <= LONGEST).then_some(since)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_point_in_a_replay_is_the_time_since_the_id_was_created() {
        // Composes an id like `flakeid.go`.
        let id = |start: u64, shard: u64, sequence: u64| {
            (start - SESSIONS_SINCE) << 24 | (shard & 0xffff) << 8 | (sequence & 0xff)
        };
        let start = 1_845_612_345_678_u64;
        let at =
            |since: i64| UNIX_EPOCH + Duration::from_millis(start.saturating_add_signed(since));
        let rows = [
            (0, Some(0)),
            (1, Some(1)),
            (90_061_001 - 10_000_000, Some(80_061_001)),
            (86_400_000, Some(86_400_000)),
            (86_400_001, None),
            (-1, None),
        ];
        for (since, expected) in rows {
            for (shard, sequence) in [(0, 0), (0xffff, 0xff), (7, 1)] {
                let id = id(start, shard, sequence);
                assert_eq!(since_start(id, at(since)), expected, "{since}");
            }
        }
        assert_eq!(since_start(u64::MAX, UNIX_EPOCH), None);
        assert_eq!(since_start(0, UNIX_EPOCH - Duration::from_secs(1)), None);
        let latest = UNIX_EPOCH + Duration::from_millis(u64::MAX) + Duration::from_millis(1);
        assert_eq!(since_start(0, latest), None);
    }
}
