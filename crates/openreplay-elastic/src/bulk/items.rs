//! What is left of a batch after its records were answered one by one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::answer::Item;
use super::batch::{Batch, Piece};
use super::deliver::{Attempt, Events};
use super::place::Place;
use super::{reduce, say};
use crate::retry::{self, ItemDecision, Pace};

/// How long an engine has to stumble over a record that is sent alone, before that counts as the record's fault.
const OWN_FAULT: Duration = Duration::from_secs(180);

/// How often records are sent together that the engine stumbles over.
const TOGETHER: u32 = 8;

/// Tells what became of each record, and gives what has to be sent again.
pub(super) fn after(
    batch: &mut Batch,
    items: &[Item<'_>],
    place: &mut Place,
    alias: &str,
    events: &impl Events,
) -> Attempt {
    batch.faults += 1;
    let mut sorted = Sorted::default();
    for (item, piece) in items.iter().zip(batch.each()) {
        sorted.sort(batch, item, piece, place, alias, events);
    }
    let has_500 = items.iter().any(|item| item.status == 500);
    let pace = sorted.pace;
    let is_spoiled = sorted.is_spoiled;
    let mut batches = sorted.batches(batch, items, place, alias, events);
    if has_500 {
        batches = apart(batches, batch.faults);
    }
    if is_spoiled {
        batches = batches.into_iter().flat_map(halved).collect();
    }
    if batches.is_empty() {
        return Attempt::Done;
    }
    Attempt::Left(batches, pace.map(|pace| (pace.into(), batch.attempts)))
}

#[derive(Default)]
struct Sorted {
    left: Vec<Piece>,
    /// These may be stored although it says no: they have to stay with their index.
    troubled: BTreeMap<String, Vec<Piece>>,
    refused: Vec<(Piece, String)>,
    pace: Option<Pace>,
    is_fault_of_index: bool,
    /// One of the records has kept others from the index: they are sent apart.
    is_spoiled: bool,
}

impl Sorted {
    fn sort(
        &mut self,
        batch: &Batch,
        item: &Item<'_>,
        piece: Piece,
        place: &mut Place,
        alias: &str,
        events: &impl Events,
    ) {
        if item.status == 500 && batch.alone() >= OWN_FAULT {
            // nothing but the record itself is left as a reason
            self.refused.push((piece, item.to_string()));
            return;
        }
        match retry::after_item(item, alias) {
            ItemDecision::Stored => {
                place.learn(batch, &item.index);
                events.stored(piece.tag, 1);
            }
            ItemDecision::Again(at) => {
                if self.pace.is_none_or(|pace| pace < at) {
                    self.pace = Some(at);
                    if item.status == 404 {
                        place.forget();
                    }
                    say::trouble(Some(item.status), &item.to_string(), alias, events);
                }
                match place.of_troubled(batch, item, alias) {
                    Some(index) => self
                        .troubled
                        .entry(index.to_owned())
                        .or_default()
                        .push(piece),
                    None => self.left.push(piece),
                }
            }
            ItemDecision::Spoiled if batch.records() > 1 => {
                self.is_spoiled = true;
                self.left.push(piece);
            }
            decision @ (ItemDecision::OfIndex | ItemDecision::Doubtful)
                if decision == ItemDecision::OfIndex || batch.minimal =>
            {
                // not even fixed fields are taken: somebody has to look at the index
                self.is_fault_of_index |= decision == ItemDecision::OfIndex;
                self.pace = Some(Pace::Slow);
                place.forget();
                say::index(&item.to_string(), alias, events);
                self.left.push(piece);
            }
            _ => {
                place.learn(batch, &item.index);
                self.refused.push((piece, item.to_string()));
            }
        }
    }

    fn batches(
        self,
        batch: &Batch,
        items: &[Item<'_>],
        place: &mut Place,
        alias: &str,
        events: &impl Events,
    ) -> Vec<Batch> {
        let refused = self.refused.iter().map(|(piece, why)| (piece, &**why));
        let mut batches = Vec::from_iter(reduce::reduced(batch, refused, events));
        if !self.left.is_empty() {
            let mut left = batch.with(self.left);
            left.is_blocked = self.is_fault_of_index;
            place.unbind_where_needed(&mut left, items, alias, events);
            batches.push(left);
        }
        batches.extend(self.troubled.into_iter().map(|(index, pieces)| Batch {
            bound: Some(index),
            ..batch.with(pieces)
        }));
        batches
    }
}

/// One of the records may be what the engine stumbles over: they do not stay together for ever.
fn apart(batches: Vec<Batch>, faults: u32) -> Vec<Batch> {
    let mut batches = match faults {
        TOGETHER.. => batches.into_iter().flat_map(halved).collect(),
        _ => batches,
    };
    for batch in batches.iter_mut().filter(|batch| batch.records() == 1) {
        batch.alone.get_or_insert_with(Instant::now);
    }
    batches
}

fn halved(batch: Batch) -> Vec<Batch> {
    match batch.records() {
        2.. => <[Batch; 2]>::from(batch.halves()).into(),
        _ => vec![batch],
    }
}
