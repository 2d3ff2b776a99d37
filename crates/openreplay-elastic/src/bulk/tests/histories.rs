//! Random histories of a cluster, against a simple model: each record is stored once or rejected,
//! whatever happens, and all of it ends.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use openreplay_buffer::{Buffer, Chunk, Diagnostics, Options};
use proptest::prelude::*;
use serde_json::Value;

use super::world::{Fault, World, any_fault};
use super::*;
use crate::bulk::search;
use crate::bulk::wire::{Presence, Wire as _, record_id};

/// The engine fails on these in their whole form, or in every form.
fn poison(document: &Value) -> Option<u16> {
    let message = document["message"].as_str().unwrap_or_default();
    let is_whole = document.get("number").is_some();
    let is_other = document.get("log.logger").is_some();
    match message {
        _ if is_other => None,
        message if message.ends_with("never") => Some(400),
        message if message.ends_with("fails") && is_whole => Some(500),
        _ => None,
    }
}

fn any_message() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just("fine"), 1 => Just("fails"), 1 => Just("never")]
}

/// Without records that the engine rejects, if a response may be lost around a rollover: which
/// records that are searched then are a sample, and it is unknown whether one is missing because it
/// was rejected ([limits](../../../../docs/limits.md)).
fn calm(faults: &[Fault], message: &'static str) -> &'static str {
    let moves = |fault: &Fault| matches!(fault, Fault::RollsOver { .. } | Fault::Deleted);
    if faults.iter().any(moves) {
        "fine"
    } else {
        message
    }
}

fn line(message: &str, number: usize) -> String {
    let time = "2026-07-01T12:00:00.000000Z";
    format!(
        r#"{{"@timestamp":"{time}","level":"info","message":"{number} {message}","number":{number}}}"#
    )
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

#[track_caller]
fn assert_balance(buffer: &Buffer<Ids>) {
    let stats = buffer.stats();
    let sum = stats.indexed + stats.rejected + stats.dropped + stats.queued;
    assert_eq!(stats.accepted, sum, "{stats:?}");
}

fn batch(buffer: &std::sync::Arc<Buffer<Ids>>, chunks: Vec<Chunk>) -> Batch {
    let piece = |chunk: Chunk| Piece {
        records: chunk.records(),
        tag: chunk.id(),
        bytes: bytes::Bytes::from_owner(buffer.lend(chunk)),
    };
    Batch::new(chunks.into_iter().map(piece).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The writer: a buffer, of which nothing is ever unaccounted for.
    #[test]
    fn each_record_of_a_writer_is_stored_once_or_rejected(
        faults in prop::collection::vec(any_fault(), 0..40),
        rounds in prop::collection::vec(prop::collection::vec(any_message(), 1..12), 1..8),
    ) {
        let faults: Vec<_> = faults.into_iter().filter(|fault| !matches!(fault, Fault::Killed { .. })).collect();
        let rounds: Vec<Vec<_>> = rounds
            .into_iter()
            .map(|messages| messages.into_iter().map(|message| calm(&faults, message)).collect())
            .collect();
        let options = Options::new("Elasticsearch").memory_bytes(0);
        let buffer = Buffer::new(options, Ids::new(1), Diagnostics::to(|_| {}));
        let buffer = Arc::new(buffer);
        let its = Arc::clone(&buffer);
        let world = World::new(faults, poison, move || assert_balance(&its));
        let written = rounds.iter().map(Vec::len).sum::<usize>();
        let clock = SimulatedClock::new();
        block_on(async {
            let mut delivery = Delivery::over(world.clone());
            for messages in &rounds {
                for (number, message) in messages.iter().enumerate() {
                    buffer.push(line(message, number).as_bytes(), None);
                }
                let chunks = buffer.take();
                delivery.deliver(batch(&buffer, chunks), &*buffer, &clock).await;
                assert_balance(&buffer);
            }
            delivery.finish(&*buffer, &clock).await;
        });
        let stats = buffer.stats();
        prop_assert_eq!((stats.accepted, stats.queued, stats.dropped), (written as u64, 0, 0));
        let never = rounds.iter().flatten().filter(|message| **message == "never").count();
        prop_assert_eq!(stats.rejected, never as u64, "only what no form saves");
        assert_once(&world, usize::try_from(stats.indexed).unwrap());
    }

    /// `ship`: it is killed at any moment, and sends everything again that it had on its way.
    #[test]
    fn each_line_of_a_file_is_stored_once_over_any_number_of_crashes(
        faults in prop::collection::vec(any_fault(), 0..40),
        messages in prop::collection::vec(any_message(), 1..30),
    ) {
        let messages: Vec<_> = messages.into_iter().map(|message| calm(&faults, message)).collect();
        let world = World::new(faults, poison, || {});
        let mut ids = Ids::new(1);
        let mut body = Vec::new();
        for (number, message) in messages.iter().enumerate() {
            ids.next().frame(&mut body, line(message, number).as_bytes());
        }
        let body = bytes::Bytes::from(body);
        let kept = Kept::default();
        let clock = SimulatedClock::new();
        block_on(async {
            loop {
                let mut delivery = Delivery::over(world.clone());
                let reported = Shipped { kept: &kept, reported: Reported::default() };
                let work = async {
                    for batch in kept.batches(&body) {
                        delivery.deliver(batch, &reported, &clock).await;
                    }
                    delivery.finish(&reported, &clock).await;
                };
                tokio::select! {
                    () = work => {}
                    () = world.killed.notified() => continue,
                }
                let never = messages.iter().filter(|message| **message == "never").count();
                let decided = (reported.reported.stored(), reported.reported.rejected.borrow().len());
                assert_eq!(decided, (messages.len() - never, never));
                return;
            }
        });
        let never = messages.iter().filter(|message| **message == "never").count();
        assert_once(&world, messages.len() - never);
    }
}

/// Nothing is stored twice, and what was told to be stored is there, or was in an index that
/// somebody deleted.
#[track_caller]
fn assert_once(world: &World, reported: usize) {
    let (stored, deleted) = world.stored();
    let all: BTreeSet<_> = stored.iter().collect();
    assert_eq!(all.len(), stored.len(), "stored twice");
    let ever: BTreeSet<_> = stored
        .iter()
        .chain(&deleted)
        .filter(|id| id.len() == LENGTH)
        .collect();
    assert_eq!(ever.len(), reported);
}

/// What a checkpoint keeps: the index of each record before that is sent there.
#[derive(Default)]
struct Kept(RefCell<BTreeMap<String, String>>);

impl Kept {
    fn batches(&self, body: &bytes::Bytes) -> Vec<Batch> {
        let mut pieces = BTreeMap::<_, Vec<_>>::new();
        for bytes in records(body) {
            let index = self.0.borrow().get(&id(&bytes)).cloned();
            pieces.entry(index).or_default().push(Piece {
                bytes,
                records: 1,
                tag: 0,
            });
        }
        let batches = pieces.into_iter();
        batches
            .map(|(index, pieces)| Batch::pinned(pieces, index.as_deref()))
            .collect()
    }
}

fn id(record: &[u8]) -> String {
    String::from_utf8_lossy(record_id(record)).into_owned()
}

struct Shipped<'a> {
    kept: &'a Kept,
    reported: Reported,
}

impl Observer for Shipped<'_> {
    fn stored(&self, tag: u64, records: usize) {
        Observer::stored(&self.reported, tag, records);
    }

    fn rejected(&self, tag: u64, why: &str) {
        self.reported.rejected(tag, why);
    }

    async fn pin(&self, batch: &Batch, index: &str) -> bool {
        let ids = batch
            .each()
            .map(|piece| (id(&piece.bytes), index.to_owned()));
        self.kept.0.borrow_mut().extend(ids);
        true
    }

    fn report(&self, topic: Topic, text: &str) {
        self.reported.report(topic, text);
    }
}

/// A request that was executed in part was executed from its start, and its first records may have
/// been rejected.
#[test]
fn records_are_found_where_they_are_though_the_first_was_rejected() {
    for stored in [
        &["fine"; 5][..],
        &["never", "fine", "fine", "never", "never"],
        &["never", "never", "never", "never", "fine"],
    ] {
        let lost = Fault::NoResponse { stores: usize::MAX };
        let world = World::new(vec![lost, Fault::None], poison, || {});
        let mut body = Vec::new();
        let mut ids = Ids::new(1);
        for (number, message) in stored.iter().enumerate() {
            ids.next()
                .frame(&mut body, line(message, number).as_bytes());
        }
        let piece = Piece {
            bytes: body.into(),
            records: stored.len(),
            tag: 0,
        };
        let batch = Batch::new(vec![piece]);
        block_on(async {
            world.clone().send(None, batch.body()).await;
            world.state.borrow_mut().roll_over();
            let found = search::search(&world, &batch, "logs-000001", "logs-000002")
                .await
                .unwrap();
            assert_eq!(
                found.last(),
                Some(&("logs-000001".to_owned(), Presence::Present)),
                "{stored:?}"
            );
        });
    }
}
