use openreplay_buffer::Topic;

use super::Shared;
use crate::bulk::Observer;

impl Observer for Shared {
    fn stored(&self, tag: u64, records: usize) {
        Shared::stored(self, tag, records);
    }

    fn rejected(&self, tag: u64, _why: &str) {
        Shared::rejected(self, tag);
    }

    fn report(&self, topic: Topic, text: &str) {
        self.diagnostics().report(topic, text);
    }
}
