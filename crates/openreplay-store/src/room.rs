//! How much a read returns.

/// How much a read may still return.
///
/// Its last record may exceed the bytes, so that every read makes progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl Room {
    /// Room for a number of records of any size.
    pub(crate) fn records(records: usize) -> Self {
        Self {
            records,
            bytes: usize::MAX,
        }
    }

    pub(crate) fn is_left(self) -> bool {
        self.records > 0 && self.bytes > 0
    }

    /// Takes the room of one record.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
