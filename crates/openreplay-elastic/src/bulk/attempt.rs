//! One attempt: queries, sends and reports as [`decide()`] decides, and decides nothing itself.

use std::time::Instant;

use bytes::Bytes;

use super::batch::Batch;
use super::cluster::{Cluster, Measured};
use super::decide::{self, Action, Facts, Route, Settlement, Wait, decide};
use super::event::Event;
use super::pause::Pauses;
use super::report::{self, Events, Source};
use super::wire::{self, QueryError, Response, Wire};
use super::{probe, search};

/// What is sent again.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) batches: Vec<Batch>,
    /// Before that. Default: at once.
    pub(super) wait: Option<Wait>,
}

/// The other side, and what is known of it.
#[derive(Debug)]
pub(super) struct Link<W> {
    wire: W,
    cluster: Cluster,
    /// When the last request was sent.
    sent: Option<Instant>,
}

impl<W: Wire> Link<W> {
    pub(super) fn new(wire: W) -> Self {
        Self {
            cluster: Cluster::new(wire.alias(), wire.timeout()),
            wire,
            sent: None,
        }
    }

    /// Returns how many bytes a request may have for now.
    #[cfg(feature = "ship")]
    pub(super) fn room(&self) -> usize {
        self.cluster.room.limit()
    }

    /// Takes a batch from its turn to the end of the attempt.
    pub(super) async fn attempt(
        &mut self,
        batch: &mut Batch,
        events: &impl Events,
        pauses: &impl Pauses,
    ) -> Left {
        let mut action = self.happened(batch, &Event::Due, Source::NONE, pauses.now(), events);
        loop {
            let result = match action {
                Action::QueryWriteIndex => {
                    self.wire.write_index().await.map(QueryResult::WriteIndex)
                }
                Action::QueryExists(index) => {
                    self.wire.has_index(&index).await.map(QueryResult::Exists)
                }
                Action::Search { from, to } => {
                    let found = search::search(&self.wire, batch, &from, &to).await;
                    found.map(QueryResult::Searched)
                }
                Action::Send(route) => {
                    if !enter(batch, route, self.wire.alias(), events).await {
                        return Left::default();
                    }
                    let index = batch.state.place.index();
                    self.sent = Some(pauses.now());
                    let response = self.wire.send(index, batch.body()).await;
                    action = self.responded(batch, &response, pauses.now(), events);
                    continue;
                }
                Action::Settle(settlement) => return self.left(batch, settlement).await,
            };
            action = self.queried(batch, &result, pauses.now(), events);
        }
    }

    /// Decides, learns from what happened, and tells what became of records.
    fn happened(
        &mut self,
        batch: &Batch,
        event: &Event<'_>,
        source: Source<'_>,
        now: Instant,
        events: &impl Events,
    ) -> Action {
        let facts = Facts {
            records: batch.records(),
            bytes: batch.bytes(),
            cluster: &self.cluster,
            now,
        };
        let action = decide(&batch.state, &facts, event);
        let sent = self.sent.unwrap_or(now);
        let measured = Measured {
            bytes: facts.bytes,
            took: now.saturating_duration_since(sent),
            now,
        };
        self.cluster.observe(&batch.state, measured, event);
        if let Action::Settle(settlement) = &action {
            for one in &settlement.reports {
                report::report(*one, source, self.wire.alias(), events);
            }
            report_records(batch, settlement, source, events);
        }
        action
    }

    fn queried(
        &mut self,
        batch: &Batch,
        result: &Result<QueryResult, QueryError>,
        now: Instant,
        events: &impl Events,
    ) -> Action {
        let event = match result {
            Ok(QueryResult::WriteIndex(index)) => Event::WriteIndex(index),
            Ok(QueryResult::Exists(exists)) => Event::Exists(*exists),
            Ok(QueryResult::Searched(found)) => Event::Searched(found),
            Err(error) => {
                let event = Event::QueryFailed(error);
                return self.happened(batch, &event, Source::Query(error), now, events);
            }
        };
        self.happened(batch, &event, Source::NONE, now, events)
    }

    fn responded(
        &mut self,
        batch: &Batch,
        response: &Response,
        now: Instant,
        events: &impl Events,
    ) -> Action {
        let (event, source) = match response {
            Response::Body(body) => return self.read(batch, body, now, events),
            Response::Failed {
                kind,
                retry_after,
                why,
            } => {
                let event = Event::Failed {
                    kind: *kind,
                    retry_after: *retry_after,
                };
                (event, Source::Response(Some(*kind), why))
            }
            Response::None { kind, why } => (Event::NoResponse(*kind), Source::Response(None, why)),
        };
        self.happened(batch, &event, source, now, events)
    }

    fn read(&mut self, batch: &Batch, body: &Bytes, now: Instant, events: &impl Events) -> Action {
        let records = batch.records();
        if let Some(index) = wire::all_stored(body, records) {
            let event = Event::Stored { index };
            return self.happened(batch, &event, Source::NONE, now, events);
        }
        match wire::read(body, records) {
            Some(items) => {
                let event = Event::Items(&items);
                self.happened(batch, &event, Source::Items(&items), now, events)
            }
            None => {
                let source = Source::Response(None, report::UNREADABLE);
                self.happened(batch, &Event::Unreadable, source, now, events)
            }
        }
    }

    /// The parts that are sent again. Stores another record first, if that
    /// tells which record is at fault.
    async fn left(&mut self, batch: &Batch, settlement: Settlement) -> Left {
        let parts = settlement.parts.iter();
        let mut batches: Vec<_> = parts
            .flat_map(|part| batch.select(&part.records, &part.state))
            .collect();
        if settlement.wait.is_some_and(|wait| wait.probe)
            && let [one] = &mut batches[..]
            && probe::store(&mut self.wire, one).await
        {
            one.state = decide::blamed(std::mem::take(&mut one.state));
        }
        Left {
            batches,
            wait: settlement.wait,
        }
    }
}

/// The result of a query.
enum QueryResult {
    WriteIndex(String),
    Exists(bool),
    Searched(Vec<(String, wire::Presence)>),
}

/// Sets where the records go. Returns whether the sender lets them go there.
async fn enter(batch: &mut Batch, route: Route, alias: &str, events: &impl Events) -> bool {
    if route.is_risky {
        report::alias_only(alias, events);
    }
    batch.state.place = route.place;
    batch.state.tries.sent += 1;
    match batch.state.place.index() {
        Some(index) if route.announce => events.moves(batch, index).await,
        _ => true,
    }
}

fn report_records(
    batch: &Batch,
    settlement: &Settlement,
    source: Source<'_>,
    events: &impl Events,
) {
    for (tag, records) in batch.tags(&settlement.stored) {
        events.stored(tag, records);
    }
    let rejected = &settlement.rejected;
    let causes = rejected.causes(batch.records());
    for ((tag, _), cause) in batch.tags(rejected).into_iter().zip(causes) {
        events.rejected(tag, &source.text(cause));
    }
}
