//! Takes records out of the queue, counts their outcome, and tracks what a flush waits for.

use std::collections::VecDeque;

use super::{Queue, State};
use crate::chunk::{Chunk, Priority};
use crate::framing::Framing;
use crate::ledger::{Beginning, Mark};
use crate::losses::Losses;

impl<F: Framing> Queue<F> {
    /// Takes the next chunks to send, about `most` bytes. Warnings and errors come first, then the
    /// oldest chunks.
    pub(crate) fn take(&mut self, most: usize) -> Vec<Chunk> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        for priority in [Priority::High, Priority::Low] {
            let sealed = self.sealed[priority as usize].iter();
            let sealed: usize = sealed.map(|chunk| chunk.bytes.len()).sum();
            // Errors do not wait for their chunk to fill, however many other records there are.
            if priority == Priority::High || bytes + sealed < most {
                self.seal(priority);
            }
            while let Some(chunk) = self.sealed[priority as usize].front() {
                let length = chunk.bytes.len();
                if bytes > 0 && bytes + length > most {
                    break;
                }
                bytes += length;
                taken.extend(self.sealed[priority as usize].pop_front());
            }
        }
        self.waiting -= bytes;
        self.set_wake_at();
        taken
    }

    /// Marks all current records, so that they are sent at once. [`left`](Self::left) returns how
    /// many of them are still undecided.
    pub(crate) fn mark(&mut self) -> Mark {
        self.marked = self.ledger.next();
        Mark {
            end: self.marked,
            open: [0, 1].map(|priority| Beginning {
                chunk: self.open[priority].id,
                records: self.open[priority].records as u64,
            }),
        }
    }

    /// Returns the number of undecided records from before the mark.
    pub(crate) fn left(&mut self, mark: &Mark) -> u64 {
        for open in self.open.iter().filter(|open| open.records > 0) {
            self.ledger.count(open.id, open.records as u64);
        }
        self.ledger.left(mark)
    }

    /// Returns whether a marked record is undecided.
    pub(crate) fn is_awaited(&self) -> bool {
        self.ledger.first() < self.marked
    }

    /// Returns whether a marked record has not been taken yet.
    pub(crate) fn is_marked(&self) -> bool {
        let sealed = self.sealed.iter().filter_map(VecDeque::front);
        let open = self.open.iter().filter(|open| open.records > 0);
        sealed.chain(open).any(|chunk| chunk.id < self.marked)
    }

    /// Counts records of a chunk as stored.
    pub(crate) fn stored(&mut self, chunk: u64, records: u64) {
        if !self.is_closed() {
            self.stats.indexed += records;
            self.decided(chunk, records);
        }
    }

    /// Counts a record of a chunk as rejected.
    pub(crate) fn rejected(&mut self, chunk: u64) {
        if !self.is_closed() {
            self.stats.rejected += 1;
            self.decided(chunk, 1);
        }
    }

    pub(super) fn decided(&mut self, chunk: u64, records: u64) {
        self.stats.queued -= records;
        self.ledger.decide(chunk, records);
    }

    /// Takes back the memory of a chunk.
    pub(crate) fn give_back(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() == self.limits.chunk && !self.is_closed() {
            bytes.clear();
            self.free.push(bytes);
        } else {
            self.memory -= bytes.capacity();
        }
    }

    /// Returns the number of records dropped since the last notice, and resets it.
    pub(crate) fn take_unnoticed(&mut self) -> u64 {
        std::mem::take(&mut self.unnoticed)
    }

    /// Returns the losses that were not reported yet. Callers reset each count that they report.
    pub(crate) fn unreported(&mut self) -> &mut Losses {
        &mut self.unreported
    }

    /// Drops all records. Returns how many were undecided.
    pub(crate) fn close(&mut self) -> u64 {
        let left = self.stats.queued;
        let is_over = matches!(self.state, State::Abandoned { .. });
        self.state = State::Closed { left, is_over };
        self.stats.dropped += left;
        self.stats.queued = 0;
        self.ledger.clear();
        self.waiting = 0;
        self.open = Default::default();
        self.sealed = Default::default();
        self.free = Vec::new();
        left
    }

    /// Ends the wait of a shutdown, because its report was printed or its time limit passed.
    pub(crate) fn finish(&mut self) {
        self.state = match self.state {
            State::Open => State::Abandoned {
                left: self.stats.queued,
            },
            State::Closed { left, .. } => State::Closed {
                left,
                is_over: true,
            },
            abandoned @ State::Abandoned { .. } => abandoned,
        };
    }

    /// Returns the number of records that remained, once the shutdown is complete.
    pub(crate) fn over(&self) -> Option<u64> {
        match self.state {
            State::Closed {
                left,
                is_over: true,
            }
            | State::Abandoned { left } => Some(left),
            State::Open | State::Closed { .. } => None,
        }
    }
}
