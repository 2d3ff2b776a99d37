use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use bytes::Bytes;

use crate::document;
use crate::entry::{Entry, LONGEST_ID, Outcome, Rejected, Text};

/// A batch of records to store together.
///
/// ```
/// use openreplay_store::{Batch, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let store = Store::open(folder)?;
/// let mut batch = Batch::new();
/// batch.create(Some("1"), r#"{"level":"info","message":"[openReplaySession.id=42] paid"}"#);
/// batch.create(None, "no record");
/// let outcomes = store.write(batch)?;
/// assert!(outcomes[0].is_stored());
/// assert!(!outcomes[1].is_stored());
///
/// let found = store.session(&42.into(), 1_000)?;
/// assert_eq!(found[0].id, "1");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<Entry>,
    /// The known outcome of each record, or `None` for the next entry.
    rejected: Vec<Option<Rejected>>,
}

impl Batch {
    /// Creates an empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record, which is a JSON object.
    ///
    /// If the store already contains a record with this `_id` and time, that record is kept.
    /// Without an `_id`, the record gets one that sorts after earlier ones.
    pub fn create(&mut self, id: Option<&str>, line: impl Into<Bytes>) {
        self.add(id.map(own), line.into(), false);
    }

    /// Adds a record that the store may already contain.
    ///
    /// If the store contains the same record, the outcome is [`Outcome::Unchanged`]. If the store
    /// contains a *different* record with this `_id` and time, that record is kept and the outcome
    /// is [`Outcome::Exists`].
    pub fn index(&mut self, id: Option<&str>, line: impl Into<Bytes>) {
        self.add(id.map(own), line.into(), true);
    }

    /// Returns the number of records in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rejected.len()
    }

    /// Returns whether the batch contains no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rejected.is_empty()
    }

    pub(crate) fn add(&mut self, id: Option<Text>, line: Bytes, may_exist: bool) {
        match entry(id, line, may_exist) {
            Ok(entry) => {
                self.entries.push(entry);
                self.rejected.push(None);
            }
            Err(rejected) => self.rejected.push(Some(rejected)),
        }
    }

    /// Returns the records that can be stored, and the order of the outcomes.
    pub(crate) fn into_parts(self) -> (Vec<Entry>, KnownOutcomes) {
        (self.entries, KnownOutcomes(self.rejected))
    }
}

/// The outcomes that are known before a batch is stored.
#[derive(Debug)]
pub(crate) struct KnownOutcomes(Vec<Option<Rejected>>);

impl KnownOutcomes {
    /// Inserts the outcomes of the entries.
    pub(crate) fn fill(self, outcomes: Vec<Outcome>) -> Vec<Outcome> {
        let mut outcomes = outcomes.into_iter();
        let each = self.0.into_iter().filter_map(|rejected| match rejected {
            Some(rejected) => Some(Outcome::Rejected(rejected)),
            None => outcomes.next(),
        });
        each.collect()
    }
}

fn own(id: &str) -> Text {
    id.to_owned().into()
}

fn entry(id: Option<Text>, line: Bytes, may_exist: bool) -> Result<Entry, Rejected> {
    let id = id.unwrap_or_else(|| new_id().into());
    match id.as_bytes().len() {
        0 => return Err(Rejected::EmptyId),
        length if length > LONGEST_ID => return Err(Rejected::LongId(length)),
        _ => {}
    }
    let text =
        str::from_utf8(&line).map_err(|_| Rejected::Malformed("it is not UTF-8".to_owned()))?;
    let document = document::read(text).map_err(|fault| Rejected::Malformed(fault.to_string()))?;
    Ok(Entry {
        sessions: document.sessions,
        time: document.time,
        id,
        line: Text::checked(line),
        may_exist,
    })
}

/// Returns an `_id` that sorts by time, then by order in this process: milliseconds, 32 random bits
/// and a counter.
pub(crate) fn new_id() -> String {
    id_at(SystemTime::now())
}

fn id_at(now: SystemTime) -> String {
    static SOURCE: LazyLock<u32> = LazyLock::new(|| fastrand::u32(..));
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let millis = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{millis:011x}{:08x}{count:08x}", *SOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_rejected_in_its_place() {
        let mut batch = Batch::new();
        batch.create(Some("a"), "{}");
        batch.create(Some(""), "{}");
        batch.create(Some(&"x".repeat(513)), "{}");
        batch.create(Some(&"é".repeat(256)), "{}");
        batch.create(None, &b"{\"a\":\"\xff\"}"[..]);
        assert_eq!(batch.len(), 5);
        let (entries, known) = batch.into_parts();
        assert_eq!(entries.len(), 2);
        let outcomes = known.fill(vec![Outcome::Created, Outcome::Exists]);
        assert!(matches!(
            &outcomes[..],
            [
                Outcome::Created,
                Outcome::Rejected(Rejected::EmptyId),
                Outcome::Rejected(Rejected::LongId(513)),
                Outcome::Exists,
                Outcome::Rejected(Rejected::Malformed(_)),
            ]
        ));
    }

    #[test]
    fn new_ids_sort_in_their_order() {
        let now = SystemTime::now();
        let ids: Vec<_> = (0..1_000).map(|_| id_at(now)).collect();
        assert!(ids.is_sorted_by(|one, other| one < other));
        assert!(id_at(now + std::time::Duration::from_millis(1)) > ids[0]);
    }
}
