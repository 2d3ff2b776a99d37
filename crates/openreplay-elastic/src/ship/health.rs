//! Whether records arrive: one change at a time. No I/O.

use openreplay_buffer::Topic;

use crate::topic;

/// Whether records arrive at Elasticsearch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// They do, as far as is known: the last request worked, or there was none yet.
    #[default]
    Working,
    /// They wait, for this reason.
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

    /// Notes that records arrived. Returns whether they waited before.
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
    fn each_change_is_one() {
        let mut health = Health::default();
        assert!(!health.work());
        assert!(!health.fail(topic::REJECTED, "a record was rejected"));
        assert!(health.fail(topic::UNREACHABLE, "nobody is there"));
        assert!(!health.fail(topic::MISSING, "no alias"));
        assert_eq!(health, Health::Failing("nobody is there".to_owned()));
        assert!(health.work());
        assert!(!health.work());
        assert!(health.fail(topic::UNREACHABLE, "again"));
    }
}
