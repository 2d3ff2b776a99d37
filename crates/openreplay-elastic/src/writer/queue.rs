use std::collections::VecDeque;
use std::time::SystemTime;

use super::Stats;
use crate::bulk::{Ids, OVERHEAD};

/// Records waiting, framed where they lie, in chunks of memory that go round; and the books.
///
/// Two lanes: warnings and errors have chunks of their own, so that the others can be given up when memory runs out.
#[derive(Debug)]
pub(super) struct Queue {
    open: [Chunk; 2],
    sealed: VecDeque<Chunk>,
    free: Vec<Vec<u8>>,
    limits: Limits,
    /// Memory of all chunks: open, sealed, free, and on their way.
    memory: usize,
    /// What waits, in bytes; what is on its way is not in it.
    waiting: usize,
    ids: Ids,
    stats: Stats,
    /// Rises with each flush; records carry that of the time when they were sealed.
    epoch: u64,
    /// Sealed records that are not decided, by epoch.
    undecided: VecDeque<(u64, u64)>,
    /// Dropped for want of room, and no notice of it written yet.
    pub(super) unnoticed: u64,
    pub(super) no_objects: u64,
    pub(super) too_long: u64,
    /// Nobody sends any more.
    pub(super) is_closed: bool,
    /// And that has been said.
    pub(super) is_over: bool,
    /// What was left then.
    pub(super) given_up: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For the memory of all chunks.
    pub(super) memory: usize,
    pub(super) chunk: usize,
}

#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) records: usize,
    pub(super) epoch: u64,
    pub(super) lane: Lane,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lane {
    /// Debug and info: given up first.
    #[default]
    Common,
    /// Warnings and errors.
    Grave,
}

impl Queue {
    pub(super) fn new(memory: usize, source: u64) -> Self {
        let limits = Limits {
            memory,
            chunk: (memory / 16).clamp(1024, 128 * 1024),
        };
        // room for all there can be, so that a log call never makes these grow
        let chunks = memory / limits.chunk + 4;
        Self {
            open: [Chunk::default(), Chunk::of(Lane::Grave)],
            sealed: VecDeque::with_capacity(chunks),
            free: Vec::with_capacity(chunks),
            limits,
            memory: 0,
            waiting: 0,
            ids: Ids::new(source),
            stats: Stats::default(),
            epoch: 0,
            undecided: VecDeque::with_capacity(64),
            unnoticed: 0,
            no_objects: 0,
            too_long: 0,
            is_closed: false,
            is_over: false,
            given_up: 0,
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    /// Whether the caller's side has nothing to say.
    pub(super) fn is_silent(&self) -> bool {
        self.unnoticed + self.no_objects + self.too_long == 0
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// Takes a line, or counts why not.
    pub(super) fn push(&mut self, line: &[u8], lane: Lane) {
        self.stats.accepted += 1;
        if self.is_closed {
            self.stats.dropped += 1;
            return;
        }
        let length = line.len() + OVERHEAD;
        if length > self.limits.memory / 4 {
            self.stats.refused += 1;
            self.too_long += 1;
            return;
        }
        let open = &self.open[lane as usize];
        if open.bytes.capacity() - open.bytes.len() < length {
            self.seal(lane);
            match self.chunk(length, lane) {
                Some(bytes) => self.open[lane as usize].bytes = bytes,
                None => {
                    self.stats.dropped += 1;
                    self.unnoticed += 1;
                    return;
                }
            }
        }
        let open = &mut self.open[lane as usize];
        self.ids.next().frame(&mut open.bytes, line);
        open.records += 1;
        self.waiting += length;
        self.stats.queued += 1;
    }

    pub(super) fn refuse(&mut self) {
        self.stats.accepted += 1;
        self.stats.refused += 1;
        self.no_objects += 1;
    }

    /// Memory for a chunk of `length` at least, made or taken back within the limit.
    fn chunk(&mut self, length: usize, lane: Lane) -> Option<Vec<u8>> {
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
                None if lane == Lane::Grave => self.give_up_common()?,
                None => return None,
            }
        }
    }

    /// Drops the oldest chunk of common records, if there is one.
    fn give_up_common(&mut self) -> Option<()> {
        let oldest = self
            .sealed
            .iter()
            .position(|chunk| chunk.lane == Lane::Common);
        let chunk = match oldest {
            Some(at) => self.sealed.remove(at)?,
            None if self.open[0].records > 0 => {
                self.seal(Lane::Common);
                self.sealed.pop_back()?
            }
            None => return None,
        };
        let records = chunk.records as u64;
        self.waiting -= chunk.bytes.len();
        self.unnoticed += records;
        self.dropped(chunk.epoch, records);
        self.give_back(chunk.bytes);
        Some(())
    }

    fn seal(&mut self, lane: Lane) {
        let open = &mut self.open[lane as usize];
        if open.records == 0 {
            let bytes = std::mem::take(&mut open.bytes);
            self.give_back(bytes);
            return;
        }
        let mut chunk = std::mem::replace(open, Chunk::of(lane));
        chunk.epoch = self.epoch;
        let records = chunk.records as u64;
        match self.undecided.back_mut() {
            Some((epoch, undecided)) if *epoch == self.epoch => *undecided += records,
            _ => self.undecided.push_back((self.epoch, records)),
        }
        self.sealed.push_back(chunk);
        self.ids.tick(SystemTime::now());
    }

    /// What is to be sent next: about `most` bytes, warnings and errors first, then the oldest first.
    pub(super) fn take(&mut self, most: usize) -> Vec<Chunk> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        for lane in [Lane::Grave, Lane::Common] {
            let is_in_lane = |chunk: &Chunk| chunk.lane == lane;
            let sealed = self.sealed.iter().filter(|chunk| is_in_lane(chunk));
            let sealed: usize = sealed.map(|chunk| chunk.bytes.len()).sum();
            // errors do not wait until their chunk is full, however much there is of the others
            if lane == Lane::Grave || bytes + sealed < most {
                self.seal(lane);
            }
            while let Some(at) = self.sealed.iter().position(is_in_lane) {
                let length = self.sealed[at].bytes.len();
                if bytes > 0 && bytes + length > most {
                    break;
                }
                bytes += length;
                taken.extend(self.sealed.remove(at));
            }
        }
        self.waiting -= bytes;
        taken
    }

    /// Marks what there is now: [`left`](Self::left) will say when all of it is decided.
    pub(super) fn mark(&mut self) -> u64 {
        self.seal(Lane::Common);
        self.seal(Lane::Grave);
        self.epoch += 1;
        self.epoch - 1
    }

    /// How many records up to that mark are undecided.
    pub(super) fn left(&self, mark: u64) -> u64 {
        let marked = self
            .undecided
            .iter()
            .take_while(|(epoch, _)| *epoch <= mark);
        marked.map(|(_, undecided)| undecided).sum()
    }

    /// Whether somebody waits for what is in here.
    pub(super) fn is_marked(&self) -> bool {
        self.sealed.iter().any(|chunk| chunk.epoch < self.epoch)
    }

    pub(super) fn stored(&mut self, epoch: u64, records: u64) {
        if self.is_closed {
            return;
        }
        self.stats.indexed += records;
        self.decided(epoch, records);
    }

    pub(super) fn refused(&mut self, epoch: u64) {
        if self.is_closed {
            return;
        }
        self.stats.refused += 1;
        self.decided(epoch, 1);
    }

    fn dropped(&mut self, epoch: u64, records: u64) {
        self.stats.dropped += records;
        self.decided(epoch, records);
    }

    fn decided(&mut self, epoch: u64, records: u64) {
        self.stats.queued -= records;
        if let Some((_, undecided)) = self.undecided.iter_mut().find(|(of, _)| *of == epoch) {
            *undecided -= records;
        }
        while let Some((_, 0)) = self.undecided.front() {
            self.undecided.pop_front();
        }
    }

    /// Memory that is not needed any more.
    pub(super) fn give_back(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() == self.limits.chunk && !self.is_closed {
            bytes.clear();
            self.free.push(bytes);
        } else {
            self.memory -= bytes.capacity();
        }
    }

    /// Gives everything up; says how much that was.
    pub(super) fn close(&mut self) -> u64 {
        let left = self.stats.queued;
        self.is_closed = true;
        self.given_up = left;
        self.stats.dropped += left;
        self.stats.queued = 0;
        self.undecided.clear();
        self.waiting = 0;
        self.open = [Chunk::default(), Chunk::of(Lane::Grave)];
        self.sealed = VecDeque::new();
        self.free = Vec::new();
        left
    }
}

impl Chunk {
    fn of(lane: Lane) -> Self {
        Self {
            lane,
            ..Self::default()
        }
    }
}
