use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::blocking::Blocking;
use super::count::Counts;
use super::disk::Disk;
use super::position::{InFlight, IndexName};
use crate::bulk::{self, Batch, Observer, Piece};
use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;
use openreplay_buffer::Topic;

/// Records in flight. The checkpoint stores the index of each record before the record is sent
/// there.
pub(super) struct Sending<'a> {
    counts: &'a Counts,
    disk: &'a Blocking<Disk>,
    state: Mutex<State>,
}

struct State {
    in_flight: Arc<InFlight>,
    error: Option<Error>,
}

impl<'a> Sending<'a> {
    pub(super) async fn start(
        in_flight: InFlight,
        disk: &'a Blocking<Disk>,
        counts: &'a Counts,
    ) -> Result<Self, Error> {
        let in_flight = Arc::new(in_flight);
        let saved = Arc::clone(&in_flight);
        disk.run(move |disk| disk.save(Some(&saved))).await?;
        Ok(Self {
            counts,
            disk,
            state: Mutex::new(State {
                in_flight,
                error: None,
            }),
        })
    }

    /// Returns one batch for each index.
    pub(super) fn batches(&self, body: Vec<u8>, records: usize) -> Vec<Batch> {
        let in_flight = &self.state().in_flight;
        let body = Bytes::from(body);
        let mut pieces = BTreeMap::<_, Vec<_>>::new();
        if in_flight.moved.is_empty() {
            let whole = Piece {
                bytes: body,
                records,
                tag: 0,
            };
            pieces.insert(in_flight.index.as_str(), vec![whole]);
        } else {
            for bytes in bulk::records(&body) {
                let index = in_flight.moved.get(&id(&bytes));
                let piece = Piece {
                    bytes,
                    records: 1,
                    tag: 0,
                };
                let index = index.unwrap_or(&in_flight.index);
                let pieces = pieces.entry(index.as_str());
                pieces.or_default().push(piece);
            }
        }
        let pieces = pieces.into_iter();
        pieces
            .map(|(index, pieces)| Batch::pinned(pieces, Some(index)))
            .collect()
    }

    pub(super) fn end(self) -> Result<(), Error> {
        let state = self.state.into_inner();
        match state.unwrap_or_else(PoisonError::into_inner).error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Sending<'_> {
    fn stored(&self, tag: u64, records: usize) {
        self.counts.stored(tag, records);
    }

    fn rejected(&self, tag: u64, why: &str) {
        self.counts.rejected(tag, why);
    }

    async fn pin(&self, batch: &Batch, index: &str) -> bool {
        let index = match IndexName::try_from(index.to_owned()) {
            Ok(index) => index,
            Err(why) => {
                let text = format!("a response contains {why}: the server is not Elasticsearch");
                let error = Error::new(ErrorKind::UnexpectedResponse, text);
                self.state().error.get_or_insert(error);
                return false;
            }
        };
        let in_flight = {
            let state = &mut *self.state();
            let moved = &mut Arc::make_mut(&mut state.in_flight).moved;
            for record in batch.each() {
                moved.insert(id(&record.bytes), index.clone());
            }
            Arc::clone(&state.in_flight)
        };
        let saved = self.disk.run(move |disk| disk.save(Some(&in_flight))).await;
        let state = &mut *self.state();
        state.error = state.error.take().or(saved.err());
        state.error.is_none()
    }

    fn report(&self, topic: Topic, text: &str) {
        self.counts.report(topic, text);
    }
}

fn id(record: &[u8]) -> String {
    String::from_utf8_lossy(bulk::record_id(record)).into_owned()
}
