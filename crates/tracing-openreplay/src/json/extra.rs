//! The members of a record that depend neither on the event nor on the options alone: the replay's
//! URL, the process and the thread.

use std::{
    cell::Cell,
    fmt::Write as _,
    thread::{self, ThreadId},
    time::SystemTime,
};

use openreplay_record::field;
use openreplay_session::SessionId;

use super::{escape::escape, member::member, value};
use crate::replay::{JUMP, Replay, SESSION};

const SESSION_URL: &[u8] = member!(field::SESSION_URL, "\"");

/// The maximum length of a thread's name in bytes.
const NAME_LIMIT: usize = 256;

/// The members to write.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) process_id: bool,
    pub(super) thread_name: bool,
    pub(super) thread_id: bool,
    /// The member with the escaped URL of the replay, up to the session's id.
    replays: Option<Box<[u8]>>,
}

impl Extra {
    /// Sets the URL of the project in OpenReplay.
    pub(super) fn set_project(&mut self, project: &str) {
        let mut replays = SESSION_URL.to_vec();
        escape(&mut replays, project.trim_end_matches('/').as_bytes());
        replays.extend_from_slice(SESSION.as_bytes());
        self.replays = Some(replays.into());
    }

    /// Returns the length of the replay's URL up to the session's id.
    pub(super) fn project_len(&self) -> usize {
        (self.replays.as_deref()).map_or(0, |replays| replays.len() - SESSION_URL.len())
    }

    pub(super) fn write(&self, session: Option<&SessionId>, now: SystemTime, out: &mut Vec<u8>) {
        if let (Some(replays), Some(session)) = (&self.replays, session) {
            replay(replays, session, now, out);
        }
        if self.process_id {
            // The id is read for each record, since it changes after a fork.
            number(
                out,
                member!(field::PROCESS_ID, ""),
                std::process::id().into(),
            );
        }
        if self.thread_name
            && let Some(name) = thread::current().name()
        {
            out.extend_from_slice(member!(field::THREAD_NAME, "\""));
            value::str(out, NAME_LIMIT, name);
            out.push(b'"');
        }
        if self.thread_id
            && let Some(id) = thread_id()
        {
            number(out, member!(field::THREAD_ID, ""), id);
        }
    }
}

fn number(out: &mut Vec<u8>, key: &[u8], number: u64) {
    out.extend_from_slice(key);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes the URL of a session's replay at the time of the record.
fn replay(replays: &[u8], session: &SessionId, now: SystemTime, out: &mut Vec<u8>) {
    let Some(replay) = Replay::of(session, now) else {
        return;
    };
    out.extend_from_slice(replays);
    out.extend_from_slice(session.as_bytes());
    if let Some(jump) = replay.jump {
        number(out, JUMP.as_bytes(), jump);
    }
    out.push(b'"');
}

/// Returns the number of this thread, which `fmt::layer().with_thread_ids(true)` shows as well.
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

/// Parses the number from the `Debug` output, since stable Rust has no accessor for it.
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
    use super::*;

    #[test]
    fn each_thread_has_a_number_of_its_own() {
        let here = thread_id();
        assert!(here.is_some());
        assert_eq!(thread_id(), here);
        let there = thread::spawn(thread_id).join().unwrap();
        assert!(there.is_some() && there != here);
    }
}
