//! Who is notified of what becomes of records.

use openreplay_buffer::Topic;

use super::batch::Batch;

/// Is notified while a delivery goes on.
pub(crate) trait Observer {
    /// Records are stored.
    fn stored(&self, tag: u64, records: usize);
    /// A record was rejected, in its minimal form too.
    fn rejected(&self, tag: u64, why: &str);
    /// The records of a [pinned](Batch::pinned) batch go to this index from now on. Returns whether
    /// they may be sent.
    async fn pin(&self, _batch: &Batch, _index: &str) -> bool {
        true
    }
    /// Something that the operator may want to know.
    fn report(&self, topic: Topic, text: &str);
}
