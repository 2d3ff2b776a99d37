//! What is reported of trouble, how long it is waited for, and when records are cut apart.

use super::*;
use crate::bulk::wire::QueryError;

const TIMED_OUT: Event<'static> = Event::NoResponse {
    kind: NoResponse::TimedOut,
    why: "",
};
const NOT_SENT: Event<'static> = Event::NoResponse {
    kind: NoResponse::NotSent,
    why: "",
};

#[test]
fn a_batch_is_cut_only_if_it_is_longer_than_the_limit() {
    let limit = Case::new(3).cluster.room.limit();
    for (records, bytes, is_cut) in [
        (3, limit, false),
        (3, limit + 1, true),
        (1, limit + 1, false),
    ] {
        let case = Case::new(records);
        let facts = Facts {
            bytes,
            ..case.facts()
        };
        let action = decide(&case.state, &facts, &Event::Due);
        let found = matches!(action, Action::Split { .. });
        assert_eq!(found, is_cut, "{records} of {bytes} bytes");
    }
}

#[test]
fn halving_ends_with_each_record_alone_and_in_order() {
    let odd = vec![1, 3, 5, 7, 9];
    for (all, records, expected) in [
        (7, Records::All, (0..7).collect()),
        (10, Records::These(odd.clone()), odd),
    ] {
        let state = State::default();
        let mut parts = vec![Part { records, state }];
        for _ in 0..3 {
            parts = parts
                .into_iter()
                .flat_map(|part| part.halved(all))
                .collect();
        }
        let numbers = parts.iter().map(|part| match &part.records {
            Records::Range(range) => range.clone().collect(),
            Records::These(these) => these.clone(),
            other => panic!("{other:?}"),
        });
        let expected: Vec<_> = expected.into_iter().map(|at| vec![at]).collect();
        assert_eq!(numbers.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_failed_query_clears_the_suspicion() {
    let case = Case::new(1).with(|state| state.suspicion = Suspicion::RejectedAlone);
    let unknown = QueryError {
        retry: Backoff::Long.into(),
        status: None,
        failure: None,
        is_fault_of_index: false,
        text: String::new(),
    };
    let (next, _) = case.again(Event::QueryFailed(&unknown));
    let case = Case::new(1).with(|state| *state = next);
    let (next, _) = case.again(failed(413, false));
    assert_eq!(next.form, Form::Whole, "this counts as the first 413");
}

#[test]
fn the_slowest_pace_of_a_response_counts_and_each_pace_is_reported_once() {
    let busy = item(429, "logs-1", "es_rejected_execution_exception");
    let missing = item(404, "logs-1", "index_not_found_exception");
    let items = [&busy, &busy, &missing, &missing, &busy].map(Clone::clone);
    let Settlement {
        before, reports, ..
    } = Case::new(5).settle(Event::Items(&items));
    assert_eq!(
        before.map(|before| before.retry.backoff),
        Some(Backoff::Long)
    );
    let trouble = |at| Report::Trouble(Cause::Item(at));
    assert_eq!(reports, [trouble(0), trouble(2)]);
}

#[test]
fn a_blocked_index_is_reported_once_for_each_response() {
    let blocked = item(403, "logs-1", "cluster_block_exception");
    let items = [&blocked, &blocked, &blocked].map(Clone::clone);
    let Settlement { reports, .. } = Case::new(3).settle(Event::Items(&items));
    assert_eq!(reports, [Report::Index(Cause::Item(0))]);
}

#[test]
fn no_probe_is_stored_for_a_record_that_the_engine_is_too_busy_for() {
    let case = Case::new(1);
    let since = case.now - PROBE_AFTER;
    let case = case.with(|state| state.failing_since = Some(since));
    for (status, is_probed) in [(429, false), (500, true)] {
        let settlement = case.settle(Event::Items(&[item(status, "logs-1", "")]));
        let suspicion = settlement.parts[0].state.suspicion;
        assert_eq!(
            matches!(suspicion, Suspicion::ToProbe(_)),
            is_probed,
            "{status}"
        );
        assert_eq!(settlement.before.is_none(), is_probed, "{status}");
    }
}

#[test]
fn records_are_set_aside_only_if_the_engine_fails_on_all_that_remain() {
    let stored = item(201, "logs-1", "");
    let failed = item(500, "logs-1", "");
    let busy = item(429, "logs-1", "");
    for (items, aside) in [
        ([&stored, &failed, &stored], MAX_SET_ASIDE),
        ([&stored, &failed, &busy], 0),
        ([&failed, &failed, &failed], 0),
    ] {
        let items = items.map(Clone::clone);
        let Settlement { before, .. } = Case::new(3).settle(Event::Items(&items));
        assert_eq!(
            before.map(|before| before.set_aside),
            Some(aside),
            "{items:?}"
        );
    }
}

#[test]
fn each_record_that_is_reduced_or_rejected_is_reported() {
    let invalid = item(400, "logs-1", "mapper_parsing_exception");
    let items = [&item(201, "logs-1", ""), &invalid, &invalid].map(Clone::clone);
    for (form, report) in [
        (Form::Whole, Report::Reduced as fn(Cause) -> Report),
        (Form::Minimal, Report::Rejected),
    ] {
        let case = Case::new(3).with(|state| state.form = form);
        let Settlement { reports, .. } = case.settle(Event::Items(&items));
        assert_eq!(reports, [report(Cause::Item(1)), report(Cause::Item(2))]);
    }
}

#[test]
fn a_413_for_a_length_that_was_accepted_before_blames_no_record() {
    let mut case = Case::new(4);
    let event = Event::Stored { index: "logs-1" };
    let (state, measured) = (case.state.clone(), case.measured());
    case.cluster.observe(&state, measured, &event);
    let (_, before) = case.again(failed(413, false));
    assert_eq!(
        before.map(|before| before.retry.backoff),
        Some(Backoff::Short)
    );
}

#[test]
fn records_are_cut_apart_after_eight_failures_that_may_be_theirs() {
    let items = [item(500, "logs-1", ""), item(500, "logs-1", "")];
    for (event, halves) in [
        (Event::Items(&items), true),
        (NO_RESPONSE, true),
        (failed(502, false), true),
        (failed(429, false), true),
        (failed(401, true), false),
        (NOT_SENT, false),
    ] {
        let case = Case::new(2).with(|state| state.tries.failures = SPLIT_AFTER_FAILURES - 1);
        let Settlement { parts, .. } = case.settle(event);
        assert_eq!(parts.len(), 1 + usize::from(halves), "{event:?}");
    }
    // A timeout counts, too.
    let case = Case::new(4).with(|state| state.tries.failures = SPLIT_AFTER_FAILURES - 2);
    let Settlement { mut parts, .. } = case.settle(TIMED_OUT);
    let half = Case::new(2).with(|state| *state = parts.remove(0).state);
    assert_eq!(half.settle(NO_RESPONSE).parts.len(), 2);
}

#[test]
fn a_whole_request_that_fails_is_reported() {
    let trouble = Report::Trouble(Cause::Whole);
    for event in [
        NO_RESPONSE,
        TIMED_OUT,
        failed(400, false),
        failed(401, true),
        failed(500, true),
        failed(502, false),
    ] {
        assert_eq!(Case::new(2).settle(event).reports, [trouble], "{event:?}");
    }
    let unreadable = Case::new(2).settle(Event::Unreadable);
    assert_eq!(unreadable.reports, [Report::Unreadable]);
    for (form, report) in [
        (Form::Whole, Report::Reduced(Cause::Whole)),
        (Form::Minimal, Report::Rejected(Cause::Whole)),
    ] {
        let case = Case::new(1).with(|state| {
            state.form = form;
            state.suspicion = Suspicion::RejectedAlone;
        });
        assert_eq!(case.settle(failed(400, true)).reports, [report]);
    }
}
