//! A response with a result for each record.
//!
//! What fails for a while costs no record, however long that is: a record is at fault only if
//! others are stored at the same time.

use std::collections::BTreeMap;

use super::response::minimal;
use super::{
    Action, Facts, Part, Records, Report, Settlement, is_own_fault, probe_first, set_aside,
    split_apart,
};
use crate::bulk::backoff::{Backoff, BeforeRetry};
use crate::bulk::cluster::Cluster;
use crate::bulk::event::Cause;
use crate::bulk::state::{Form, Place, State, Suspicion};
use crate::bulk::wire::{Item, ItemKind};
use crate::numbered::LOGS;

/// What a result means for its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stored,
    /// It will be stored another time.
    Later(Backoff),
    /// It may be at fault, or it will be stored another time.
    Doubted(Backoff),
    /// It waits until the index accepts records again.
    Blocked,
    /// It, or another of the request, is at fault.
    Spoiled,
    /// It will not be stored in this form.
    Rejected,
}

/// The records of a request by what their results mean, as numbers.
#[derive(Debug)]
struct Sorted<'a> {
    state: &'a State,
    facts: &'a Facts<'a>,
    items: &'a [Item<'a>],
    stored: Vec<usize>,
    remaining: Vec<usize>,
    /// These may be stored although their results are errors: by index.
    may_be_in: BTreeMap<String, Vec<usize>>,
    rejected: Vec<usize>,
    backoff: Option<Backoff>,
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
    let before = sorted.backoff.map(|backoff| BeforeRetry {
        retry: backoff.into(),
        nth: next.tries.next_delay(backoff),
        set_aside: sorted.set_aside(next.tries.failures, stores_others),
    });
    let (rejected, reduced) = match state.form {
        Form::Minimal => (std::mem::take(&mut sorted.rejected), None),
        Form::Whole => (Vec::new(), sorted.reduced(stores_others)),
    };
    let mut reports = std::mem::take(&mut sorted.reports);
    reports.extend(sorted.is_forbidden().then_some(Report::AliasOnly));
    reports.extend(rejected.iter().map(|at| Report::Rejected(Cause::Item(*at))));
    if let Some(part) = &reduced {
        let causes = part.records.causes(facts.records).into_iter();
        reports.extend(causes.map(Report::Reduced));
    }
    let is_doubt = sorted.doubted > 0;
    let stored = Records::These(std::mem::take(&mut sorted.stored));
    let mut parts: Vec<_> = reduced.into_iter().collect();
    parts.extend(sorted.remaining(&next));
    let before = if is_doubt {
        probe_first(&mut parts, before, facts)
    } else {
        before
    };
    Action::Settle(Settlement {
        stored,
        rejected: Records::These(rejected),
        parts,
        before,
        reports,
    })
}

/// `stores_others`: the same response reports others as stored.
pub(super) fn fate(state: &State, facts: &Facts<'_>, item: &Item<'_>, stores_others: bool) -> Fate {
    match item.kind() {
        ItemKind::Stored => Fate::Stored,
        ItemKind::Busy | ItemKind::Unavailable => Fate::Later(Backoff::Short),
        ItemKind::Missing | ItemKind::Forbidden | ItemKind::Unauthorized => {
            Fate::Later(Backoff::Long)
        }
        ItemKind::Failed if is_own_fault(state, facts) => Fate::Rejected,
        ItemKind::Failed => Fate::Doubted(Backoff::Short),
        ItemKind::IndexRejects => Fate::Blocked,
        ItemKind::Unreadable if facts.records > 1 => Fate::Spoiled,
        ItemKind::Unreadable | ItemKind::Invalid => Fate::Rejected,
        ItemKind::Unclear => {
            // Under the alias, the record did not reach an index: a pipeline rejects it, for
            // instance.
            let may_be_of_index = state.form == Form::Minimal || item.index == LOGS;
            let is_blamed = stores_others || state.suspicion == Suspicion::Blamed;
            if may_be_of_index && !is_blamed {
                Fate::Doubted(Backoff::Long)
            } else {
                Fate::Rejected
            }
        }
    }
}

impl<'a> Sorted<'a> {
    fn new(
        state: &'a State,
        facts: &'a Facts<'a>,
        items: &'a [Item<'a>],
        stores_others: bool,
    ) -> Self {
        let mut sorted = Self {
            state,
            facts,
            items,
            stored: Vec::new(),
            remaining: Vec::new(),
            may_be_in: BTreeMap::new(),
            rejected: Vec::new(),
            backoff: None,
            is_blocked: false,
            is_spoiled: false,
            doubted: 0,
            reports: Vec::new(),
        };
        for (at, item) in items.iter().enumerate() {
            sorted.add(at, item, fate(state, facts, item, stores_others));
        }
        sorted
    }

    fn add(&mut self, at: usize, item: &Item<'_>, fate: Fate) {
        let trouble = Report::Trouble(Cause::Item(at));
        let index = Report::Index(Cause::Item(at));
        match fate {
            Fate::Stored => self.stored.push(at),
            Fate::Rejected => self.rejected.push(at),
            Fate::Spoiled => {
                self.is_spoiled = true;
                self.remaining.push(at);
            }
            Fate::Blocked => {
                if !self.is_blocked {
                    self.reports.push(index);
                }
                self.is_blocked = true;
                self.backoff = Some(Backoff::Long);
                self.remaining.push(at);
            }
            Fate::Later(backoff) => self.retry(at, item, backoff, trouble),
            Fate::Doubted(backoff) => {
                self.doubted += 1;
                // Only what may be the index's fault is doubted with a long backoff.
                let report = match backoff {
                    Backoff::Short => trouble,
                    Backoff::Long => index,
                };
                self.retry(at, item, backoff, report);
            }
        }
    }

    fn retry(&mut self, at: usize, item: &Item<'_>, backoff: Backoff, report: Report) {
        if self.backoff.is_none_or(|before| before < backoff) {
            self.backoff = Some(backoff);
            self.reports.push(report);
        }
        let may_be_there = item.status >= 500
            && self.state.place.index().is_none()
            && Cluster::is_index(&item.index)
            && !self.facts.cluster.is_alias_only(self.facts.now);
        if may_be_there {
            let these = self.may_be_in.entry(item.index.to_string());
            these.or_default().push(at);
        } else {
            self.remaining.push(at);
        }
    }

    /// Returns how many records may be set aside: none if some of them are only busy.
    fn set_aside(&self, failures: u32, stores_others: bool) -> usize {
        let elsewhere: usize = self.may_be_in.values().map(Vec::len).sum();
        if self.doubted == self.remaining.len() + elsewhere {
            set_aside(self.facts.records, failures, stores_others)
        } else {
            0
        }
    }

    /// Returns the records that are sent in their minimal form from now on, if there are any.
    fn reduced(&mut self, stores_others: bool) -> Option<Part> {
        let these = std::mem::take(&mut self.rejected);
        let suspicion = if stores_others {
            Suspicion::Blamed
        } else {
            Suspicion::None
        };
        (!these.is_empty()).then(|| Part {
            records: Records::These(these),
            state: minimal(self.state, suspicion),
        })
    }

    /// Returns the records that are sent again in the form that they have.
    fn remaining(self, next: &State) -> Vec<Part> {
        let all = self.facts.records;
        let place = self.place_after_items();
        let part = |records, place| Part {
            records: Records::These(records),
            state: State {
                place,
                ..next.clone()
            },
        };
        let mut parts = Vec::new();
        if !self.remaining.is_empty() {
            parts.push(part(self.remaining, place));
        }
        for (index, these) in self.may_be_in {
            parts.push(part(these, Place::pinned(index)));
        }
        if self.doubted > 0 {
            parts = split_apart(parts, next.tries.failures, self.facts);
        }
        if self.is_spoiled {
            let halves = parts.into_iter().flat_map(|part| part.halved(all));
            parts = halves.collect();
        }
        parts
    }

    /// Returns where the remaining records may be: a missing index, or one that these credentials
    /// do not reach, must not hold them up.
    fn place_after_items(&self) -> Place {
        let Place::Pinned { index, blocked } = &self.state.place else {
            return self.state.place.clone();
        };
        if self.has(ItemKind::Missing) || self.is_forbidden() {
            return Place::Open;
        }
        Place::Pinned {
            index: index.clone(),
            blocked: self.is_blocked.then(|| blocked.unwrap_or(self.facts.now)),
        }
    }

    /// Whether these credentials reach the alias, and not the index that the records are pinned to.
    fn is_forbidden(&self) -> bool {
        self.state.place.index().is_some() && self.has(ItemKind::Forbidden)
    }

    fn has(&self, kind: ItemKind) -> bool {
        self.items.iter().any(|item| item.kind() == kind)
    }
}
