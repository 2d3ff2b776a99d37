//! The queue of records: framed lines in reused chunks of memory, and their accounts.

use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use crate::chunk::{Chunk, Priority};
use crate::framing::Framing;
use crate::ledger::Ledger;
use crate::losses::Losses;
use crate::stats::Stats;

mod taken;

/// The number of chunks for which the lists have capacity from the start, enough for 2 GiB. The
/// lists of a larger buffer grow when necessary.
const MOST_CHUNKS: usize = 16 * 1024;

/// The queued records and their accounts.
///
/// Warnings and errors have separate chunks, so that the other records can be dropped if the memory
/// runs out.
#[derive(Debug)]
pub(crate) struct Queue<F> {
    framing: F,
    /// The chunks that lines are appended to, one for each priority.
    open: [Chunk; 2],
    /// The complete chunks of each priority, oldest first.
    sealed: [VecDeque<Chunk>; 2],
    free: Vec<Vec<u8>>,
    limits: Limits,
    /// The memory of all chunks: open, sealed, free and lent.
    memory: usize,
    /// The number of bytes that wait, without those of lent chunks.
    waiting: usize,
    /// The number of waiting bytes at which the sender is woken.
    wake_at: usize,
    stats: Stats,
    ledger: Ledger,
    /// The first chunk that no flush waits for.
    marked: u64,
    /// The latest deadline of a flush.
    pub(crate) awaited_until: Option<Instant>,
    /// The number of records that were dropped because the buffer was full, and that no notice
    /// counts yet.
    unnoticed: u64,
    unreported: Losses,
    state: State,
}

/// The state of the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// No further records are stored.
    Closed {
        /// The number of records that were undecided when the queue was closed.
        left: u64,
        /// Whether the loss has been reported, or no shutdown waits for the report any more.
        is_over: bool,
    },
    /// The shutdown has stopped waiting while the sender continues.
    Abandoned {
        left: u64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The memory of all chunks.
    memory: usize,
    chunk: usize,
    /// The bytes in one request.
    request: usize,
}

/// The tasks to wake after a line was pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Wake {
    /// Whether to wake the sender, because the first record or a full request waits.
    pub(crate) sender: bool,
    /// Whether to wake the reporter, because a line was rejected or dropped.
    pub(crate) reporter: bool,
    /// Whether to wake the flushes, because queued records were dropped.
    pub(crate) flushes: bool,
}

impl<F: Framing> Queue<F> {
    /// Creates a queue with `memory` bytes for records, of which about `request` are sent at once.
    pub(crate) fn new(memory: usize, request: usize, framing: F) -> Self {
        let limits = Limits {
            memory,
            chunk: (memory / 16).clamp(1024, 128 * 1024),
            request,
        };
        // The lists have capacity for the maximum number of chunks, so that no log call grows them.
        let chunks = (memory / limits.chunk).min(MOST_CHUNKS) + 4;
        Self {
            framing,
            open: Default::default(),
            sealed: [(); 2].map(|()| VecDeque::with_capacity(chunks)),
            free: Vec::with_capacity(chunks),
            limits,
            memory: 0,
            waiting: 0,
            wake_at: 1,
            stats: Stats::default(),
            // The entries of dropped chunks remain as long as an older chunk is lent.
            ledger: Ledger::with_capacity(4 * chunks),
            marked: 0,
            awaited_until: None,
            unnoticed: 0,
            unreported: Losses::default(),
            state: State::Open,
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.stats
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(crate) fn request(&self) -> usize {
        self.limits.request
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Appends a line, or counts it as lost.
    #[inline]
    pub(crate) fn push(&mut self, line: &[u8], priority: Priority) -> Wake {
        if self.open[priority as usize].room() < line.len() + F::OVERHEAD {
            return self.push_anew(line, priority);
        }
        let sender = self.put(line, priority);
        Wake {
            sender,
            ..Wake::default()
        }
    }

    /// Appends a line for which the open chunk has no room.
    #[cold]
    fn push_anew(&mut self, line: &[u8], priority: Priority) -> Wake {
        let before = self.losses();
        let sender = if self.make_room(line.len() + F::OVERHEAD, priority) {
            self.put(line, priority)
        } else {
            self.lose(line.len() + F::OVERHEAD);
            false
        };
        self.wake(sender, before)
    }

    /// Counts a line that is not a record.
    pub(crate) fn reject(&mut self) -> Wake {
        let before = self.losses();
        self.stats.accepted += 1;
        self.stats.rejected += 1;
        self.unreported.not_objects += 1;
        self.wake(false, before)
    }

    /// Appends a notice of `dropped` records. If there is no room, a later notice contains the
    /// number.
    pub(crate) fn notice(&mut self, dropped: u64, line: &[u8]) -> Wake {
        let before = self.losses();
        let length = line.len() + F::OVERHEAD;
        let fits = self.open[Priority::High as usize].room() >= length;
        let sender = if fits || self.make_room(length, Priority::High) {
            self.put(line, Priority::High)
        } else {
            self.unnoticed += dropped;
            false
        };
        self.wake(sender, before)
    }

    /// Returns the losses that were not reported yet, and the number of dropped records.
    fn losses(&self) -> (Losses, u64) {
        (self.unreported, self.stats.dropped)
    }

    fn wake(&self, sender: bool, (unreported, dropped): (Losses, u64)) -> Wake {
        Wake {
            sender,
            reporter: unreported.is_empty() && !self.unreported.is_empty(),
            flushes: self.stats.dropped > dropped,
        }
    }

    /// Appends a line to the open chunk, which has room. Returns whether to wake the sender.
    #[inline]
    fn put(&mut self, line: &[u8], priority: Priority) -> bool {
        let open = &mut self.open[priority as usize];
        self.framing.frame(&mut open.bytes, line);
        open.records += 1;
        self.stats.accepted += 1;
        self.stats.queued += 1;
        self.waiting += line.len() + F::OVERHEAD;
        let wakes = self.waiting >= self.wake_at;
        if wakes {
            self.set_wake_at();
        }
        wakes
    }

    fn set_wake_at(&mut self) {
        self.wake_at = match self.waiting {
            0 => 1,
            waiting if waiting < self.limits.request => self.limits.request,
            _ => usize::MAX,
        };
    }

    fn lose(&mut self, length: usize) {
        self.stats.accepted += 1;
        if self.is_closed() {
            self.stats.dropped += 1;
        } else if self.is_too_long(length) {
            self.stats.rejected += 1;
            self.unreported.too_long += 1;
        } else {
            self.stats.dropped += 1;
            self.unnoticed += 1;
            self.unreported.dropped += 1;
        }
    }

    fn is_too_long(&self, length: usize) -> bool {
        length > self.limits.memory / 4
    }

    /// Opens a chunk with memory for at least `length` bytes, new or reused, within the limit.
    fn make_room(&mut self, length: usize, priority: Priority) -> bool {
        if self.is_closed() || self.is_too_long(length) {
            return false;
        }
        self.seal(priority);
        let Some(bytes) = self.memory_for(length, priority) else {
            return false;
        };
        self.open[priority as usize] = Chunk {
            bytes,
            id: self.ledger.open(),
            records: 0,
        };
        true
    }

    fn memory_for(&mut self, length: usize, priority: Priority) -> Option<Vec<u8>> {
        let size = length.max(self.limits.chunk);
        loop {
            if size == self.limits.chunk
                && let Some(bytes) = self.free.pop()
            {
                return Some(bytes);
            }
            if self.memory + size <= self.limits.memory {
                self.memory += size;
                return Some(Vec::with_capacity(size));
            }
            match self.free.pop() {
                Some(bytes) => self.memory -= bytes.capacity(),
                None if priority == Priority::High => self.drop_oldest_low()?,
                None => return None,
            }
        }
    }

    /// Drops the oldest chunk of low priority, if there is one.
    fn drop_oldest_low(&mut self) -> Option<()> {
        if self.sealed[Priority::Low as usize].is_empty() {
            self.seal(Priority::Low);
        }
        let chunk = self.sealed[Priority::Low as usize].pop_front()?;
        let records = chunk.records as u64;
        self.waiting -= chunk.bytes.len();
        self.set_wake_at();
        self.unnoticed += records;
        self.unreported.dropped += records;
        self.stats.dropped += records;
        self.decided(chunk.id, records);
        self.give_back(chunk.bytes);
        Some(())
    }

    fn seal(&mut self, priority: Priority) {
        if self.open[priority as usize].records == 0 {
            return;
        }
        let chunk = std::mem::take(&mut self.open[priority as usize]);
        self.ledger.count(chunk.id, chunk.records as u64);
        self.sealed[priority as usize].push_back(chunk);
        self.framing.tick(SystemTime::now());
    }
}
