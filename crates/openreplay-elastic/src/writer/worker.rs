use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use openreplay_buffer::{Chunk, Interval};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tracing_core::Dispatch;
use tracing_core::dispatcher;

use super::Shared;
use crate::bulk::{Batch, Delivery, Piece};
use crate::topic;

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
    let reporter = Arc::clone(shared);
    tasks.spawn_local(async move { reporter.report_losses().await });
    let mut senders = JoinSet::new();
    for delivery in deliveries {
        senders.spawn_local_on(deliver(Arc::clone(shared), delivery, interval), &tasks);
    }
    runtime.block_on(async {
        let all = tasks.run_until(outlive(senders, shared));
        tokio::select! {
            () = all => {}
            () = ended(shared.end()) => {}
        }
    });
    shared.report_last_losses();
    // a name that is still being looked up must not hold up the end
    runtime.shutdown_background();
}

/// Waits for all of them, and reports one that ends early. Its records are dropped when the
/// accounts are closed.
async fn outlive(mut senders: JoinSet<()>, shared: &Shared) {
    while let Some(ended) = senders.join_next().await {
        if ended.is_err_and(|error| error.is_panic()) {
            let rest = match senders.len() {
                0 => "all further records are dropped",
                _ => "the records in flight are not confirmed",
            };
            shared.diagnostics().report(
                topic::DEFECT,
                &format!("bug in openreplay-elastic: the sending task panicked; {rest}"),
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
            let mut next = pin!(shared.next(interval, &mut due));
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
            // the other senders must notice the end, too
            shared.wake_sender();
            return delivery.finish(&*shared, &*shared).await;
        }
        let batch = batch(&shared, chunks);
        delivery.deliver(batch, &*shared, &*shared).await;
        shared.report_drops("openreplay_elastic");
    }
}

fn batch(shared: &Arc<Shared>, chunks: Vec<Chunk>) -> Batch {
    let piece = |chunk: Chunk| Piece {
        records: chunk.records(),
        tag: chunk.id(),
        bytes: Bytes::from_owner(shared.lend(chunk)),
    };
    Batch::new(chunks.into_iter().map(piece).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use openreplay_buffer::{Diagnostics, Options};

    use super::*;
    use crate::bulk::Ids;

    type Heard = Arc<Mutex<Vec<String>>>;

    fn new(diagnostics: Diagnostics) -> Shared {
        Shared::new(
            Options::new("Elasticsearch").memory_bytes(0),
            Ids::new(1),
            diagnostics,
        )
    }

    fn shared() -> (Arc<Shared>, Heard) {
        let heard = Heard::default();
        let ear = Arc::clone(&heard);
        let diagnostics = Diagnostics::to(move |text| {
            ear.lock().unwrap().push(text.to_owned());
        });
        (Arc::new(new(diagnostics)), heard)
    }

    #[tokio::test]
    async fn a_panic_of_the_sender_is_reported_and_the_remaining_records_are_dropped() {
        let (shared, heard) = shared();
        shared.push(b"{}", None);
        let closing = Closing(Arc::clone(&shared));
        let mut senders = JoinSet::new();
        senders.spawn(async { panic!("a bug") });
        outlive(senders, &shared).await;
        drop(closing);
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "bug in openreplay-elastic: the sending task panicked; all further records are dropped",
                "stopped with 1 records that Elasticsearch has not confirmed",
            ]
        );
        let stats = shared.stats();
        assert_eq!((stats.accepted, stats.dropped, stats.queued), (1, 1, 0));
        assert!(shared.is_closed());
    }
}
