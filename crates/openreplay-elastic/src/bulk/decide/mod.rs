//! Every rule of delivery: what to do with a batch after something happened. Pure and total: no
//! I/O, no clock, no panic.
//!
//! ARCHITECTURE.md has the rules as a table.

use std::time::{Duration, Instant};

pub(super) use self::action::{Action, Part, Records, Report, Route, Settlement};
use super::backoff::BeforeRetry;
use super::cluster::Cluster;
use super::event::Event;
use super::state::{LEAVE_BLOCKED_AFTER, Pinning, Place, State, Suspicion};
use super::wire::Presence;

mod action;
mod items;
mod response;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

/// How long the engine must fail on a single record before another record is sent in its place.
pub(super) const PROBE_AFTER: Duration = Duration::from_secs(180);

/// How often records that fail, or get no response, are sent together before they are split.
const SPLIT_AFTER_FAILURES: u32 = 8;

/// After so many failures, a single record no longer holds up the others, although it may not be at
/// fault.
const SET_ASIDE_AFTER_FAILURES: u32 = 4;

/// How many records may be set aside while others are stored.
const MAX_SET_ASIDE: usize = 64;

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
    let known = facts.cluster.last_write_index();
    match *event {
        Event::Due => due(state, facts),
        Event::WriteIndex(leads_to) => alias_leads_to(state, facts, leads_to),
        Event::Exists(true) => send(state, facts, state.place.clone(), known),
        Event::Exists(false) => send(state, facts, Place::Open, known),
        Event::Searched(found) => {
            let index = choose(found).or(known);
            let place = index.map_or(Place::Open, Place::pinned);
            send(state, facts, place, known)
        }
        Event::QueryFailed(error) => response::query_failed(state, facts, error.retry),
        Event::Probed { is_stored } => probed(state, is_stored),
        Event::Stored { .. } => Action::Settle(Settlement {
            stored: Records::All,
            ..Settlement::default()
        }),
        Event::Items(items) => items::decide(state, facts, items),
        Event::Unreadable => response::unreadable(state, facts),
        Event::Failed {
            kind, retry_after, ..
        } => response::failed(state, facts, kind, retry_after),
        Event::NoResponse { kind, .. } => response::no_response(state, facts, kind),
    }
}

/// If the engine has stored another record in the place of this single one, this one is at fault.
fn probed(state: &State, is_stored: bool) -> Action {
    let before = match state.suspicion {
        Suspicion::ToProbe(before) => Some(before),
        _ => None,
    };
    let suspicion = if is_stored {
        Suspicion::Blamed
    } else {
        Suspicion::None
    };
    let part = Part::all(State {
        suspicion,
        ..state.clone()
    });
    Action::Settle(Settlement::resend(vec![part], before))
}

fn due(state: &State, facts: &Facts<'_>) -> Action {
    let limit = facts.cluster.room.limit();
    if facts.bytes > limit && facts.records > 1 {
        // Of about the same length: a short rest would not test the limit.
        let requests = facts.bytes.div_ceil(limit);
        return Action::Split {
            bytes: facts.bytes.div_ceil(requests),
        };
    }
    if matches!(state.suspicion, Suspicion::ToProbe(_)) {
        return Action::Probe;
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
        Place::Pinned { blocked, .. } if is_over(*blocked, LEAVE_BLOCKED_AFTER, facts.now) => {
            Place::Open
        }
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
        .or_else(|| first(Presence::Unknown))
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

/// Whether the observer must know the index, and these credentials reach it.
fn needs_index(state: &State, facts: &Facts<'_>) -> bool {
    state.pinning == Pinning::Always && !facts.cluster.is_alias_only(facts.now)
}

fn is_over(since: Option<Instant>, time: Duration, now: Instant) -> bool {
    since.is_some_and(|since| now.saturating_duration_since(since) >= time)
}

/// Whether the engine has failed on this single record for long.
fn has_failed_for_long(state: &State, facts: &Facts<'_>) -> bool {
    is_over(state.failing_since, PROBE_AFTER, facts.now)
}

/// Whether the engine fails on this record only: it has failed alone for long, and another was just
/// stored.
fn is_own_fault(state: &State, facts: &Facts<'_>) -> bool {
    state.suspicion == Suspicion::Blamed && has_failed_for_long(state, facts)
}

/// How many records may be set aside, so that these do not hold up the others.
fn set_aside(records: usize, failures: u32, stores_others: bool) -> usize {
    if stores_others {
        MAX_SET_ASIDE
    } else if records == 1 && failures >= SET_ASIDE_AFTER_FAILURES {
        1
    } else {
        0
    }
}

/// The engine may fail on one of the records: they do not stay together indefinitely.
fn split_apart(parts: Vec<Part>, failures: u32, facts: &Facts<'_>) -> Vec<Part> {
    let all = facts.records;
    let mut parts = match failures {
        SPLIT_AFTER_FAILURES.. => parts
            .into_iter()
            .flat_map(|part| part.halved(all))
            .collect(),
        _ => parts,
    };
    let singles = parts.iter_mut().filter(|part| part.records.count(all) == 1);
    for part in singles {
        part.state.failing_since.get_or_insert(facts.now);
    }
    parts
}

/// If these are a single record that the engine has failed on for long, another record is sent in
/// its place before the next attempt.
fn probe_first(
    parts: &mut [Part],
    before: Option<BeforeRetry>,
    facts: &Facts<'_>,
) -> Option<BeforeRetry> {
    match (parts, before) {
        ([one], Some(before)) if has_failed_for_long(&one.state, facts) => {
            one.state.suspicion = Suspicion::ToProbe(before);
            None
        }
        (_, before) => before,
    }
}
