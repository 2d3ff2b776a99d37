//! Reports of lost records: in a record of the buffer's own, and to the operator.

use std::time::Duration;

use openreplay_record::{Level, Record};

use crate::{Buffer, Framing, Topic};

/// The time between two checks for new losses.
const GATHER: Duration = Duration::from_secs(1);

const NOT_OBJECTS: Topic = Topic::new("lines are not objects");
const TOO_LONG: Topic = Topic::new("records are too long");
const FULL: Topic = Topic::new("the buffer is full");

/// The numbers of lost records that were not reported yet.
///
/// Losses are reported from another thread, since a log call must not wait for standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) dropped: u64,
    pub(crate) not_objects: u64,
    pub(crate) too_long: u64,
}

impl Losses {
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl<F: Framing> Buffer<F> {
    /// Writes a record with the number of records dropped since the last such record, if any.
    ///
    /// Call this after records were stored, when the buffer has room again.
    pub fn report_drops(&self, logger: &str) {
        let dropped = self.queue().take_unnoticed();
        if dropped == 0 {
            return;
        }
        let destination = self.destination;
        let message =
            format!("{dropped} records were dropped: the buffer for {destination} was full");
        let mut record = Record::now(Level::Warning, message);
        record.logger = Some(logger);
        let wake = self.queue().notice(dropped, record.to_json().as_bytes());
        self.wake(wake);
    }

    /// Reports losses to the operator until the future is dropped.
    ///
    /// The first loss of each kind is reported at once, later ones at most once a minute.
    pub async fn report_losses(&self) {
        loop {
            self.report.notified().await;
            loop {
                let is_all = self.report_some(|topic| !self.diagnostics.is_quiet(topic));
                tokio::time::sleep(GATHER).await;
                if is_all {
                    break;
                }
            }
        }
    }

    /// Reports all remaining losses, even if the last report is less than a minute old.
    pub fn report_last_losses(&self) {
        self.report_some(|_| true);
    }

    /// Reports the losses of the topics that `may_report` allows. Returns whether none remain.
    fn report_some(&self, may_report: impl Fn(Topic) -> bool) -> bool {
        let mut queue = self.queue();
        let dropped_so_far = queue.stats().dropped;
        let losses = queue.unreported();
        let take = |topic, count: &mut u64| {
            if may_report(topic) {
                std::mem::take(count)
            } else {
                0
            }
        };
        let not_objects = take(NOT_OBJECTS, &mut losses.not_objects);
        let too_long = take(TOO_LONG, &mut losses.too_long);
        let dropped = take(FULL, &mut losses.dropped);
        let is_all = losses.is_empty();
        drop(queue);
        if not_objects > 0 {
            let text = format!(
                "{not_objects} lines were rejected because they are not JSON objects: use a layer that writes JSON, one object per line"
            );
            self.diagnostics.report_now(NOT_OBJECTS, &text);
        }
        if too_long > 0 {
            let text = format!(
                "{too_long} records were rejected because they are longer than a quarter of the buffer"
            );
            self.diagnostics.report_now(TOO_LONG, &text);
        }
        if dropped > 0 {
            let text = format!(
                "the buffer is full; {dropped_so_far} records have been dropped so far, debug and info records first"
            );
            self.diagnostics.report_now(FULL, &text);
        }
        is_all
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{Diagnostics, Lines, Options};

    type Heard = Arc<Mutex<Vec<String>>>;

    fn buffer(prepare: impl FnOnce(Diagnostics) -> Diagnostics) -> (Buffer<Lines>, Heard) {
        let heard = Heard::default();
        let ear = Arc::clone(&heard);
        let diagnostics = Diagnostics::to(move |text| {
            ear.lock().unwrap().push(text.to_owned());
        });
        let options = Options::new("the store")
            .memory_bytes(0)
            .request_bytes(1024);
        (Buffer::new(options, Lines, prepare(diagnostics)), heard)
    }

    fn reject(buffer: &Buffer<Lines>, lines: usize) {
        for _ in 0..lines {
            buffer.push(b"text", None);
        }
    }

    fn rejected(lines: usize) -> String {
        format!(
            "{lines} lines were rejected because they are not JSON objects: use a layer that writes JSON, one object per line"
        )
    }

    #[test]
    fn repeated_losses_are_reported_again() {
        let (buffer, heard) = buffer(Diagnostics::never_quiet);
        let may_report = |topic| !buffer.diagnostics.is_quiet(topic);
        for lines in 1..4 {
            reject(&buffer, lines);
            assert!(buffer.report_some(may_report));
        }
        assert!(buffer.report_some(may_report), "nothing is left to report");
        while buffer.stats().dropped < 7 {
            buffer.push(br#"{"level":"info"}"#, None);
        }
        assert!(buffer.report_some(may_report));
        let full =
            "the buffer is full; 7 records have been dropped so far, debug and info records first";
        let reports = [rejected(1), rejected(2), rejected(3), full.to_owned()];
        assert_eq!(*heard.lock().unwrap(), reports);
    }

    #[test]
    fn losses_within_a_minute_of_a_report_are_reported_at_the_end() {
        let (buffer, heard) = buffer(|diagnostics| diagnostics);
        let may_report = |topic| !buffer.diagnostics.is_quiet(topic);
        reject(&buffer, 1);
        assert!(buffer.report_some(may_report));
        for _ in 0..3 {
            reject(&buffer, 5);
            assert!(!buffer.report_some(may_report));
        }
        assert_eq!(*heard.lock().unwrap(), [rejected(1)]);
        buffer.report_last_losses();
        buffer.report_last_losses();
        assert_eq!(*heard.lock().unwrap(), [rejected(1), rejected(15)]);
    }

    #[test]
    fn dropped_records_are_counted_in_a_record_once() {
        let (buffer, _) = buffer(|diagnostics| diagnostics);
        while buffer.stats().dropped < 3 {
            buffer.push(br#"{"level":"info"}"#, None);
        }
        let taken = buffer.queue().take(usize::MAX);
        for chunk in taken {
            buffer.queue().give_back(chunk.bytes);
        }
        buffer.report_drops("example");
        buffer.report_drops("example");
        let chunks = buffer.queue().take(usize::MAX);
        let text: String = chunks
            .iter()
            .map(|chunk| String::from_utf8_lossy(&chunk.bytes))
            .collect();
        let message = r#""message":"3 records were dropped: the buffer for the store was full","log.logger":"example""#;
        assert_eq!(
            (text.lines().count(), text.contains(message)),
            (1, true),
            "{text}"
        );
    }

    #[tokio::test]
    async fn the_reporter_continues_after_a_report() {
        let (buffer, heard) = buffer(Diagnostics::never_quiet);
        let buffer = Arc::new(buffer);
        let reporter = Arc::clone(&buffer);
        tokio::spawn(async move { reporter.report_losses().await });
        for round in 1..3 {
            reject(&buffer, round);
            while heard.lock().unwrap().len() < round {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        assert_eq!(*heard.lock().unwrap(), [1, 2].map(rejected));
    }
}
