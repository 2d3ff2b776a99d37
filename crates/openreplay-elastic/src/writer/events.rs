use openreplay_buffer::Topic;

use super::Shared;
use crate::bulk::Events;

impl Events for Shared {
    fn stored(&self, tag: u64, records: usize) {
        Shared::stored(self, tag, records);
    }

    fn refused(&self, tag: u64, _why: &str) {
        self.rejected(tag);
    }

    fn say(&self, topic: Topic, text: &str) {
        self.diagnostics().report(topic, text);
    }
}
