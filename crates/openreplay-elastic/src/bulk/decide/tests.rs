use std::time::{Duration, Instant};

use super::items::{Fate, fate};
use super::*;
use crate::bulk::backoff::Backoff;
use crate::bulk::cluster::Measured;
use crate::bulk::event::Cause;
use crate::bulk::state::Form;
use crate::bulk::wire::{FailureKind, Item, ItemError, ItemKind, NoResponse};

mod trouble;

/// What a decision is about, with the defaults of most cases.
struct Case {
    state: State,
    records: usize,
    cluster: Cluster,
    now: Instant,
}

impl Case {
    fn new(records: usize) -> Self {
        Self {
            state: State::default(),
            records,
            cluster: Cluster::new(Duration::from_secs(30)),
            now: Instant::now() + PROBE_AFTER,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state);
        self
    }

    /// The alias leads to this index, as of now.
    fn known(mut self, index: &str) -> Self {
        let event = Event::WriteIndex(index);
        self.cluster.observe(&self.state, self.measured(), &event);
        self
    }

    /// A request that was sent and responded to at once.
    fn measured(&self) -> Measured {
        Measured {
            bytes: 100 * self.records,
            took: Duration::ZERO,
            now: self.now,
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            records: self.records,
            bytes: 100 * self.records,
            cluster: &self.cluster,
            now: self.now,
        }
    }

    fn decide(&self, event: Event<'_>) -> Action {
        decide(&self.state, &self.facts(), &event)
    }

    #[track_caller]
    fn settle(&self, event: Event<'_>) -> Settlement {
        match self.decide(event) {
            Action::Settle(settlement) => settlement,
            other => panic!("{other:?}"),
        }
    }

    /// The only part that is sent again.
    #[track_caller]
    fn again(&self, event: Event<'_>) -> (State, Option<BeforeRetry>) {
        let Settlement { parts, before, .. } = self.settle(event);
        let [part] = &parts[..] else {
            panic!("{parts:?}")
        };
        assert_eq!(part.records, Records::All);
        (part.state.clone(), before)
    }
}

fn item(status: u16, index: &'static str, name: &'static str) -> Item<'static> {
    let error = ItemError {
        name: Some(name.into()),
        reason: None,
    };
    Item {
        index: index.into(),
        status,
        error: Some(error),
    }
}

fn failed(status: u16, is_named: bool) -> Event<'static> {
    Event::Failed {
        kind: FailureKind::of(status, is_named.then_some("index_not_found_exception")),
        retry_after: None,
        why: "",
    }
}

fn sends_to(action: &Action) -> Option<&str> {
    match action {
        Action::Send(Route { place, .. }) => Some(place.index().unwrap_or("the alias")),
        _ => None,
    }
}

const NO_RESPONSE: Event<'static> = Event::NoResponse {
    kind: NoResponse::Lost,
    why: "",
};

#[test]
fn records_go_to_the_alias_once_its_index_is_known_and_only_while_it_is_recent() {
    let mut case = Case::new(3);
    assert_eq!(case.decide(Event::Due), Action::QueryWriteIndex);
    assert_eq!(
        sends_to(&case.decide(Event::WriteIndex("logs-1"))),
        Some("the alias")
    );
    case = case.known("logs-1");
    case.now += Duration::from_secs(60) - Duration::from_nanos(1);
    assert_eq!(sends_to(&case.decide(Event::Due)), Some("the alias"));
    case.now += Duration::from_nanos(1);
    assert_eq!(case.decide(Event::Due), Action::QueryWriteIndex);
}

/// The case that the table in ARCHITECTURE.md is for: a response was lost, `logs` rolled over, and
/// the next request is too large.
#[test]
fn a_lost_response_then_a_rollover_then_413() {
    let case = Case::new(4).known("logs-1");
    let (lost, wait) = case.again(NO_RESPONSE);
    assert_eq!(wait.map(|wait| wait.nth), Some(1));
    let before = "logs-1".to_owned();
    assert_eq!(lost.place, Place::Lost { before });

    let case = Case::new(4).known("logs-1").with(|state| *state = lost);
    assert_eq!(case.decide(Event::Due), Action::QueryWriteIndex);
    let (from, to) = ("logs-1".to_owned(), "logs-2".to_owned());
    assert_eq!(
        case.decide(Event::WriteIndex("logs-2")),
        Action::Search { from, to }
    );

    use crate::bulk::wire::Presence;
    let found = [("logs-1".to_owned(), Presence::Present)];
    let case = case.known("logs-2");
    let Action::Send(Route {
        place, announce, ..
    }) = case.decide(Event::Searched(&found))
    else {
        panic!("it is known where the records are")
    };
    assert_eq!((&place, announce), (&Place::pinned("logs-1"), false));

    let case = case.with(|state| state.place = place);
    let Settlement { parts, before, .. } = case.settle(failed(413, false));
    let records: Vec<_> = parts.iter().map(|part| part.records.clone()).collect();
    assert_eq!(records, [Records::Range(0..2), Records::Range(2..4)]);
    assert!(
        parts
            .iter()
            .all(|part| part.state.place == Place::pinned("logs-1"))
    );
    assert_eq!(before, None, "at once");
}

#[test]
fn records_stay_pinned_until_their_index_is_missing_or_blocked_for_a_minute() {
    let pinned = |blocked| {
        move |state: &mut State| {
            state.place = Place::Pinned {
                index: "logs-1".into(),
                blocked,
            }
        }
    };
    let case = Case::new(1).known("logs-2").with(pinned(None));
    let exists = Action::QueryExists("logs-1".into());
    assert_eq!(case.decide(Event::WriteIndex("logs-2")), exists);
    assert_eq!(sends_to(&case.decide(Event::Exists(true))), Some("logs-1"));
    assert_eq!(
        sends_to(&case.decide(Event::Exists(false))),
        Some("the alias")
    );

    let blocked = item(403, "logs-1", "cluster_block_exception");
    let Settlement { parts, .. } = case.settle(Event::Items(std::slice::from_ref(&blocked)));
    let since = case.now;
    let mut case = Case::new(1).known("logs-2").with(pinned(Some(since)));
    assert_eq!(parts[0].state.place, case.state.place);
    case.now = since + LEAVE_BLOCKED_AFTER - Duration::from_nanos(1);
    assert_eq!(case.decide(Event::WriteIndex("logs-2")), exists);
    case.now = since + LEAVE_BLOCKED_AFTER;
    assert_eq!(
        sends_to(&case.decide(Event::WriteIndex("logs-2"))),
        Some("the alias")
    );
    // The write index itself is waited for: somebody has to fix it.
    assert_eq!(
        sends_to(&case.decide(Event::WriteIndex("logs-1"))),
        Some("logs-1")
    );
    // A response of another kind starts the minute anew.
    let (other, _) = case.again(NO_RESPONSE);
    assert_eq!(other.place, Place::pinned("logs-1"));
}

#[test]
fn an_observer_that_must_know_the_index_is_notified_of_each_one_before_it_is_used() {
    let always = |state: &mut State| state.pinning = Pinning::Always;
    let case = Case::new(1).known("logs-1").with(always);
    assert_eq!(case.decide(Event::Due), Action::QueryWriteIndex);
    let place = Place::pinned("logs-1");
    let send = |place: Place, announce| {
        Action::Send(Route {
            place,
            announce,
            is_risky: false,
        })
    };
    assert_eq!(
        case.decide(Event::WriteIndex("logs-1")),
        send(place.clone(), true)
    );
    let case = Case::new(1)
        .known("logs-2")
        .with(always)
        .with(|state| state.place = place.clone());
    assert_eq!(case.decide(Event::Exists(true)), send(place, false));
    assert_eq!(
        case.decide(Event::Exists(false)),
        send(Place::pinned("logs-2"), true)
    );
}

#[test]
fn credentials_for_the_alias_alone_risk_a_second_copy_rather_than_the_record() {
    let mut case = Case::new(1)
        .known("logs-1")
        .with(|state| state.place = Place::pinned("logs-1"));
    let forbidden = [item(403, "logs-1", "security_exception")];
    let Settlement { parts, reports, .. } = case.settle(Event::Items(&forbidden));
    assert_eq!(parts[0].state.place, Place::Open);
    assert!(reports.contains(&Report::AliasOnly));
    let (state, measured) = (case.state.clone(), case.measured());
    case.cluster
        .observe(&state, measured, &Event::Items(&forbidden));
    let before = "logs-1".to_owned();
    case.state.place = Place::Lost { before };
    let send = Action::Send(Route {
        place: Place::Open,
        announce: false,
        is_risky: true,
    });
    assert_eq!(case.decide(Event::WriteIndex("logs-2")), send);
}

#[test]
fn records_that_may_be_stored_despite_an_error_are_pinned_to_their_index() {
    let case = Case::new(4).known("logs-1");
    let items = [
        item(503, "logs-1", "unavailable_shards_exception"),
        item(429, "logs-1", "es_rejected_execution_exception"),
        item(503, "logs-2", "unavailable_shards_exception"),
        item(503, "logs", "unavailable_shards_exception"),
    ];
    let Settlement { parts, before, .. } = case.settle(Event::Items(&items));
    let found: Vec<_> = parts
        .iter()
        .map(|part| (&part.records, part.state.place.index()))
        .collect();
    let these = |these: &[usize]| Records::These(these.to_vec());
    let expected = [
        (&these(&[1, 3]), None),
        (&these(&[0]), Some("logs-1")),
        (&these(&[2]), Some("logs-2")),
    ];
    assert_eq!(found, expected);
    assert_eq!(
        before.map(|before| (before.nth, before.set_aside)),
        Some((1, 0))
    );
}

#[test]
fn a_record_is_at_fault_only_if_others_are_stored() {
    let now = Case::new(1).now;
    let alone =
        move |since: Duration| move |state: &mut State| state.failing_since = Some(now - since);
    let (new, old) = (
        alone(Duration::ZERO),
        alone(PROBE_AFTER + Duration::from_secs(1)),
    );
    let blamed = |state: &mut State| state.suspicion = Suspicion::Blamed;
    let minimal = |state: &mut State| state.form = Form::Minimal;
    let whole = |_: &mut State| {};
    let (soon, slow) = (Fate::Doubted(Backoff::Short), Fate::Doubted(Backoff::Long));
    let failed = item(500, "logs-1", "null_pointer_exception");
    let pipeline = item(400, "logs", "illegal_argument_exception");
    let unknown = item(400, "logs-1", "some_exception");
    let unreadable = item(400, "logs", "parse_exception");
    type Changes<'a> = &'a [&'a dyn Fn(&mut State)];
    let cases: [(&str, usize, Changes<'_>, &Item<'_>, bool, Fate); 16] = [
        ("500, new", 1, &[&new], &failed, false, soon),
        ("500, others stored", 9, &[&whole], &failed, true, soon),
        ("500 for long", 1, &[&old], &failed, false, soon),
        (
            "500, another stored, not for long",
            1,
            &[&new, &blamed],
            &failed,
            false,
            soon,
        ),
        (
            "500 for long, another stored",
            1,
            &[&old, &blamed],
            &failed,
            false,
            Fate::Rejected,
        ),
        (
            "pipeline fails for all",
            9,
            &[&whole],
            &pipeline,
            false,
            slow,
        ),
        (
            "pipeline fails for some",
            9,
            &[&whole],
            &pipeline,
            true,
            Fate::Rejected,
        ),
        (
            "pipeline, another stored",
            1,
            &[&blamed],
            &pipeline,
            false,
            Fate::Rejected,
        ),
        (
            "pipeline fails for all minimal ones",
            9,
            &[&minimal],
            &pipeline,
            false,
            slow,
        ),
        (
            "unknown, whole",
            9,
            &[&whole],
            &unknown,
            false,
            Fate::Rejected,
        ),
        ("unknown, minimal", 9, &[&minimal], &unknown, false, slow),
        (
            "unknown, minimal, others stored",
            9,
            &[&minimal],
            &unknown,
            true,
            Fate::Rejected,
        ),
        (
            "unknown, minimal, others were",
            1,
            &[&minimal, &blamed],
            &unknown,
            false,
            Fate::Rejected,
        ),
        (
            "unreadable, one of many",
            9,
            &[&whole],
            &unreadable,
            false,
            Fate::Spoiled,
        ),
        (
            "unreadable, alone",
            1,
            &[&whole],
            &unreadable,
            false,
            Fate::Rejected,
        ),
        (
            "busy for long, another stored",
            1,
            &[&old, &blamed],
            &item(429, "logs-1", ""),
            true,
            Fate::Later(Backoff::Short),
        ),
    ];
    for (name, records, changes, item, stores_others, expected) in cases {
        let mut case = Case::new(records);
        case.now = now;
        changes.iter().for_each(|change| change(&mut case.state));
        let fate = fate(&case.state, &case.facts(), item, stores_others);
        assert_eq!(fate, expected, "{name}");
    }
}

#[test]
fn records_that_the_engine_fails_on_are_sent_apart_and_then_alone() {
    for (failures, halves) in [
        (SPLIT_AFTER_FAILURES - 2, false),
        (SPLIT_AFTER_FAILURES - 1, true),
    ] {
        let case = Case::new(2).with(|state| state.tries.failures = failures);
        let Settlement { parts, before, .. } = case.settle(failed(500, true));
        assert_eq!(parts.len(), 1 + usize::from(halves), "{failures}");
        let alone = parts
            .iter()
            .filter(|part| part.state.failing_since == Some(case.now))
            .count();
        assert_eq!(alone, if halves { 2 } else { 0 });
        assert_eq!(before.map(|before| before.set_aside), Some(0));
    }
    // Somebody may be at fault, but not these records: they are never alone.
    let case = Case::new(1).with(|state| state.tries.failures = 99);
    let (next, before) = case.again(NO_RESPONSE);
    assert_eq!(
        (next.failing_since, before.map(|before| before.set_aside)),
        (None, Some(0))
    );
}

#[test]
fn a_record_that_was_alone_for_long_is_blamed_by_a_probe_and_then_reduced_and_then_rejected() {
    let event = failed(500, true);
    let mut case = Case::new(1).with(|state| state.tries.failures = SET_ASIDE_AFTER_FAILURES - 2);
    let start = case.now;
    for (seconds, set_aside) in [(0, 0), (179, 1)] {
        case.now = start + Duration::from_secs(seconds);
        let (next, before) = case.again(event);
        let found = before.map(|before| before.set_aside);
        assert_eq!(found, Some(set_aside), "{seconds} s");
        case.state = next;
    }
    case.now = start + PROBE_AFTER;
    let (next, before) = case.again(event);
    assert_eq!(before, None, "the probe comes first");
    case.state = next;
    assert_eq!(case.decide(Event::Due), Action::Probe);
    let (spared, before) = case.again(Event::Probed { is_stored: false });
    assert_eq!(spared.suspicion, Suspicion::None);
    assert_eq!(
        before.map(|before| (before.nth, before.set_aside)),
        Some((3, 1))
    );
    let (blamed, same) = case.again(Event::Probed { is_stored: true });
    assert_eq!((blamed.suspicion, same), (Suspicion::Blamed, before));

    case.state = blamed;
    let (reduced, before) = case.again(event);
    assert_eq!(
        (reduced.form, reduced.failing_since, before),
        (Form::Minimal, None, None)
    );
    case.state.form = Form::Minimal;
    let settlement = case.settle(event);
    assert_eq!(
        (settlement.rejected, settlement.parts),
        (Records::All, vec![])
    );
}

#[test]
fn a_record_that_is_too_large_alone_is_reduced_after_a_second_time_and_never_rejected_for_413() {
    let case = Case::new(1);
    let (next, before) = case.again(failed(413, false));
    assert_eq!((next.suspicion, before), (Suspicion::RejectedAlone, None));
    let case = case.known("logs-1").with(|state| *state = next);
    assert_eq!(
        case.decide(Event::Due),
        Action::QueryWriteIndex,
        "the reason may be another"
    );
    let (next, _) = case.again(failed(413, false));
    assert_eq!(next.form, Form::Minimal);

    let case = Case::new(1).with(|state| {
        state.form = Form::Minimal;
        state.suspicion = Suspicion::RejectedAlone;
    });
    let (next, before) = case.again(failed(413, false));
    assert_eq!(
        (next.form, before.map(|before| before.retry.backoff)),
        (Form::Minimal, Some(Backoff::Long))
    );
    assert_eq!(case.settle(failed(400, true)).rejected, Records::All);
}

#[test]
fn a_failing_proxy_blames_no_record_unless_it_may_reject_one() {
    // Whether the response doubts the records, and whether the request may have been executed.
    for (status, is_named, doubts, is_lost) in [
        (400, false, true, false),
        (401, true, false, false),
        (403, true, false, false),
        (403, false, true, false),
        (406, false, true, false),
        (404, true, false, false),
        (429, true, false, false),
        (500, true, true, true),
        (500, false, false, true),
        (502, false, false, true),
        (202, false, false, true),
        (408, false, true, true),
        (504, false, true, true),
    ] {
        let case = Case::new(1).known("logs-1");
        let (next, _) = case.again(failed(status, is_named));
        assert_eq!(next.failing_since.is_some(), doubts, "{status} {is_named}");
        let place = if is_lost {
            Place::Lost {
                before: "logs-1".into(),
            }
        } else {
            Place::Open
        };
        assert_eq!(next.place, place, "{status} {is_named}");
    }
}

#[test]
fn no_kind_of_result_is_forgotten() {
    let all = [
        (ItemKind::Stored, 201, ""),
        (ItemKind::Busy, 429, ""),
        (ItemKind::Failed, 500, ""),
        (ItemKind::Unavailable, 503, ""),
        (ItemKind::Missing, 404, ""),
        (ItemKind::Forbidden, 403, "security_exception"),
        (ItemKind::Unauthorized, 401, ""),
        (ItemKind::IndexRejects, 403, "cluster_block_exception"),
        (ItemKind::Unreadable, 400, "parse_exception"),
        (ItemKind::Invalid, 400, "mapper_parsing_exception"),
        (ItemKind::Unclear, 400, ""),
    ];
    for (kind, status, name) in all {
        for records in [1, 3] {
            let items = vec![item(status, "logs-1", name); records];
            assert_eq!(items[0].kind(), kind);
            let Settlement {
                stored,
                rejected,
                parts,
                ..
            } = Case::new(records).settle(Event::Items(&items));
            let left: usize = parts.iter().map(|part| part.records.count(records)).sum();
            assert_eq!(
                stored.count(records) + rejected.count(records) + left,
                records,
                "{kind:?}"
            );
        }
    }
}

#[test]
fn records_stay_with_the_index_that_has_them_or_may_have_them_or_the_first() {
    use crate::bulk::wire::Presence::*;
    for (found, chosen) in [
        (&[Absent, Unknown, Present][..], Some("2")),
        (&[Absent, Unknown, Unknown], Some("1")),
        (&[Inaccessible, Absent, Absent], Some("1")),
        (&[Inaccessible], None),
        (&[], None),
    ] {
        let found: Vec<_> = (0..)
            .zip(found)
            .map(|(at, one)| (format!("{at}"), *one))
            .collect();
        assert_eq!(choose(&found), chosen, "{found:?}");
    }
}
