//! What the writer has to say about itself: in a record, and to the operator.

use std::sync::Arc;
use std::time::Duration;

use openreplay_record::{Level, Record};

use super::shared::Shared;
use crate::diagnostics::Topic;

/// The caller's side is listened to this often.
const LISTEN: Duration = Duration::from_secs(1);

/// Writes a record of what was dropped, now that something went through again.
pub(super) fn notice(shared: &Shared) {
    let dropped = shared.queue().take_unnoticed();
    if dropped == 0 {
        return;
    }
    let message = format!("{dropped} records were dropped: the buffer for Elasticsearch was full");
    let mut record = Record::now(Level::Warning, message);
    record.logger = Some("openreplay_elastic");
    let news = shared.queue().notice(dropped, record.to_json().as_bytes());
    shared.spread(news);
}

/// Says what the log calls could not say themselves: they must not wait for standard error.
pub(super) async fn listen(shared: Arc<Shared>) {
    loop {
        shared.word.notified().await;
        loop {
            let is_all_said = report(&shared, |topic| !shared.diagnostics.is_quiet(topic));
            tokio::time::sleep(LISTEN).await;
            if is_all_said {
                break;
            }
        }
    }
}

/// The same at the end, however short a time ago something like it was said.
pub(super) fn last(shared: &Shared) {
    report(shared, |_| true);
}

/// Says whether there is no more to say.
fn report(shared: &Shared, may_say: impl Fn(Topic) -> bool) -> bool {
    let mut queue = shared.queue();
    let dropped_so_far = queue.stats().dropped;
    let unsaid = queue.unsaid();
    let take = |topic, count: &mut u64| match may_say(topic) {
        true => std::mem::take(count),
        false => 0,
    };
    let no_objects = take(Topic::NoObject, &mut unsaid.no_objects);
    let too_long = take(Topic::TooLong, &mut unsaid.too_long);
    let dropped = take(Topic::Full, &mut unsaid.dropped);
    let is_all_said = unsaid.is_empty();
    drop(queue);
    for (topic, count, text) in [
        (
            Topic::NoObject,
            no_objects,
            format!(
                "{no_objects} lines were refused, since they are no JSON objects: use a layer that writes JSON, one object a line"
            ),
        ),
        (
            Topic::TooLong,
            too_long,
            format!(
                "{too_long} records were refused, since they are longer than a quarter of the buffer"
            ),
        ),
        (
            Topic::Full,
            dropped,
            format!(
                "the buffer is full; {dropped_so_far} records are dropped so far, debug and info first"
            ),
        ),
    ] {
        if count > 0 {
            shared.diagnostics.say_now(topic, &text);
        }
    }
    is_all_said
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::queue::Queue;
    use super::*;
    use crate::diagnostics::Diagnostics;

    type Heard = Arc<Mutex<Vec<String>>>;

    fn shared(prepare: impl FnOnce(Diagnostics) -> Diagnostics) -> (Shared, Heard) {
        let heard = Heard::default();
        let ear = Arc::clone(&heard);
        let diagnostics = Diagnostics::to(Box::new(move |text| {
            ear.lock().unwrap().push(text.to_owned());
        }));
        let queue = Queue::new(64 * 1024, 1024, 1);
        (Shared::new(queue, prepare(diagnostics)), heard)
    }

    fn refuse(shared: &Shared, lines: usize) {
        for _ in 0..lines {
            shared.push(b"text", None);
        }
    }

    fn refused(lines: usize) -> String {
        format!(
            "{lines} lines were refused, since they are no JSON objects: use a layer that writes JSON, one object a line"
        )
    }

    #[test]
    fn what_happens_again_is_said_again() {
        let (shared, heard) = shared(Diagnostics::never_quiet);
        let may_say = |topic| !shared.diagnostics.is_quiet(topic);
        for lines in 1..4 {
            refuse(&shared, lines);
            assert!(report(&shared, may_say));
        }
        assert!(report(&shared, may_say), "nothing is left to say");
        while shared.stats().dropped < 7 {
            shared.push(br#"{"level":"info"}"#, None);
        }
        assert!(report(&shared, may_say));
        let full = "the buffer is full; 7 records are dropped so far, debug and info first";
        let said = [refused(1), refused(2), refused(3), full.to_owned()];
        assert_eq!(*heard.lock().unwrap(), said);
    }

    #[test]
    fn what_was_said_just_now_waits_and_is_said_at_the_end() {
        let (shared, heard) = shared(|diagnostics| diagnostics);
        let may_say = |topic| !shared.diagnostics.is_quiet(topic);
        refuse(&shared, 1);
        assert!(report(&shared, may_say));
        for _ in 0..3 {
            refuse(&shared, 5);
            assert!(!report(&shared, may_say));
        }
        assert_eq!(*heard.lock().unwrap(), [refused(1)]);
        last(&shared);
        last(&shared);
        assert_eq!(*heard.lock().unwrap(), [refused(1), refused(15)]);
    }

    #[tokio::test]
    async fn listens_again_and_again() {
        let (shared, heard) = shared(Diagnostics::never_quiet);
        let shared = Arc::new(shared);
        tokio::spawn(listen(Arc::clone(&shared)));
        for round in 1..3 {
            refuse(&shared, round);
            while heard.lock().unwrap().len() < round {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        assert_eq!(*heard.lock().unwrap(), [1, 2].map(refused));
    }
}
