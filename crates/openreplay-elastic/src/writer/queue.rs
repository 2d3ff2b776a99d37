use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use super::Stats;
use super::chunk::{Chunk, Lane};
use super::ledger::{Beginning, Ledger, Mark};
use crate::bulk::{Ids, OVERHEAD};

/// Those of 2 GiB: what holds more grows when it comes to that.
const MOST_CHUNKS: usize = 16 * 1024;

/// Records waiting, framed where they lie, in chunks of memory that go round; and the books.
///
/// Two lanes: warnings and errors have chunks of their own, so that the others can be given up when memory runs out.
#[derive(Debug)]
pub(super) struct Queue {
    open: [Chunk; 2],
    /// Oldest first.
    sealed: [VecDeque<Chunk>; 2],
    free: Vec<Vec<u8>>,
    limits: Limits,
    /// Memory of all chunks: open, sealed, free, and on their way.
    memory: usize,
    /// What waits, in bytes; what is on its way is not in it.
    waiting: usize,
    /// With how much waiting there is news for the sender.
    news_at: usize,
    ids: Ids,
    stats: Stats,
    ledger: Ledger,
    /// Somebody waits for the chunks before this one.
    marked: u64,
    /// And for no longer than this.
    pub(super) awaited_until: Option<Instant>,
    /// Dropped for want of room, and no notice of it written yet.
    unnoticed: u64,
    unsaid: Unsaid,
    /// Nobody sends any more.
    pub(super) is_closed: bool,
    /// And that has been said.
    pub(super) is_over: bool,
    /// What was left then.
    pub(super) given_up: u64,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    /// For the memory of all chunks.
    memory: usize,
    chunk: usize,
    /// So much is sent at once.
    request: usize,
}

/// What the log calls could not say themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unsaid {
    pub(super) dropped: u64,
    pub(super) no_objects: u64,
    pub(super) too_long: u64,
}

impl Unsaid {
    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// What a line brings about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(super) struct News {
    /// There is something to send, or enough for a request.
    pub(super) work: bool,
    /// There is something to say.
    pub(super) word: bool,
}

impl Queue {
    /// With `memory` for records, of which about `request` are sent at once; `source` makes the `_id`s its own.
    pub(super) fn new(memory: usize, request: usize, source: u64) -> Self {
        let limits = Limits {
            memory,
            chunk: (memory / 16).clamp(1024, 128 * 1024),
            request,
        };
        // room for all there can be, so that a log call never makes these grow
        let chunks = (memory / limits.chunk).min(MOST_CHUNKS) + 4;
        Self {
            open: Default::default(),
            sealed: [(); 2].map(|()| VecDeque::with_capacity(chunks)),
            free: Vec::with_capacity(chunks),
            limits,
            memory: 0,
            waiting: 0,
            news_at: 1,
            ids: Ids::new(source),
            stats: Stats::default(),
            // those of chunks that are given up stay for as long as an older one is on its way
            ledger: Ledger::with_capacity(4 * chunks),
            marked: 0,
            awaited_until: None,
            unnoticed: 0,
            unsaid: Unsaid::default(),
            is_closed: false,
            is_over: false,
            given_up: 0,
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// Takes a line, or counts why not.
    #[inline]
    pub(super) fn push(&mut self, line: &[u8], lane: Lane) -> News {
        if self.open[lane as usize].room() < line.len() + OVERHEAD {
            return self.push_anew(line, lane);
        }
        let work = self.put(line, lane);
        News { work, word: false }
    }

    /// Where the open chunk has no room, or there is none.
    #[cold]
    fn push_anew(&mut self, line: &[u8], lane: Lane) -> News {
        let was_silent = self.unsaid.is_empty();
        let work = if self.make_room(line.len() + OVERHEAD, lane) {
            self.put(line, lane)
        } else {
            self.give_up(line.len() + OVERHEAD);
            false
        };
        let word = was_silent && !self.unsaid.is_empty();
        News { work, word }
    }

    /// Counts a line that is none.
    pub(super) fn refuse(&mut self) -> News {
        let word = self.unsaid.is_empty();
        self.stats.accepted += 1;
        self.stats.refused += 1;
        self.unsaid.no_objects += 1;
        News { work: false, word }
    }

    /// Takes a notice of `dropped` records; without room for it, they are left for a later one.
    pub(super) fn notice(&mut self, dropped: u64, line: &[u8]) -> News {
        let was_silent = self.unsaid.is_empty();
        let length = line.len() + OVERHEAD;
        let fits = self.open[Lane::Grave as usize].room() >= length;
        let work = if fits || self.make_room(length, Lane::Grave) {
            self.put(line, Lane::Grave)
        } else {
            self.unnoticed += dropped;
            false
        };
        let word = was_silent && !self.unsaid.is_empty();
        News { work, word }
    }

    /// Takes a line that there is room for; says whether that is news for the sender.
    #[inline]
    fn put(&mut self, line: &[u8], lane: Lane) -> bool {
        let open = &mut self.open[lane as usize];
        self.ids.next().frame(&mut open.bytes, line);
        open.records += 1;
        self.stats.accepted += 1;
        self.stats.queued += 1;
        self.waiting += line.len() + OVERHEAD;
        let is_news = self.waiting >= self.news_at;
        if is_news {
            self.expect_news();
        }
        is_news
    }

    fn expect_news(&mut self) {
        self.news_at = match self.waiting {
            0 => 1,
            waiting if waiting < self.limits.request => self.limits.request,
            _ => usize::MAX,
        };
    }

    fn give_up(&mut self, length: usize) {
        self.stats.accepted += 1;
        if self.is_closed {
            self.stats.dropped += 1;
        } else if self.is_too_long(length) {
            self.stats.refused += 1;
            self.unsaid.too_long += 1;
        } else {
            self.stats.dropped += 1;
            self.unnoticed += 1;
            self.unsaid.dropped += 1;
        }
    }

    fn is_too_long(&self, length: usize) -> bool {
        length > self.limits.memory / 4
    }

    /// Opens a chunk with memory for `length` at least, made or taken back within the limit.
    fn make_room(&mut self, length: usize, lane: Lane) -> bool {
        if self.is_closed || self.is_too_long(length) {
            return false;
        }
        self.seal(lane);
        let Some(bytes) = self.memory_for(length, lane) else {
            return false;
        };
        self.open[lane as usize] = Chunk {
            bytes,
            id: self.ledger.open(),
            records: 0,
        };
        true
    }

    fn memory_for(&mut self, length: usize, lane: Lane) -> Option<Vec<u8>> {
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
        if self.sealed[Lane::Common as usize].is_empty() {
            self.seal(Lane::Common);
        }
        let chunk = self.sealed[Lane::Common as usize].pop_front()?;
        let records = chunk.records as u64;
        self.waiting -= chunk.bytes.len();
        self.expect_news();
        self.unnoticed += records;
        self.unsaid.dropped += records;
        self.stats.dropped += records;
        self.decided(chunk.id, records);
        self.give_back(chunk.bytes);
        Some(())
    }

    fn seal(&mut self, lane: Lane) {
        if self.open[lane as usize].records == 0 {
            return;
        }
        let chunk = std::mem::take(&mut self.open[lane as usize]);
        self.ledger.count(chunk.id, chunk.records as u64);
        self.sealed[lane as usize].push_back(chunk);
        self.ids.tick(SystemTime::now());
    }

    /// What is to be sent next: about `most` bytes, warnings and errors first, then the oldest first.
    pub(super) fn take(&mut self, most: usize) -> Vec<Chunk> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        for lane in [Lane::Grave, Lane::Common] {
            let sealed = self.sealed[lane as usize].iter();
            let sealed: usize = sealed.map(|chunk| chunk.bytes.len()).sum();
            // errors do not wait until their chunk is full, however much there is of the others
            if lane == Lane::Grave || bytes + sealed < most {
                self.seal(lane);
            }
            while let Some(chunk) = self.sealed[lane as usize].front() {
                let length = chunk.bytes.len();
                if bytes > 0 && bytes + length > most {
                    break;
                }
                bytes += length;
                taken.extend(self.sealed[lane as usize].pop_front());
            }
        }
        self.waiting -= bytes;
        self.expect_news();
        taken
    }

    /// Marks what there is now, to be sent at once: [`left`](Self::left) will say when all of it is decided.
    pub(super) fn mark(&mut self) -> Mark {
        self.marked = self.ledger.next();
        Mark {
            end: self.marked,
            open: [0, 1].map(|lane| Beginning {
                chunk: self.open[lane].id,
                records: self.open[lane].records as u64,
            }),
        }
    }

    /// How many records from before that mark are undecided.
    pub(super) fn left(&mut self, mark: &Mark) -> u64 {
        for open in self.open.iter().filter(|open| open.records > 0) {
            self.ledger.count(open.id, open.records as u64);
        }
        self.ledger.left(mark)
    }

    /// Whether somebody waits for a record that is undecided.
    pub(super) fn is_awaited(&self) -> bool {
        self.ledger.first() < self.marked
    }

    /// Whether somebody waits for what is in here.
    pub(super) fn is_marked(&self) -> bool {
        let sealed = self.sealed.iter().filter_map(VecDeque::front);
        let open = self.open.iter().filter(|open| open.records > 0);
        sealed.chain(open).any(|chunk| chunk.id < self.marked)
    }

    pub(super) fn stored(&mut self, chunk: u64, records: u64) {
        if !self.is_closed {
            self.stats.indexed += records;
            self.decided(chunk, records);
        }
    }

    pub(super) fn refused(&mut self, chunk: u64) {
        if !self.is_closed {
            self.stats.refused += 1;
            self.decided(chunk, 1);
        }
    }

    fn decided(&mut self, chunk: u64, records: u64) {
        self.stats.queued -= records;
        self.ledger.decide(chunk, records);
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

    /// How many records were dropped since the last notice.
    pub(super) fn take_unnoticed(&mut self) -> u64 {
        std::mem::take(&mut self.unnoticed)
    }

    /// What is to be said: each count may be taken from it.
    pub(super) fn unsaid(&mut self) -> &mut Unsaid {
        &mut self.unsaid
    }

    /// Gives everything up; says how much that was.
    pub(super) fn close(&mut self) -> u64 {
        let left = self.stats.queued;
        self.is_closed = true;
        self.given_up = left;
        self.stats.dropped += left;
        self.stats.queued = 0;
        self.ledger.clear();
        self.waiting = 0;
        self.open = Default::default();
        self.sealed = Default::default();
        self.free = Vec::new();
        left
    }
}
