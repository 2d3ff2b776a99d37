//! Whether records reach Elasticsearch. Each change is reported once. No I/O.

use openreplay_buffer::Topic;

use crate::topic;

/// Whether records reach Elasticsearch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Records are delivered, as far as is known: the last request succeeded, or there was none
    /// yet.
    #[default]
    Working,
    /// Records wait, for this reason.
    Failing(String),
}

impl Health {
    /// Notes a report. Returns whether records wait from now on.
    pub(super) fn fail(&mut self, topic: Topic, text: &str) -> bool {
        let is_new = *self == Self::Working && keeps_records_waiting(topic);
        if is_new {
            *self = Self::Failing(text.to_owned());
        }
        is_new
    }

    /// Notes a successful delivery. Returns whether records waited before.
    pub(super) fn work(&mut self) -> bool {
        std::mem::take(self) != Self::Working
    }
}

fn keeps_records_waiting(topic: Topic) -> bool {
    [
        topic::UNREACHABLE,
        topic::CREDENTIALS,
        topic::MISSING,
        topic::RESPONSE,
    ]
    .contains(&topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_reported_once() {
        let mut health = Health::default();
        assert!(!health.work());
        assert!(!health.fail(topic::REJECTED, "a record was rejected"));
        assert!(health.fail(topic::UNREACHABLE, "no server responds"));
        assert!(!health.fail(topic::MISSING, "no alias"));
        assert_eq!(health, Health::Failing("no server responds".to_owned()));
        assert!(health.work());
        assert!(!health.work());
        assert!(health.fail(topic::UNREACHABLE, "again"));
    }
}
