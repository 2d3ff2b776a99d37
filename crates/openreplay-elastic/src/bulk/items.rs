//! What is left of a batch after its records were answered one by one.

use std::collections::BTreeMap;
use std::time::Instant;

use super::answer::{self, Item};
use super::batch::{Batch, Piece};
use super::deliver::{Attempt, Delivery, Events, Wait};
use super::fault::{self, Fate};
use super::{reduce, say};
use crate::retry::Pace;

#[derive(Default)]
struct Sorted {
    left: Vec<Piece>,
    /// These may be stored although it says no: they have to stay with their index.
    troubled: BTreeMap<String, Vec<Piece>>,
    refused: Vec<(Piece, String)>,
    pace: Option<Pace>,
    is_fault_of_index: bool,
    is_spoiled: bool,
    /// How many of what is left may be at fault themselves.
    doubted: usize,
}

impl Sorted {
    fn left(&self) -> usize {
        let troubled: usize = self.troubled.values().map(Vec::len).sum();
        self.left.len() + troubled
    }
}

impl Delivery {
    /// Tells what became of each record, and gives what has to be sent again.
    pub(super) fn after_items(
        &mut self,
        batch: &mut Batch,
        items: &[Item<'_>],
        now: Instant,
        events: &impl Events,
    ) -> Attempt {
        batch.faults += 1;
        let takes_others = items.iter().any(|item| answer::is_stored(item.status));
        let mut sorted = Sorted::default();
        for (item, piece) in items.iter().zip(batch.each()) {
            let fate = fault::fate(batch, item, self.target.alias(), takes_others, now);
            self.sort(&mut sorted, fate, batch, item, piece, now, events);
        }
        let aside = match sorted.doubted > 0 && sorted.doubted == sorted.left() {
            true => fault::aside(batch, takes_others),
            false => 0,
        };
        let wait = sorted.pace.map(|pace| Wait {
            aside,
            is_doubt: sorted.doubted > 0,
            ..Wait::new(batch, pace.into())
        });
        // that was then
        batch.is_blamed = false;
        batch.is_doubted = false;
        let batches = self.batches(sorted, batch, items, takes_others, now, events);
        match batches.is_empty() {
            true => Attempt::Done,
            false => Attempt::Left(batches, wait),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is known of one record")]
    fn sort(
        &mut self,
        sorted: &mut Sorted,
        fate: Fate,
        batch: &Batch,
        item: &Item<'_>,
        piece: Piece,
        now: Instant,
        events: &impl Events,
    ) {
        match fate {
            Fate::Stored => {
                self.place
                    .learn(batch, &item.index, self.target.alias(), now);
                events.stored(piece.tag, 1);
            }
            Fate::Refused => sorted.refused.push((piece, item.to_string())),
            Fate::Spoiled => {
                sorted.is_spoiled = true;
                sorted.left.push(piece);
            }
            Fate::OfIndex => {
                sorted.is_fault_of_index = true;
                sorted.pace = Some(Pace::Slow);
                self.place.forget();
                say::index(&item.to_string(), self.target.alias(), events);
                sorted.left.push(piece);
            }
            Fate::Later(pace) | Fate::Doubted(pace) => {
                if let Fate::Doubted(_) = fate {
                    sorted.doubted += 1;
                }
                if sorted.pace.is_none_or(|before| before < pace) {
                    sorted.pace = Some(pace);
                    self.explain(item, fate, events);
                }
                match self
                    .place
                    .of_troubled(batch, item, self.target.alias(), now)
                {
                    Some(index) => sorted
                        .troubled
                        .entry(index.to_owned())
                        .or_default()
                        .push(piece),
                    None => sorted.left.push(piece),
                }
            }
        }
    }

    fn explain(&mut self, item: &Item<'_>, fate: Fate, events: &impl Events) {
        let alias = self.target.alias();
        if item.status == 404 {
            self.place.forget();
        }
        match fate {
            Fate::Doubted(Pace::Slow) => say::index(&item.to_string(), alias, events),
            _ => say::trouble(Some(item.status), &item.to_string(), alias, events),
        }
    }

    fn batches(
        &mut self,
        sorted: Sorted,
        batch: &Batch,
        items: &[Item<'_>],
        takes_others: bool,
        now: Instant,
        events: &impl Events,
    ) -> Vec<Batch> {
        let mut batches = Vec::new();
        if !sorted.left.is_empty() {
            let mut left = batch.with(sorted.left);
            left.blocked = sorted
                .is_fault_of_index
                .then(|| batch.blocked.unwrap_or(now));
            let alias = self.target.alias();
            self.place
                .unbind_where_needed(&mut left, items, alias, now, events);
            batches.push(left);
        }
        batches.extend(sorted.troubled.into_iter().map(|(index, pieces)| Batch {
            bound: Some(index),
            ..batch.with(pieces)
        }));
        if sorted.doubted > 0 {
            batches = fault::apart(batches, batch.faults, now);
        }
        if sorted.is_spoiled {
            batches = batches.into_iter().flat_map(Batch::halved).collect();
        }
        let refused = sorted.refused.iter().map(|(piece, why)| (piece, &**why));
        let reduced = reduce::reduced(batch, refused, takes_others, events);
        batches.splice(0..0, reduced);
        batches
    }
}
