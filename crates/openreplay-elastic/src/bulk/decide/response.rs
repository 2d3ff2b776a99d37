//! A whole request that failed, or that got no response.

use std::time::Duration;

use super::{
    Action, Facts, Part, Records, Report, SPLIT_AFTER_FAILURES, Settlement, is_own_fault,
    probe_first, set_aside, split_apart,
};
use crate::bulk::backoff::{Backoff, BeforeRetry, Retry};
use crate::bulk::event::Cause;
use crate::bulk::state::{Form, Place, State, Suspicion};
use crate::bulk::wire::{Executed, FailureKind, NoResponse};

/// Whether the records may be the reason for a failure. Then they are split after some failures.
#[derive(Clone, Copy, Debug)]
enum Blame {
    NotTheRecords,
    MaybeTheRecords,
}

/// What is sent next.
#[derive(Clone, Copy, Debug)]
enum Split {
    /// All records, or their halves if they have failed often.
    AfterFailures,
    /// Their halves.
    Now,
}

pub(super) fn no_response(state: &State, facts: &Facts<'_>, kind: NoResponse) -> Action {
    let retry = Backoff::Short.into();
    let next = match kind {
        NoResponse::NotSent => next_state(state, facts, Executed::No, Blame::NotTheRecords),
        NoResponse::Lost => next_state(state, facts, Executed::Unknown, Blame::MaybeTheRecords),
        NoResponse::TimedOut => return timed_out(state, facts, retry),
    };
    resend(next, facts, retry, trouble(), Split::AfterFailures)
}

pub(super) fn unreadable(state: &State, facts: &Facts<'_>) -> Action {
    let retry = Backoff::Short.into();
    doubt(state, facts, retry, Executed::Unknown, Report::Unreadable)
}

pub(super) fn failed(
    state: &State,
    facts: &Facts<'_>,
    kind: FailureKind,
    retry_after: Option<Duration>,
) -> Action {
    let retry = Retry {
        backoff: kind.backoff(),
        at_least: retry_after,
    };
    let executed = kind.executed();
    let (retry, blame) = match kind {
        // A longer request was accepted, so this 413 is doubted once: `Cluster::observe`, which
        // runs after the decision, forgets that length, and the next 413 is believed.
        FailureKind::TooLarge if !facts.cluster.room.may_be_too_much(facts.bytes) => {
            (Backoff::Short.into(), Blame::NotTheRecords)
        }
        FailureKind::TooLarge | FailureKind::Malformed => {
            return rejected_whole(state, facts, kind);
        }
        FailureKind::RejectedByProxy | FailureKind::EngineFailed => {
            return doubt(state, facts, retry, executed, trouble());
        }
        FailureKind::TimedOut => return timed_out(state, facts, retry),
        // What is too much for now may be so each time.
        FailureKind::Busy | FailureKind::Unavailable | FailureKind::OtherSuccess => {
            (retry, Blame::MaybeTheRecords)
        }
        FailureKind::Missing
        | FailureKind::Unauthorized
        | FailureKind::Forbidden
        | FailureKind::Unexpected => (retry, Blame::NotTheRecords),
    };
    let next = next_state(state, facts, executed, blame);
    resend(next, facts, retry, trouble(), Split::AfterFailures)
}

/// A query failed before the records were sent.
pub(super) fn query_failed(state: &State, facts: &Facts<'_>, retry: Retry) -> Action {
    let next = State {
        suspicion: Suspicion::None,
        ..state.clone()
    };
    resend(
        next,
        facts,
        retry,
        Report::QueryFailed,
        Split::AfterFailures,
    )
}

/// The request is too large, or one of its records makes it invalid.
fn rejected_whole(state: &State, facts: &Facts<'_>, kind: FailureKind) -> Action {
    if facts.records > 1 {
        let halves = Part::all(state.clone()).halved(facts.records);
        return Action::Settle(Settlement::resend(halves.collect(), None));
    }
    if state.suspicion != Suspicion::RejectedAlone {
        // The reason may be another: the next request is preceded by a query that must succeed.
        let next = State {
            suspicion: Suspicion::RejectedAlone,
            ..state.clone()
        };
        return Action::Settle(Settlement::resend(vec![Part::all(next)], None));
    }
    if state.form == Form::Minimal && kind == FailureKind::TooLarge {
        // The record is short: a server that rejects it with 413 accepts nothing at all.
        let next = next_state(state, facts, Executed::No, Blame::NotTheRecords);
        return resend(
            next,
            facts,
            Backoff::Long.into(),
            trouble(),
            Split::AfterFailures,
        );
    }
    reject(state)
}

/// One of the records may be what the whole request failed for.
fn doubt(
    state: &State,
    facts: &Facts<'_>,
    retry: Retry,
    executed: Executed,
    report: Report,
) -> Action {
    if is_own_fault(state, facts) {
        return reject(state);
    }
    let mut next = next_state(state, facts, executed, Blame::MaybeTheRecords);
    let failures = next.tries.failures;
    let before = BeforeRetry {
        retry,
        nth: next.tries.next_delay(retry.backoff),
        set_aside: set_aside(facts.records, failures, false),
    };
    let mut parts = split_apart(vec![Part::all(next)], failures, facts);
    let before = probe_first(&mut parts, Some(before), facts);
    Action::Settle(Settlement {
        reports: vec![report],
        ..Settlement::resend(parts, before)
    })
}

/// The request took too long: it may be too large for the line or for the engine, so its halves are
/// sent next.
fn timed_out(state: &State, facts: &Facts<'_>, retry: Retry) -> Action {
    let is_long = facts.cluster.room.may_be_too_much(facts.bytes);
    if facts.records == 1 && state.form == Form::Whole && is_long {
        return doubt(state, facts, retry, Executed::Unknown, trouble());
    }
    let next = next_state(state, facts, Executed::Unknown, Blame::MaybeTheRecords);
    resend(next, facts, retry, trouble(), Split::Now)
}

/// The state after a request. Only here, failures are counted and the place changes.
fn next_state(state: &State, facts: &Facts<'_>, executed: Executed, blame: Blame) -> State {
    let mut next = state.once_more();
    next.tries.failures += match blame {
        Blame::NotTheRecords => 0,
        Blame::MaybeTheRecords => 1,
    };
    next.place = place_after_request(next.place, facts, executed);
    next
}

/// Where the records may be after a request.
fn place_after_request(place: Place, facts: &Facts<'_>, executed: Executed) -> Place {
    match (place, executed, facts.cluster.last_write_index()) {
        (Place::Open, Executed::Unknown, Some(index)) => Place::Lost {
            before: index.to_owned(),
        },
        (place, ..) => place,
    }
}

/// Sends all records again after a delay.
fn resend(
    mut next: State,
    facts: &Facts<'_>,
    retry: Retry,
    report: Report,
    split: Split,
) -> Action {
    let in_halves = match split {
        Split::AfterFailures => next.tries.failures >= SPLIT_AFTER_FAILURES,
        Split::Now => true,
    };
    let before = BeforeRetry {
        retry,
        nth: next.tries.next_delay(retry.backoff),
        set_aside: 0,
    };
    let whole = Part::all(next);
    let parts = if in_halves {
        whole.halved(facts.records).collect()
    } else {
        vec![whole]
    };
    Action::Settle(Settlement {
        reports: vec![report],
        ..Settlement::resend(parts, Some(before))
    })
}

/// A single record, rejected as a whole request: once more in its minimal form, or never again.
fn reject(state: &State) -> Action {
    Action::Settle(match state.form {
        Form::Minimal => Settlement {
            rejected: Records::All,
            reports: vec![Report::Rejected(Cause::Whole)],
            ..Settlement::default()
        },
        Form::Whole => Settlement {
            parts: vec![Part::all(minimal(state, Suspicion::None))],
            reports: vec![Report::Reduced(Cause::Whole)],
            ..Settlement::default()
        },
    })
}

/// The state of records that are sent in their minimal form from now on.
pub(super) fn minimal(state: &State, suspicion: Suspicion) -> State {
    State {
        place: state.place.unblocked(),
        pinning: state.pinning,
        form: Form::Minimal,
        suspicion,
        failing_since: None,
        tries: state.tries.of_another_form(),
    }
}

fn trouble() -> Report {
    Report::Trouble(Cause::Whole)
}
