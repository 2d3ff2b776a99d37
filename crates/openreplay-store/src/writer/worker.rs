use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use openreplay_buffer::{Chunk, Interval, Lent, Topic};
use tokio::runtime::Runtime;
use tracing_core::{Dispatch, dispatcher};

use super::Shared;
use super::numbered::{Numbered, lines};
use crate::batch::{Batch, new_id};
use crate::entry::Outcome;
use crate::store::Store;

/// OpenReplay keeps the first response that has any record of a session, so records do not wait for
/// long.
const INTERVAL: Duration = Duration::from_millis(200);
/// Between two attempts, such as on a full disk.
const PAUSE: Duration = Duration::from_secs(1);

const FAILED: Topic = Topic::new("records cannot be stored");
const REJECTED: Topic = Topic::new("records are rejected");

/// Stores until the end.
pub(super) fn run(store: Store, shared: &Arc<Shared>, runtime: &Runtime) {
    // closes the books even if something here panics
    let _closing = Closing(Arc::clone(shared));
    // dropped before the books are closed: the guard waits for that, and the store may be the last
    let store = store;
    // what this thread does must not log through the app: the app's records would never end
    let _silent = dispatcher::set_default(&Dispatch::none());
    runtime.block_on(async {
        tokio::select! {
            () = pass_on(&store, shared) => {}
            () = shared.report_losses() => {}
        }
    });
    shared.report_last_losses();
}

struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn pass_on(store: &Store, shared: &Arc<Shared>) {
    // sorts by the start of this writer, then by the order of the log calls
    let writer = new_id();
    let mut due = None;
    loop {
        let chunks = shared.next(Interval::new(INTERVAL), &mut due).await;
        if chunks.is_empty() {
            return;
        }
        let chunks: Vec<_> = chunks
            .into_iter()
            .map(|chunk| Held::new(shared, chunk))
            .collect();
        let Some(outcomes) = store_all(store, shared, &chunks, &writer).await else {
            return;
        };
        let mut outcomes = outcomes.into_iter();
        for chunk in &chunks {
            chunk.settle(shared, outcomes.by_ref().take(chunk.records));
        }
        shared.report_drops("openreplay_store");
    }
}

/// A chunk that was taken out of the buffer.
struct Held {
    id: u64,
    records: usize,
    bytes: Lent<Numbered>,
}

impl Held {
    fn new(shared: &Arc<Shared>, chunk: Chunk) -> Self {
        let (id, records) = (chunk.id(), chunk.records());
        Self {
            id,
            records,
            bytes: shared.lend(chunk),
        }
    }

    fn settle(&self, shared: &Shared, outcomes: impl Iterator<Item = Outcome>) {
        let mut stored = 0;
        for outcome in outcomes {
            match outcome {
                Outcome::Rejected(why) => {
                    shared
                        .diagnostics()
                        .report(REJECTED, &format!("a record is rejected: {why}"));
                    shared.rejected(self.id);
                }
                _ => stored += 1,
            }
        }
        shared.stored(self.id, stored);
    }
}

/// Tries until nothing fails any more; `None` if the end comes first.
async fn store_all(
    store: &Store,
    shared: &Shared,
    chunks: &[Held],
    writer: &str,
) -> Option<Vec<Outcome>> {
    loop {
        // a record that an attempt before has stored exists now
        let outcomes = attempt(store, chunks, writer).await?;
        let failed = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Failed(error) => Some(error.with_causes()),
            _ => None,
        });
        let Some(error) = failed else {
            return Some(outcomes);
        };
        shared.diagnostics().report(
            FAILED,
            &format!("records cannot be stored yet; retrying: {error}"),
        );
        let end = *shared.end().borrow();
        if end.is_some_and(|end| Instant::now() >= end) {
            return None;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE.min(remaining(end))) => {}
            () = shared.flushed() => {}
        }
    }
}

fn remaining(end: Option<Instant>) -> Duration {
    end.map_or(Duration::MAX, |end| {
        end.saturating_duration_since(Instant::now())
    })
}

/// `None` if the store is closed.
async fn attempt(store: &Store, chunks: &[Held], writer: &str) -> Option<Vec<Outcome>> {
    let mut batch = Batch::new();
    for (number, line) in chunks.iter().flat_map(|chunk| lines(chunk.bytes.as_ref())) {
        batch.create(
            Some(&format!("{writer}{number}")),
            Bytes::copy_from_slice(line),
        );
    }
    let (entries, known) = batch.into_parts();
    let (done, outcomes) = tokio::sync::oneshot::channel();
    store.submit(entries, move |outcomes| {
        // nobody waits any more after the end
        let _ = done.send(outcomes);
    });
    outcomes.await.ok().map(|outcomes| known.fill(outcomes))
}
