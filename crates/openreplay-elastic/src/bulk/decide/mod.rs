//! Every rule of delivery: what to do with a batch after something happened. Pure and total: no
//! I/O, no clock, no panic.
//!
//! ARCHITECTURE.md has the rules as a table.

use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::event::Event;
use super::state::{BLOCKED, Pinning, Place, State, Suspicion};
use super::wire::Presence;

pub(super) use self::action::{Action, Cause, Part, Records, Report, Route, Settlement, Wait};

mod action;
mod items;
mod response;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

/// How long the engine must fail on a record that is sent alone before a probe is stored in its
/// place.
pub(super) const OWN_FAULT: Duration = Duration::from_secs(180);

/// How often records that fail, or get no response, are sent together.
const TOGETHER: u32 = 8;

/// After so many failures, a single record no longer holds up the others, although it may not be at
/// fault.
const ODD_ONE: u32 = 4;

/// How many records may be set aside while others are stored.
const ASIDE: usize = 64;

/// What a decision depends on in addition to the batch's own state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) records: usize,
    pub(super) bytes: usize,
    pub(super) cluster: &'a Cluster,
    pub(super) now: Instant,
}

/// Decides what to do with a batch.
pub(super) fn decide(state: &State, facts: &Facts<'_>, event: &Event<'_>) -> Action {
    match *event {
        Event::Due => due(state, facts),
        Event::WriteIndex(leads_to) => alias_leads_to(state, facts, leads_to),
        Event::Exists(true) => send(state, facts, state.place.clone(), facts.cluster.index()),
        Event::Exists(false) => send(state, facts, Place::Open, facts.cluster.index()),
        Event::Searched(found) => {
            let index = choose(found).or(facts.cluster.index());
            let place = index.map_or(Place::Open, Place::pinned);
            send(state, facts, place, facts.cluster.index())
        }
        Event::QueryFailed(error) => response::query_failed(state, facts, error.retry),
        Event::Stored { .. } => Action::Settle(Settlement {
            stored: Records::All,
            ..Settlement::default()
        }),
        Event::Items(items) => items::decide(state, facts, items),
        Event::Unreadable => response::unreadable(state, facts),
        Event::Failed { kind, retry_after } => response::failed(state, facts, kind, retry_after),
        Event::NoResponse(kind) => response::no_response(state, facts, kind),
    }
}

/// The state of a single record once the engine has stored another in its place.
pub(super) fn blamed(state: State) -> State {
    State {
        suspicion: Suspicion::Blamed,
        ..state
    }
}

fn due(state: &State, facts: &Facts<'_>) -> Action {
    let limit = facts.cluster.room.limit();
    if facts.bytes > limit && facts.records > 1 {
        // Of about the same length: a short rest would not test the limit.
        let requests = facts.bytes.div_ceil(limit);
        let part = Part {
            records: Records::Fitting(facts.bytes.div_ceil(requests)),
            state: state.clone(),
        };
        return Action::Settle(Settlement {
            parts: vec![part],
            ..Settlement::default()
        });
    }
    let depends_on_index = state.place != Place::Open
        || state.suspicion == Suspicion::RejectedAlone
        || needs_index(state, facts);
    // If this response is lost, the records are only known to be in an index that was known before.
    if depends_on_index || !facts.cluster.is_known(facts.now) {
        Action::QueryWriteIndex
    } else {
        send(state, facts, Place::Open, None)
    }
}

fn alias_leads_to(state: &State, facts: &Facts<'_>, leads_to: &str) -> Action {
    let place = match &state.place {
        Place::Open => Place::Open,
        Place::Pinned { index, .. } if index == leads_to => state.place.clone(),
        // Until then, the index may have the records, since it cannot be queried, and another would
        // store them twice.
        Place::Pinned { blocked, .. } if is_over(*blocked, BLOCKED, facts.now) => Place::Open,
        // A missing index must not hold up the records.
        Place::Pinned { index, .. } => return Action::QueryExists(index.clone()),
        Place::Lost { .. } if facts.cluster.is_alias_only(facts.now) => Place::Open,
        Place::Lost { before } if before == leads_to => Place::pinned(leads_to),
        Place::Lost { before } => {
            return Action::Search {
                from: before.clone(),
                to: leads_to.to_owned(),
            };
        }
    };
    send(state, facts, place, Some(leads_to))
}

/// Chooses the index that the records are pinned to: one that has them, or may have them, or else
/// the first, where a request leads that is executed late.
fn choose(found: &[(String, Presence)]) -> Option<&str> {
    let first = |wanted| found.iter().find(|(_, presence)| *presence == wanted);
    let index = first(Presence::Present)
        .or_else(|| first(Presence::MayBe))
        .or_else(|| first(Presence::Absent));
    index.map(|(index, _)| &index[..])
}

fn send(state: &State, facts: &Facts<'_>, place: Place, leads_to: Option<&str>) -> Action {
    let place = match leads_to {
        Some(index) if place == Place::Open && needs_index(state, facts) => Place::pinned(index),
        _ => place,
    };
    let is_new = place.index().is_some() && place.index() != state.place.index();
    Action::Send(Route {
        announce: is_new && state.pinning == Pinning::Always,
        is_risky: matches!(state.place, Place::Lost { .. }) && place == Place::Open,
        place,
    })
}

/// Whether the sender has to know the index, and these credentials reach it.
fn needs_index(state: &State, facts: &Facts<'_>) -> bool {
    state.pinning == Pinning::Always && !facts.cluster.is_alias_only(facts.now)
}

fn is_over(since: Option<Instant>, time: Duration, now: Instant) -> bool {
    since.is_some_and(|since| now.saturating_duration_since(since) >= time)
}

/// Whether the engine has failed on this single record for long.
fn is_long_alone(state: &State, facts: &Facts<'_>) -> bool {
    is_over(state.alone, OWN_FAULT, facts.now)
}

/// Whether the engine fails on this record only: it was sent alone for long, and another was just
/// stored.
fn is_own_fault(state: &State, facts: &Facts<'_>) -> bool {
    state.suspicion == Suspicion::Blamed && is_long_alone(state, facts)
}

/// How many records may be set aside, so that these do not hold up the others.
fn aside(records: usize, failures: u32, stores_others: bool) -> usize {
    if stores_others {
        ASIDE
    } else if records == 1 && failures >= ODD_ONE {
        1
    } else {
        0
    }
}

/// The engine may fail on one of the records: they do not stay together indefinitely.
fn apart(parts: Vec<Part>, failures: u32, facts: &Facts<'_>) -> Vec<Part> {
    let all = facts.records;
    let mut parts = match failures {
        TOGETHER.. => parts
            .into_iter()
            .flat_map(|part| part.halved(all))
            .collect(),
        _ => parts,
    };
    let singles = parts.iter_mut().filter(|part| part.records.count(all) == 1);
    for part in singles {
        part.state.alone.get_or_insert(facts.now);
    }
    parts
}

/// Whether to store another record as a probe, after these parts were doubted.
fn is_to_probe(parts: &[Part], facts: &Facts<'_>) -> bool {
    matches!(parts, [one] if is_long_alone(&one.state, facts))
}
