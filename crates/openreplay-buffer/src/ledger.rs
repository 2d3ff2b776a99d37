use std::collections::VecDeque;

/// The number of undecided records in each chunk, that is, those neither stored, rejected nor
/// dropped.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The chunk of the first entry. Each following entry belongs to the next chunk. 0 is no chunk.
    first: u64,
    undecided: VecDeque<u64>,
}

/// The records that were in the buffer at some moment: complete chunks, and the first records of
/// the chunks that were still open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) end: u64,
    pub(crate) open: [Beginning; 2],
}

/// The first records of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning {
    pub(crate) chunk: u64,
    pub(crate) records: u64,
}

impl Ledger {
    pub(crate) fn with_capacity(chunks: usize) -> Self {
        Self {
            first: 1,
            undecided: VecDeque::with_capacity(chunks),
        }
    }

    /// Returns the oldest chunk with undecided records, or the next one to be opened.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Returns the chunk that will be opened next.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.undecided.len() as u64
    }

    /// Opens a chunk with one undecided record.
    pub(crate) fn open(&mut self) -> u64 {
        let chunk = self.next();
        self.undecided.push_back(1);
        chunk
    }

    /// Sets the current number of records in an open chunk.
    pub(crate) fn count(&mut self, chunk: u64, records: u64) {
        if let Some(undecided) = self.of(chunk) {
            *undecided = records;
        }
    }

    /// Counts records of a chunk as decided.
    pub(crate) fn decide(&mut self, chunk: u64, records: u64) {
        if let Some(undecided) = self.of(chunk) {
            *undecided -= records;
        }
        while let Some(0) = self.undecided.front() {
            self.undecided.pop_front();
            self.first += 1;
        }
    }

    /// Returns the number of undecided records from before the mark.
    pub(crate) fn left(&self, mark: &Mark) -> u64 {
        let marked = (self.first..mark.end).zip(&self.undecided);
        let left = marked.map(|(chunk, undecided)| {
            let open = mark.open.iter().find(|open| open.chunk == chunk);
            open.map_or(*undecided, |open| open.records.min(*undecided))
        });
        left.sum()
    }

    pub(crate) fn clear(&mut self) {
        self.first = self.next();
        self.undecided.clear();
    }

    fn of(&mut self, chunk: u64) -> Option<&mut u64> {
        let at = chunk.checked_sub(self.first)?;
        self.undecided.get_mut(usize::try_from(at).ok()?)
    }
}
