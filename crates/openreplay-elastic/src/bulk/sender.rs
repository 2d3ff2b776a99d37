//! One attempt: queries, sends and reports as [`decide()`] decides, and decides nothing itself.

use std::time::Instant;

use bytes::Bytes;

use super::backoff::BeforeRetry;
use super::batch::Batch;
use super::clock::Clock;
use super::cluster::{Cluster, Measured};
use super::decide::{Action, Facts, Route, Settlement, decide};
use super::event::Event;
use super::observer::Observer;
use super::wire::{self, QueryError, Response, Wire};
use super::{probe, report, search};

/// What remains of a batch after an attempt.
#[derive(Debug, Default)]
pub(super) struct Remaining {
    pub(super) batches: Vec<Batch>,
    /// `None`: they are sent at once.
    pub(super) before: Option<BeforeRetry>,
}

/// Sends batches to a cluster, and knows what their results show of it.
#[derive(Debug)]
pub(super) struct Sender<W> {
    wire: W,
    cluster: Cluster,
    /// When the last request was sent.
    sent: Option<Instant>,
}

impl<W: Wire> Sender<W> {
    pub(super) fn new(wire: W) -> Self {
        Self {
            cluster: Cluster::new(wire.timeout()),
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
        observer: &impl Observer,
        clock: &impl Clock,
    ) -> Remaining {
        let mut action = self.handle(batch, &Event::Due, observer, clock);
        loop {
            action = match action {
                Action::QueryWriteIndex => {
                    let index = self.wire.write_index().await;
                    let event = query_event(&index, |index| Event::WriteIndex(index));
                    self.handle(batch, &event, observer, clock)
                }
                Action::QueryExists(index) => {
                    let exists = self.wire.has_index(&index).await;
                    let event = query_event(&exists, |exists| Event::Exists(*exists));
                    self.handle(batch, &event, observer, clock)
                }
                Action::Search { from, to } => {
                    let found = search::search(&self.wire, batch, &from, &to).await;
                    let event = query_event(&found, |found| Event::Searched(found));
                    self.handle(batch, &event, observer, clock)
                }
                Action::Probe => {
                    let is_stored = probe::store(&mut self.wire, batch).await;
                    self.handle(batch, &Event::Probed { is_stored }, observer, clock)
                }
                Action::Send(route) => {
                    if !set_place(batch, route, observer).await {
                        return Remaining::default();
                    }
                    self.send(batch, observer, clock).await
                }
                Action::Split { bytes } => return Remaining::at_once(batch.split(bytes)),
                Action::Settle(settlement) => return remaining(batch, &settlement),
            };
        }
    }

    async fn send(
        &mut self,
        batch: &Batch,
        observer: &impl Observer,
        clock: &impl Clock,
    ) -> Action {
        self.sent = Some(clock.now());
        let index = batch.state.place.index();
        let response = self.wire.send(index, batch.body()).await;
        let event = match &response {
            Response::Body(body) => return self.handle_body(batch, body, observer, clock),
            Response::Failed {
                kind,
                retry_after,
                why,
            } => Event::Failed {
                kind: *kind,
                retry_after: *retry_after,
                why,
            },
            Response::None { kind, why } => Event::NoResponse { kind: *kind, why },
        };
        self.handle(batch, &event, observer, clock)
    }

    fn handle_body(
        &mut self,
        batch: &Batch,
        body: &Bytes,
        observer: &impl Observer,
        clock: &impl Clock,
    ) -> Action {
        let records = batch.records();
        if let Some(index) = wire::all_stored(body, records) {
            return self.handle(batch, &Event::Stored { index }, observer, clock);
        }
        match wire::read(body, records) {
            Some(items) => self.handle(batch, &Event::Items(&items), observer, clock),
            None => self.handle(batch, &Event::Unreadable, observer, clock),
        }
    }

    /// Decides what to do after an event, learns from the event, and reports what became of the
    /// records.
    fn handle(
        &mut self,
        batch: &Batch,
        event: &Event<'_>,
        observer: &impl Observer,
        clock: &impl Clock,
    ) -> Action {
        let now = clock.now();
        let facts = Facts {
            records: batch.records(),
            bytes: batch.bytes(),
            cluster: &self.cluster,
            now,
        };
        // Before `observe`, which forgets what the decision about a 413 depends on.
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
                report::report(*one, event, observer);
            }
            report_records(batch, settlement, event, observer);
        }
        action
    }
}

impl Remaining {
    fn at_once(batches: Vec<Batch>) -> Self {
        Self {
            batches,
            before: None,
        }
    }
}

fn query_event<'a, T>(
    result: &'a Result<T, QueryError>,
    event: impl FnOnce(&'a T) -> Event<'a>,
) -> Event<'a> {
    match result {
        Ok(found) => event(found),
        Err(error) => Event::QueryFailed(error),
    }
}

/// Sets where the records go. Returns whether the observer lets them go there.
async fn set_place(batch: &mut Batch, route: Route, observer: &impl Observer) -> bool {
    if route.is_risky {
        report::alias_only(observer);
    }
    batch.state.place = route.place;
    batch.state.tries.sent += 1;
    match batch.state.place.index() {
        Some(index) if route.announce => observer.pin(batch, index).await,
        _ => true,
    }
}

fn remaining(batch: &Batch, settlement: &Settlement) -> Remaining {
    let parts = settlement.parts.iter();
    let batches = parts.filter_map(|part| batch.select(&part.records, &part.state));
    Remaining {
        batches: batches.collect(),
        before: settlement.before,
    }
}

fn report_records(
    batch: &Batch,
    settlement: &Settlement,
    event: &Event<'_>,
    observer: &impl Observer,
) {
    for (tag, records) in batch.tags(&settlement.stored) {
        observer.stored(tag, records);
    }
    let rejected = &settlement.rejected;
    let causes = rejected.causes(batch.records());
    for ((tag, _), cause) in batch.tags(rejected).into_iter().zip(causes) {
        observer.rejected(tag, &event.text(cause));
    }
}
