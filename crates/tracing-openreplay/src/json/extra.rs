//! What a record says of more than the event itself, and what is not the same in every record.

use std::{
    cell::Cell,
    fmt::Write as _,
    thread::{self, ThreadId},
    time::{SystemTime, UNIX_EPOCH},
};

use openreplay_session::SessionId;

use super::{escape::escape, value};

/// The time that session ids count from, in milliseconds since the Unix epoch (`backend/pkg/flakeid/flakeid.go` of OpenReplay).
const SESSIONS_SINCE: u64 = 1_550_000_000_000;
/// The bits of an id below its time.
const SESSION_BITS: u32 = 24;
/// No replay is longer, in milliseconds.
const LONGEST_REPLAY: u64 = 24 * 60 * 60 * 1000;

/// The most bytes of a thread's name.
const NAME_LIMIT: usize = 256;

/// What is written, as configured.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) process_id: bool,
    pub(super) thread_name: bool,
    pub(super) thread_id: bool,
    /// The address of the replays, up to the session's id, escaped.
    pub(super) replays: Option<Box<[u8]>>,
}

impl Extra {
    /// `project` is the address of a project in OpenReplay.
    pub(super) fn set_project(&mut self, project: &str) {
        let mut replays = Vec::new();
        escape(&mut replays, project.trim_end_matches('/').as_bytes());
        replays.extend_from_slice(b"/session/");
        self.replays = Some(replays.into());
    }

    pub(super) fn write(&self, session: Option<SessionId>, now: SystemTime, out: &mut Vec<u8>) {
        if let (Some(replays), Some(session)) = (&self.replays, session) {
            replay(replays, &session, now, out);
        }
        if self.process_id {
            // asked for each time: after a fork it is another one
            number(out, br#","process.pid":"#, std::process::id().into());
        }
        if self.thread_name
            && let Some(name) = thread::current().name()
        {
            out.extend_from_slice(br#","process.thread.name":""#);
            value::str(out, NAME_LIMIT, name);
            out.push(b'"');
        }
        if self.thread_id
            && let Some(id) = thread_id()
        {
            number(out, br#","process.thread.id":"#, id);
        }
    }
}

fn number(out: &mut Vec<u8>, key: &[u8], number: u64) {
    out.extend_from_slice(key);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes the address of a session's replay, at the time of the record. Only a numeric id is known to OpenReplay.
fn replay(replays: &[u8], session: &SessionId, now: SystemTime, out: &mut Vec<u8>) {
    let Some(id) = session.as_u64() else {
        return;
    };
    out.extend_from_slice(br#","openReplaySession.url":""#);
    out.extend_from_slice(replays);
    out.extend_from_slice(session.as_bytes());
    if let Some(jump) = since_start(id, now) {
        number(out, b"?jumpto=", jump);
    }
    out.push(b'"');
}

/// Returns the milliseconds since the session with this id started, if they can lie in its replay.
fn since_start(id: u64, now: SystemTime) -> Option<u64> {
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let start = SESSIONS_SINCE + (id >> SESSION_BITS);
    let since = u64::try_from(now).ok()?.checked_sub(start)?;
    (since <= LONGEST_REPLAY).then_some(since)
}

/// The number of this thread, the one that `fmt::layer().with_thread_ids(true)` shows.
fn thread_id() -> Option<u64> {
    thread_local! {
        static ID: Cell<Option<u64>> = const { Cell::new(None) };
    }
    if let Some(id) = ID.get() {
        return Some(id);
    }
    let id = parse(thread::current().id());
    ID.set(id);
    id
}

/// The number has no accessor in stable Rust.
fn parse(id: ThreadId) -> Option<u64> {
    let mut text = String::new();
    write!(text, "{id:?}").ok()?;
    text.strip_prefix("ThreadId(")?
        .strip_suffix(')')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_in_a_replay_is_that_since_the_id_was_given() {
        // as `flakeid.go` composes an id
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
    }

    #[test]
    fn each_thread_has_a_number_of_its_own() {
        let here = thread_id();
        assert!(here.is_some());
        assert_eq!(thread_id(), here);
        let there = thread::spawn(thread_id).join().unwrap();
        assert!(there.is_some() && there != here);
    }
}
