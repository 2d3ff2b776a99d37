//! A whole request that failed, or that got no response.

use std::time::Duration;

use super::super::pace::{Pace, Retry};
use super::super::state::{Form, Place, State, Suspicion};
use super::super::wire::NoResponse;
use super::{
    Action, Cause, Facts, Part, Records, Report, Settlement, TOGETHER, Wait, apart, aside,
    is_own_fault, is_to_probe,
};

pub(super) fn none(state: &State, facts: &Facts<'_>, kind: NoResponse) -> Action {
    let is_lost = kind != NoResponse::NotSent;
    let retry = Retry {
        is_lost,
        ..Pace::Soon.into()
    };
    match kind {
        NoResponse::NotSent | NoResponse::Lost => again(state, facts, retry, is_lost),
        NoResponse::TimedOut => timed_out(state, facts, retry),
    }
}

pub(super) fn unreadable(state: &State, facts: &Facts<'_>) -> Action {
    let retry = Retry {
        is_lost: true,
        ..Pace::Soon.into()
    };
    doubt(state, facts, retry, Report::Unreadable)
}

pub(super) fn failed(
    state: &State,
    facts: &Facts<'_>,
    status: u16,
    is_named: bool,
    retry_after: Option<Duration>,
) -> Action {
    match status {
        413 if !facts.cluster.room.may_be_too_much(facts.bytes) => {
            again(state, facts, Pace::Soon.into(), false)
        }
        // 400: one of the lines has spoiled the whole.
        400 | 413 if is_named || status == 413 => too_large(state, facts, status),
        // A proxy's 400 is rarely about the records, but a proxy may fail on one, too.
        400 => doubt(state, facts, Pace::Slow.into(), trouble()),
        _ => {
            let retry = Retry::after_status(status, retry_after);
            match status {
                500 if is_named => doubt(state, facts, retry, trouble()),
                403 | 406 if !is_named => doubt(state, facts, retry, trouble()),
                408 | 504 => timed_out(state, facts, retry),
                // What is too much for now may be so each time.
                _ => again(state, facts, retry, retry.is_lost || status == 429),
            }
        }
    }
}

/// The request is too large, or spoiled by one of its records.
fn too_large(state: &State, facts: &Facts<'_>, status: u16) -> Action {
    if facts.records > 1 {
        let whole = Part {
            records: Records::All,
            state: state.clone(),
        };
        return Action::Settle(Settlement {
            parts: whole.halved(facts.records).collect(),
            ..Settlement::default()
        });
    }
    if state.suspicion != Suspicion::TooLarge {
        // The reason may be another: the next request is preceded by a query that must succeed.
        let next = State {
            suspicion: Suspicion::TooLarge,
            ..state.clone()
        };
        return Action::Settle(Settlement {
            parts: vec![Part {
                records: Records::All,
                state: next,
            }],
            ..Settlement::default()
        });
    }
    match (state.form, status) {
        // The record is short: a server that rejects it with 413 accepts nothing at all.
        (Form::Minimal, 413) => again(state, facts, Pace::Slow.into(), false),
        _ => reject(state),
    }
}

/// One of the records may be what the whole request failed for.
fn doubt(state: &State, facts: &Facts<'_>, retry: Retry, report: Report) -> Action {
    if is_own_fault(state, facts) {
        return reject(state);
    }
    let mut next = state.once_more();
    next.tries.failures += 1;
    next.place = after(next.place, facts, retry);
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

/// The records are not the reason.
fn again(state: &State, facts: &Facts<'_>, retry: Retry, is_failure: bool) -> Action {
    let mut next = state.once_more();
    next.tries.failures += u32::from(is_failure);
    next.place = after(next.place, facts, retry);
    all_again(next, facts, retry, trouble())
}

/// The request took too long: it may be too large for the line or for the engine, so its halves are
/// sent next.
fn timed_out(state: &State, facts: &Facts<'_>, retry: Retry) -> Action {
    let is_long = facts.cluster.room.may_be_too_much(facts.bytes);
    if facts.records == 1 && state.form == Form::Whole && is_long {
        return doubt(state, facts, retry, trouble());
    }
    let mut next = state.once_more();
    next.tries.failures += 1;
    next.place = after(next.place, facts, retry);
    send_again(next, facts, retry, trouble(), true)
}

/// Sends everything again after a pause; in halves, if that has failed often.
pub(super) fn all_again(next: State, facts: &Facts<'_>, retry: Retry, report: Report) -> Action {
    let in_halves = next.tries.failures >= TOGETHER;
    send_again(next, facts, retry, report, in_halves)
}

fn send_again(
    mut next: State,
    facts: &Facts<'_>,
    retry: Retry,
    report: Report,
    in_halves: bool,
) -> Action {
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
                state: minimal(state, false),
            }],
            reports: vec![Report::Reduced(Cause::Whole)],
            ..Settlement::default()
        },
    })
}

/// The state of records that go on in their minimal form. `stores_others`: others were stored
/// meanwhile, so these are at fault.
pub(super) fn minimal(state: &State, stores_others: bool) -> State {
    State {
        place: state.place.unblocked(),
        pinning: state.pinning,
        form: Form::Minimal,
        suspicion: if stores_others {
            Suspicion::Blamed
        } else {
            Suspicion::None
        },
        alone: None,
        tries: state.tries.of_another_form(),
    }
}

/// Where the records may be after a request that may be lost.
fn after(place: Place, facts: &Facts<'_>, retry: Retry) -> Place {
    match (place, facts.cluster.index()) {
        (Place::Open, Some(index)) if retry.is_lost => Place::Lost {
            before: index.to_owned(),
        },
        (place, _) => place,
    }
}

fn trouble() -> Report {
    Report::Trouble(Cause::Whole)
}
