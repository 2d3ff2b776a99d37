use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::checkpoint::Checkpoint;
use super::count::Counts;
use super::files::Files;
use super::lines::Framed;
use super::position::InFlight;
use crate::bulk::{self, Batch, Events, Piece};
use crate::transport::error::Error;
use openreplay_buffer::Topic;

/// What is on its way: the checkpoint knows the index of each record before that is sent there.
pub(super) struct Sending<'a> {
    counts: &'a Counts,
    files: &'a Files,
    waiting: &'a [InFlight],
    kept: Mutex<Kept<'a>>,
}

struct Kept<'a> {
    checkpoint: &'a mut Checkpoint,
    in_flight: InFlight,
    error: Option<Error>,
}

impl<'a> Sending<'a> {
    pub(super) fn start(
        in_flight: InFlight,
        checkpoint: &'a mut Checkpoint,
        files: &'a Files,
        waiting: &'a [InFlight],
        counts: &'a Counts,
    ) -> Result<Self, Error> {
        checkpoint.save(files.positions(), Some(&in_flight), waiting)?;
        Ok(Self {
            counts,
            files,
            waiting,
            kept: Mutex::new(Kept {
                checkpoint,
                in_flight,
                error: None,
            }),
        })
    }

    /// One for each index.
    pub(super) fn batches(&self, filled: Framed) -> Vec<Batch> {
        let in_flight = &self.kept().in_flight;
        let body = Bytes::from(filled.body);
        let mut pieces = BTreeMap::<_, Vec<_>>::new();
        if in_flight.moved.is_empty() {
            let whole = Piece {
                bytes: body,
                records: filled.records,
                tag: 0,
            };
            pieces.insert(&in_flight.index, vec![whole]);
        } else {
            for bytes in bulk::records(&body) {
                let index = in_flight.moved.get(&id(&bytes));
                let piece = Piece {
                    bytes,
                    records: 1,
                    tag: 0,
                };
                let pieces = pieces.entry(index.unwrap_or(&in_flight.index));
                pieces.or_default().push(piece);
            }
        }
        let pieces = pieces.into_iter();
        pieces
            .map(|(index, pieces)| Batch::pinned(pieces, Some(index)))
            .collect()
    }

    pub(super) fn end(self) -> Result<(), Error> {
        let kept = self.kept.into_inner();
        match kept.unwrap_or_else(PoisonError::into_inner).error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<'a>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events for Sending<'_> {
    fn stored(&self, tag: u64, records: usize) {
        self.counts.stored(tag, records);
    }

    fn rejected(&self, tag: u64, why: &str) {
        self.counts.rejected(tag, why);
    }

    fn moves(&self, batch: &Batch, index: &str) -> bool {
        let kept = &mut *self.kept();
        let ids = batch
            .each()
            .map(|record| (id(&record.bytes), index.to_owned()));
        kept.in_flight.moved.extend(ids);
        let saved =
            kept.checkpoint
                .save(self.files.positions(), Some(&kept.in_flight), self.waiting);
        kept.error = kept.error.take().or(saved.err());
        kept.error.is_none()
    }

    fn report(&self, topic: Topic, text: &str) {
        self.counts.report(topic, text);
    }
}

fn id(record: &[u8]) -> String {
    String::from_utf8_lossy(bulk::record_id(record)).into_owned()
}
