//! Messages to the writing thread.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::day::DayFile;
use crate::entry::{Entry, Outcome};

/// Entries to be stored together, and what happens then.
pub(crate) struct Job {
    pub(crate) entries: Vec<Entry>,
    /// Called on the thread that writes, so it must not block. It gets an outcome for each entry,
    /// in their order.
    pub(crate) done: Box<dyn FnOnce(Vec<Outcome>) + Send>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// A message to the writing thread.
#[derive(Debug)]
pub(crate) enum Message {
    Store(Job),
    /// A reader found this file damaged.
    Damaged(Arc<DayFile>),
    /// Tidy up now, and notify the sender when that is done.
    Tidy(Sender<()>),
    Stop,
}
