//! A whole request that failed, or that got no response.

use std::time::Duration;

use super::super::pace::{Pace, Retry};
use super::super::state::{Form, Place, State, Suspicion};
use super::super::wire::{Executed, FailureKind, NoResponse};
use super::{
    Action, Cause, Facts, Part, Records, Report, Settlement, TOGETHER, Wait, apart, aside,
    is_own_fault, is_to_probe,
};

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
    let retry = Pace::Soon.into();
    let next = match kind {
        NoResponse::NotSent => next_state(state, facts, Executed::No, Blame::NotTheRecords),
        NoResponse::Lost => next_state(state, facts, Executed::Unknown, Blame::MaybeTheRecords),
        NoResponse::TimedOut => return timed_out(state, facts, retry),
    };
    resend(next, facts, retry, trouble(), Split::AfterFailures)
}

pub(super) fn unreadable(state: &State, facts: &Facts<'_>) -> Action {
    let retry = Pace::Soon.into();
    doubt(state, facts, retry, Executed::Unknown, Report::Unreadable)
}

pub(super) fn failed(
    state: &State,
    facts: &Facts<'_>,
    kind: FailureKind,
    retry_after: Option<Duration>,
) -> Action {
    let retry = Retry {
        pace: kind.pace(),
        at_least: retry_after,
    };
    let executed = kind.executed();
    let (retry, blame) = match kind {
        // A longer request was accepted, so this 413 is doubted once: `Cluster::observe`, which
        // runs after the decision, forgets that length, and the next 413 is believed.
        FailureKind::TooLarge if !facts.cluster.room.may_be_too_much(facts.bytes) => {
            (Pace::Soon.into(), Blame::NotTheRecords)
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
    let whole = Part {
        records: Records::All,
        state: state.clone(),
    };
    if facts.records > 1 {
        return Action::Settle(Settlement {
            parts: whole.halved(facts.records).collect(),
            ..Settlement::default()
        });
    }
    if state.suspicion != Suspicion::RejectedAlone {
        // The reason may be another: the next request is preceded by a query that must succeed.
        let next = State {
            suspicion: Suspicion::RejectedAlone,
            ..state.clone()
        };
        return Action::Settle(Settlement {
            parts: vec![Part {
                state: next,
                ..whole
            }],
            ..Settlement::default()
        });
    }
    if state.form == Form::Minimal && kind == FailureKind::TooLarge {
        // The record is short: a server that rejects it with 413 accepts nothing at all.
        let next = next_state(state, facts, Executed::No, Blame::NotTheRecords);
        return resend(
            next,
            facts,
            Pace::Slow.into(),
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
    let nth = next.tries.next_pause(retry.pace);
    let whole = Part {
        records: Records::All,
        state: next,
    };
    let parts = apart(vec![whole], failures, facts);
    let wait = Wait {
        retry,
        nth,
        aside: aside(facts.records, failures, false),
        probe: is_to_probe(&parts, facts),
    };
    Action::Settle(Settlement {
        parts,
        wait: Some(wait),
        reports: vec![report],
        ..Settlement::default()
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
    match (place, executed, facts.cluster.index()) {
        (Place::Open, Executed::Unknown, Some(index)) => Place::Lost {
            before: index.to_owned(),
        },
        (place, ..) => place,
    }
}

/// Sends all records again after a pause.
fn resend(
    mut next: State,
    facts: &Facts<'_>,
    retry: Retry,
    report: Report,
    split: Split,
) -> Action {
    let in_halves = match split {
        Split::AfterFailures => next.tries.failures >= TOGETHER,
        Split::Now => true,
    };
    let nth = next.tries.next_pause(retry.pace);
    let whole = Part {
        records: Records::All,
        state: next,
    };
    let parts = if in_halves {
        whole.halved(facts.records).collect()
    } else {
        vec![whole]
    };
    let wait = Wait {
        retry,
        nth,
        aside: 0,
        probe: false,
    };
    Action::Settle(Settlement {
        parts,
        wait: Some(wait),
        reports: vec![report],
        ..Settlement::default()
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
            parts: vec![Part {
                records: Records::All,
                state: minimal(state, Suspicion::None),
            }],
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
        alone: None,
        tries: state.tries.of_another_form(),
    }
}

fn trouble() -> Report {
    Report::Trouble(Cause::Whole)
}
