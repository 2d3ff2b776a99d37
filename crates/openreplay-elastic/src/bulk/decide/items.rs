//! A response with a result for each record.
//!
//! What fails for a while costs no record, however long that is: a record is at fault only if
//! others are stored at the same time.

use std::collections::BTreeMap;

use super::super::pace::Pace;
use super::super::state::{Form, Place, State, Suspicion};
use super::super::wire::{Item, ItemKind};
use super::response::minimal;
use super::{
    Action, Cause, Facts, Part, Records, Report, Settlement, Wait, apart, aside, is_own_fault,
    is_to_probe,
};

/// What a result means for its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stored,
    /// It will be stored another time.
    Later(Pace),
    /// It may be at fault, or it will be stored another time.
    Doubted(Pace),
    /// It waits until the index accepts records again.
    Blocked,
    /// It, or another of the request, is at fault.
    Spoiled,
    /// It will not be stored in this form.
    Rejected,
}

#[derive(Debug, Default)]
struct Sorted {
    stored: Vec<usize>,
    left: Vec<usize>,
    /// These may be stored although their results are errors: by index.
    may_be_in: BTreeMap<String, Vec<usize>>,
    rejected: Vec<usize>,
    pace: Option<Pace>,
    is_blocked: bool,
    is_spoiled: bool,
    doubted: usize,
    reports: Vec<Report>,
}

pub(super) fn decide(state: &State, facts: &Facts<'_>, items: &[Item<'_>]) -> Action {
    let stores_others = items.iter().any(|item| item.kind() == ItemKind::Stored);
    let mut sorted = Sorted::new(state, facts, items, stores_others);
    let mut next = state.once_more();
    next.tries.failures += 1;
    let nth = sorted.pace.map(|pace| (pace, next.tries.next_pause(pace)));
    let aside = if sorted.doubted == sorted.undecided() {
        aside(facts.records, next.tries.failures, stores_others)
    } else {
        0
    };
    let (rejected, reduced) = match state.form {
        Form::Minimal => (std::mem::take(&mut sorted.rejected), None),
        Form::Whole => (Vec::new(), reduced(&mut sorted, state, stores_others)),
    };
    let mut reports = std::mem::take(&mut sorted.reports);
    reports.extend(is_forbidden(state, items).then_some(Report::AliasOnly));
    reports.extend(rejected.iter().map(|at| Report::Rejected(Cause::Item(*at))));
    if let Some(part) = &reduced {
        let causes = part.records.causes(facts.records).into_iter();
        reports.extend(causes.map(Report::Reduced));
    }
    let is_doubt = sorted.doubted > 0;
    let stored = Records::These(std::mem::take(&mut sorted.stored));
    let mut parts = left(sorted, &next, state, facts, items);
    parts.splice(0..0, reduced);
    let wait = nth.map(|(pace, nth)| Wait {
        retry: pace.into(),
        nth,
        aside,
        probe: is_doubt && is_to_probe(&parts, facts),
    });
    Action::Settle(Settlement {
        stored,
        rejected: Records::These(rejected),
        parts,
        wait,
        reports,
    })
}

/// `stores_others`: the same response reports others as stored.
pub(super) fn fate(state: &State, facts: &Facts<'_>, item: &Item<'_>, stores_others: bool) -> Fate {
    match item.kind() {
        ItemKind::Stored => Fate::Stored,
        ItemKind::Busy | ItemKind::Unavailable => Fate::Later(Pace::Soon),
        ItemKind::Missing | ItemKind::Forbidden | ItemKind::Unauthorized => Fate::Later(Pace::Slow),
        ItemKind::Failed if is_own_fault(state, facts) => Fate::Rejected,
        ItemKind::Failed => Fate::Doubted(Pace::Soon),
        ItemKind::IndexRejects => Fate::Blocked,
        ItemKind::Unreadable if facts.records > 1 => Fate::Spoiled,
        ItemKind::Unreadable | ItemKind::Invalid => Fate::Rejected,
        ItemKind::Unclear => {
            // Under the alias, the record did not reach an index: a pipeline rejects it, for
            // instance.
            let may_be_of_index = state.form == Form::Minimal || item.index == facts.cluster.alias;
            let is_blamed = stores_others || state.suspicion == Suspicion::Blamed;
            if may_be_of_index && !is_blamed {
                Fate::Doubted(Pace::Slow)
            } else {
                Fate::Rejected
            }
        }
    }
}

impl Sorted {
    fn new(state: &State, facts: &Facts<'_>, items: &[Item<'_>], stores_others: bool) -> Self {
        let mut sorted = Self::default();
        for (at, item) in items.iter().enumerate() {
            let fate = fate(state, facts, item, stores_others);
            sorted.add(at, item, fate, state, facts);
        }
        sorted
    }

    fn undecided(&self) -> usize {
        let elsewhere: usize = self.may_be_in.values().map(Vec::len).sum();
        self.left.len() + elsewhere
    }

    fn add(&mut self, at: usize, item: &Item<'_>, fate: Fate, state: &State, facts: &Facts<'_>) {
        match fate {
            Fate::Stored => self.stored.push(at),
            Fate::Rejected => self.rejected.push(at),
            Fate::Spoiled => {
                self.is_spoiled = true;
                self.left.push(at);
            }
            Fate::Blocked => {
                if !self.is_blocked {
                    self.reports.push(Report::Index(Cause::Item(at)));
                }
                self.is_blocked = true;
                self.pace = Some(Pace::Slow);
                self.left.push(at);
            }
            Fate::Later(pace) => self.wait(
                at,
                item,
                pace,
                Report::Trouble(Cause::Item(at)),
                state,
                facts,
            ),
            Fate::Doubted(pace) => {
                self.doubted += 1;
                let report = match pace {
                    Pace::Soon => Report::Trouble(Cause::Item(at)),
                    Pace::Slow => Report::Index(Cause::Item(at)),
                };
                self.wait(at, item, pace, report, state, facts);
            }
        }
    }

    fn wait(
        &mut self,
        at: usize,
        item: &Item<'_>,
        pace: Pace,
        report: Report,
        state: &State,
        facts: &Facts<'_>,
    ) {
        if self.pace.is_none_or(|before| before < pace) {
            self.pace = Some(pace);
            self.reports.push(report);
        }
        let may_be_there = item.status >= 500
            && state.place.index().is_none()
            && facts.cluster.is_index(&item.index)
            && !facts.cluster.is_alias_only(facts.now);
        if may_be_there {
            self.may_be_in
                .entry(item.index.to_string())
                .or_default()
                .push(at);
        } else {
            self.left.push(at);
        }
    }
}

/// The records that are sent again in the form that they have.
fn left(
    sorted: Sorted,
    next: &State,
    state: &State,
    facts: &Facts<'_>,
    items: &[Item<'_>],
) -> Vec<Part> {
    let failures = next.tries.failures;
    let mut parts = Vec::new();
    if !sorted.left.is_empty() {
        let place = place(state, facts, items, sorted.is_blocked);
        parts.push(Part {
            records: Records::These(sorted.left),
            state: State {
                place,
                ..next.clone()
            },
        });
    }
    parts.extend(sorted.may_be_in.into_iter().map(|(index, these)| Part {
        records: Records::These(these),
        state: State {
            place: Place::pinned(index),
            ..next.clone()
        },
    }));
    if sorted.doubted > 0 {
        parts = apart(parts, failures, facts);
    }
    if sorted.is_spoiled {
        let all = facts.records;
        parts = parts
            .into_iter()
            .flat_map(|part| part.halved(all))
            .collect();
    }
    parts
}

/// The records that go on in their minimal form, if there are any.
fn reduced(sorted: &mut Sorted, state: &State, stores_others: bool) -> Option<Part> {
    let suspicion = if stores_others {
        Suspicion::Blamed
    } else {
        Suspicion::None
    };
    let these = std::mem::take(&mut sorted.rejected);
    (!these.is_empty()).then(|| Part {
        records: Records::These(these),
        state: minimal(state, suspicion),
    })
}

/// A missing index, or one that these credentials do not reach, must not hold up the records.
fn place(state: &State, facts: &Facts<'_>, items: &[Item<'_>], is_blocked: bool) -> Place {
    let Place::Pinned { index, blocked } = &state.place else {
        return state.place.clone();
    };
    let is_gone = items.iter().any(|item| item.kind() == ItemKind::Missing);
    if is_gone || is_forbidden(state, items) {
        return Place::Open;
    }
    Place::Pinned {
        index: index.clone(),
        blocked: is_blocked.then(|| blocked.unwrap_or(facts.now)),
    }
}

/// Whether these credentials reach the alias, and not the index that the records are pinned to.
fn is_forbidden(state: &State, items: &[Item<'_>]) -> bool {
    let is_pinned = state.place.index().is_some();
    is_pinned && items.iter().any(|item| item.kind() == ItemKind::Forbidden)
}
