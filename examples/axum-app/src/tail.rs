//! The last records that were written, kept in memory for the page.
//!
//! This is for the example only: a service has no need to keep its own log, OpenReplay finds it in Elasticsearch.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use openreplay_session::SessionId;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

const MAX_RECORDS: usize = 2_000;
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// A bounded memory of lines, written to by the log and read by the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<String>,
    bytes: usize,
    /// How many lines have ever been dropped, so that a reader can go on where it was.
    dropped: u64,
}

/// Records of one session, and where to go on reading.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Records {
    pub(crate) records: Vec<Value>,
    pub(crate) next: u64,
}

impl Tail {
    /// The records of this session that were written from the `after`th line on.
    pub(crate) fn records_of(&self, session: SessionId, after: u64) -> Records {
        let (lines, next) = self.lines().since(after);
        let in_session = |record: &Value| record["openReplaySession.id"] == session.as_str();
        let records = lines
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(in_session)
            .collect();
        Records { records, next }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn push(&mut self, line: String) {
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > MAX_RECORDS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
            self.dropped += 1;
        }
    }

    fn since(&self, after: u64) -> (Vec<String>, u64) {
        let next = self.dropped + self.lines.len() as u64;
        // a reader from before a restart is ahead of us: it starts anew
        let after = if after > next { 0 } else { after };
        let skip = usize::try_from(after.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        (self.lines.iter().skip(skip).cloned().collect(), next)
    }
}

impl<'a> MakeWriter<'a> for Tail {
    type Writer = &'a Tail;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl io::Write for &Tail {
    /// A record arrives whole, in one call.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.lines()
            .push(String::from_utf8_lossy(record).into_owned());
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn write(tail: &Tail, session: &str, message: &str) {
        let record = serde_json::json!({ "message": message, "openReplaySession.id": session });
        let mut writer = tail;
        writer.write_all(format!("{record}\n").as_bytes()).unwrap();
    }

    fn messages(records: &Records) -> Vec<&str> {
        let records = records.records.iter();
        records
            .map(|record| record["message"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn a_session_sees_its_own_records_only_and_goes_on_where_it_was() {
        let tail = Tail::default();
        let (own, other) = (SessionId::from(1), SessionId::from(2));
        write(&tail, "1", "mine");
        write(&tail, "2", "not mine");
        (&tail).write_all(b"no record at all\n").unwrap();
        let first = tail.records_of(own, 0);
        assert_eq!(messages(&first), ["mine"]);

        write(&tail, "1", "mine too");
        assert_eq!(messages(&tail.records_of(own, first.next)), ["mine too"]);
        assert_eq!(messages(&tail.records_of(other, 0)), ["not mine"]);
    }

    #[test]
    fn what_it_keeps_is_bounded_in_lines_and_in_bytes() {
        let tail = Tail::default();
        for number in 0..MAX_RECORDS + 5 {
            write(&tail, "1", &number.to_string());
        }
        assert_eq!(
            tail.records_of(SessionId::from(1), 0).records.len(),
            MAX_RECORDS
        );

        let large = "x".repeat(MAX_BYTES / 2);
        for _ in 0..3 {
            write(&tail, "1", &large);
        }
        assert_eq!(tail.records_of(SessionId::from(1), 0).records.len(), 1);
        assert!(tail.lines().bytes <= MAX_BYTES);
    }

    #[test]
    fn a_reader_from_before_a_restart_starts_anew() {
        let tail = Tail::default();
        write(&tail, "1", "after the restart");
        assert_eq!(
            messages(&tail.records_of(SessionId::from(1), 900)),
            ["after the restart"]
        );
    }
}
