use std::collections::VecDeque;

/// How many records of each chunk are undecided: neither stored nor refused nor dropped.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The chunk of the first entry; each further entry is of the next. 0 is none.
    first: u64,
    undecided: VecDeque<u64>,
}

/// What there was at some moment: whole chunks, and the beginnings of those that were still open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) end: u64,
    pub(super) open: [Beginning; 2],
}

/// The first records of a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    pub(super) chunk: u64,
    pub(super) records: u64,
}

impl Ledger {
    pub(super) fn with_capacity(chunks: usize) -> Self {
        Self {
            first: 1,
            undecided: VecDeque::with_capacity(chunks),
        }
    }

    /// The oldest chunk with records that are undecided, or the one that will be opened next.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The chunk that will be opened next.
    pub(super) fn next(&self) -> u64 {
        self.first + self.undecided.len() as u64
    }

    /// For a chunk that gets its first record.
    pub(super) fn open(&mut self) -> u64 {
        let chunk = self.next();
        self.undecided.push_back(1);
        chunk
    }

    /// Says how many records an open chunk has by now.
    pub(super) fn count(&mut self, chunk: u64, records: u64) {
        if let Some(undecided) = self.of(chunk) {
            *undecided = records;
        }
    }

    pub(super) fn decide(&mut self, chunk: u64, records: u64) {
        if let Some(undecided) = self.of(chunk) {
            *undecided -= records;
        }
        while let Some(0) = self.undecided.front() {
            self.undecided.pop_front();
            self.first += 1;
        }
    }

    /// How many records from before that mark are undecided.
    pub(super) fn left(&self, mark: &Mark) -> u64 {
        let marked = (self.first..mark.end).zip(&self.undecided);
        let left = marked.map(|(chunk, undecided)| {
            let open = mark.open.iter().find(|open| open.chunk == chunk);
            open.map_or(*undecided, |open| open.records.min(*undecided))
        });
        left.sum()
    }

    pub(super) fn clear(&mut self) {
        self.first = self.next();
        self.undecided.clear();
    }

    fn of(&mut self, chunk: u64) -> Option<&mut u64> {
        let at = chunk.checked_sub(self.first)?;
        self.undecided.get_mut(usize::try_from(at).ok()?)
    }
}
