use std::pin::pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tracing_core::Dispatch;
use tracing_core::dispatcher;

use super::chunk::Chunk;
use super::interval::Interval;
use super::shared::Shared;
use super::words;
use crate::bulk::{Batch, Delivery, Piece};
use crate::diagnostics::Topic;

/// Sends until the end: one request at a time for each of `deliveries`.
pub(super) fn run(
    shared: &Arc<Shared>,
    deliveries: Vec<Delivery>,
    interval: Interval,
    runtime: Runtime,
) {
    // closes the books even where something here panics
    let _closing = Closing(Arc::clone(shared));
    // what this thread does must not log through the app: the app's records would never end
    let _silent = dispatcher::set_default(&Dispatch::none());
    let tasks = LocalSet::new();
    tasks.spawn_local(words::listen(Arc::clone(shared)));
    let mut senders = JoinSet::new();
    for delivery in deliveries {
        senders.spawn_local_on(deliver(Arc::clone(shared), delivery, interval), &tasks);
    }
    runtime.block_on(async {
        let all = tasks.run_until(outlive(senders, shared));
        tokio::select! {
            () = all => {}
            () = ended(shared.end.subscribe()) => {}
        }
    });
    words::last(shared);
    // a name that is still being looked up must not hold up the end
    runtime.shutdown_background();
}

/// Waits for all of them, and says so where one ends before its time. What it had is dropped when the books are closed.
async fn outlive(mut senders: JoinSet<()>, shared: &Shared) {
    while let Some(ended) = senders.join_next().await {
        if ended.is_err_and(|error| error.is_panic()) {
            let rest = match senders.len() {
                0 => "every record from now on is dropped",
                _ => "what it was sending is not confirmed",
            };
            shared.diagnostics.say(
                Topic::Defect,
                &format!("a defect: what sends to Elasticsearch has panicked, and {rest}"),
            );
        }
    }
}

struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn ended(mut end: watch::Receiver<Option<Instant>>) {
    loop {
        let known = *end.borrow_and_update();
        let changed = end.changed();
        match known {
            None => {
                if changed.await.is_err() {
                    return;
                }
            }
            Some(end) => {
                tokio::select! {
                    () = tokio::time::sleep_until(end.into()) => return,
                    // a second call may have less patience
                    _ = changed => {}
                }
            }
        }
    }
}

async fn deliver(shared: Arc<Shared>, mut delivery: Delivery, interval: Interval) {
    let mut due = None;
    loop {
        let chunks = {
            let mut next = pin!(next(&shared, interval, &mut due));
            loop {
                tokio::select! {
                    biased;
                    chunks = &mut next => break chunks,
                    () = delivery.until_due(&*shared) => {}
                }
                delivery.retry(&*shared, &*shared).await;
            }
        };
        if chunks.is_empty() {
            // the end is news for the others, too
            shared.work.notify_one();
            return delivery.finish(&*shared, &*shared).await;
        }
        let batch = batch(&shared, chunks);
        delivery.deliver(batch, &*shared, &*shared).await;
        words::notice(&shared);
    }
}

/// The next chunks to send, when it is time to; none at the end. `due` is when that is, where records may be waiting for it.
async fn next(shared: &Shared, interval: Interval, due: &mut Option<Instant>) -> Vec<Chunk> {
    loop {
        let hurry = shared.hurry.notified();
        let is_time = due.is_some_and(|due| Instant::now() >= due);
        let look = look(shared, interval, is_time);
        let ends = || Instant::now() + interval.ends(SystemTime::now());
        match look {
            Look::Send(chunks) => {
                *due = Some(ends());
                return chunks;
            }
            Look::SendLater(chunks) => {
                // what comes from now on belongs to the next interval
                *due = Some(ends());
                tokio::select! {
                    () = tokio::time::sleep(interval.delay()) => {}
                    () = hurry => {}
                }
                return chunks;
            }
            Look::Wait => {
                let due = *due.get_or_insert_with(ends);
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = shared.work.notified() => {}
                }
            }
            Look::Empty => {
                *due = None;
                shared.work.notified().await;
            }
        }
    }
}

enum Look {
    Send(Vec<Chunk>),
    SendLater(Vec<Chunk>),
    Wait,
    Empty,
}

fn look(shared: &Shared, interval: Interval, is_time: bool) -> Look {
    let is_ending = shared.end.borrow().is_some();
    let mut queue = shared.queue();
    let waiting = queue.waiting();
    let at_once = is_ending || waiting > 0 && (waiting >= interval.bytes || queue.is_marked());
    if at_once || waiting > 0 && is_time {
        let chunks = queue.take(interval.bytes);
        if queue.waiting() > 0 {
            // for another request, where more than one may be on its way
            shared.work.notify_one();
        }
        match at_once {
            true => Look::Send(chunks),
            false => Look::SendLater(chunks),
        }
    } else if waiting > 0 {
        Look::Wait
    } else {
        Look::Empty
    }
}

fn batch(shared: &Arc<Shared>, chunks: Vec<Chunk>) -> Batch {
    let piece = |chunk: Chunk| Piece {
        records: chunk.records,
        tag: chunk.id,
        bytes: Bytes::from_owner(Lent {
            bytes: chunk.bytes,
            shared: Arc::clone(shared),
        }),
    };
    Batch::new(chunks.into_iter().map(piece).collect())
}

/// A chunk's memory on its way, which goes back when nothing refers to it any more.
struct Lent {
    bytes: Vec<u8>,
    shared: Arc<Shared>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.shared.queue().give_back(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::super::queue::Queue;
    use super::*;
    use crate::diagnostics::Diagnostics;

    type Heard = Arc<Mutex<Vec<String>>>;

    fn shared() -> (Arc<Shared>, Heard) {
        let heard = Heard::default();
        let ear = Arc::clone(&heard);
        let diagnostics = Diagnostics::to(Box::new(move |text| {
            ear.lock().unwrap().push(text.to_owned());
        }));
        let shared = Shared::new(Queue::new(64 * 1024, 1024, 1), diagnostics);
        (Arc::new(shared), heard)
    }

    #[tokio::test]
    async fn waits_for_any_interval_until_somebody_asks() {
        let (shared, _) = shared();
        shared.push(b"{}", None);
        let interval = Interval::new(Duration::MAX, 1024);
        let waiting = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { next(&shared, interval, &mut None).await }
        });
        while shared.queue().waiting() > 0 {
            assert!(!waiting.is_finished(), "it has no time for it");
            tokio::task::yield_now().await;
            // asked once it waits: it has been polled by now
            shared.queue().mark();
            shared.work.notify_one();
        }
        let chunks = waiting.await.unwrap();
        assert_eq!((chunks.len(), chunks[0].records), (1, 1));
    }

    #[tokio::test]
    async fn a_sender_that_panics_is_said_and_what_is_left_is_dropped() {
        let (shared, heard) = shared();
        shared.push(b"{}", None);
        let closing = Closing(Arc::clone(&shared));
        let mut senders = JoinSet::new();
        senders.spawn(async { panic!("a defect") });
        outlive(senders, &shared).await;
        drop(closing);
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "a defect: what sends to Elasticsearch has panicked, and every record from now on is dropped",
                "stopped with 1 records that Elasticsearch has not confirmed",
            ]
        );
        let stats = shared.stats();
        assert_eq!((stats.accepted, stats.dropped, stats.queued), (1, 1, 0));
        assert!(shared.queue().is_over);
    }

    #[test]
    fn what_was_left_is_known_though_saying_so_takes_longer_than_the_limit() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let held = Mutex::new(held);
        let slow = Diagnostics::to(Box::new(move |_| {
            let _ = held.lock().unwrap().recv();
        }));
        let shared = Arc::new(Shared::new(Queue::new(64 * 1024, 1024, 1), slow));
        shared.push(b"{}", None);
        let closing = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.close()
        });
        while !shared.queue().is_closed {
            std::thread::yield_now();
        }
        assert_eq!(shared.shut_down(Duration::ZERO).left(), 1);
        drop(hold);
        closing.join().unwrap();
    }
}
