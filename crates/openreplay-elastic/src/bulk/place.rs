//! Where records are when an answer was lost: an `_id` is unique in an index, not in an alias.

use std::time::{Duration, Instant};

use super::answer::Item;
use super::batch::Batch;
use super::deliver::Events;
use super::target::{Held, Target, Unknown};
use super::{frame, say};
use crate::numbered::next_name;

/// How long credentials are taken not to reach the indices behind the alias: somebody may have given them more since.
pub(super) const ALIAS_ONLY: Duration = Duration::from_secs(600);

/// How long the index that an answer named is taken for the one behind the alias.
const KNOWN: Duration = Duration::from_secs(60);

/// What is known of the index behind the alias.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The one that the last answer named, and when that was.
    index: Option<(String, Instant)>,
    /// Since when it is known that these credentials may write to the alias only.
    alias_only: Option<Instant>,
}

impl Place {
    /// Before a batch is sent: which index it has to stay with, if any.
    ///
    /// Where the alias leads is asked once, and only where something depends on it.
    pub(super) async fn bind(
        &mut self,
        target: &Target,
        batch: &mut Batch,
        now: Instant,
        events: &impl Events,
    ) -> Result<(), Unknown> {
        // what an answer is lost for later is only known to be in the index that was known before
        let is_known = |(_, named): &(_, _)| now.saturating_duration_since(*named) < KNOWN;
        if self.index.as_ref().is_some_and(is_known) && !batch.needs_place() {
            return Ok(());
        }
        let leads_to = target.write_index().await?;
        self.index = Some((leads_to.clone(), now));
        if let Some(bound) = batch.bound.clone() {
            // what is gone, or takes nothing for long and is not the one to be mended, must not hold the records up
            let is_left = bound != leads_to;
            if is_left && (batch.is_blocked_for_long(now) || !target.has_index(&bound).await?) {
                batch.bound = None;
                batch.blocked = None;
            }
        }
        if let Some(before) = &batch.lost {
            let index = search(target, batch, before, &leads_to).await?;
            batch.lost = None;
            if self.is_alias_only(now) {
                say::alias_only(target.alias(), events);
            } else {
                batch.bound = Some(index);
            }
        }
        Ok(())
    }

    /// Keeps in mind where a batch may be that got no answer.
    pub(super) fn lost(&self, batch: &mut Batch) {
        if batch.bound.is_none() && batch.lost.is_none() {
            // known before anything is sent
            batch.lost = self.index().cloned();
        }
    }

    /// Records of a batch went to this index.
    pub(super) fn learn(&mut self, batch: &Batch, index: &str, alias: &str, now: Instant) {
        // what a pipeline drops is answered under the alias
        if batch.bound.is_some() || index.is_empty() || index == alias {
            return;
        }
        match &mut self.index {
            Some((known, named)) if known == index => *named = now,
            other => *other = Some((index.to_owned(), now)),
        }
    }

    /// Whatever comes back behind the alias may be another index.
    pub(super) fn forget(&mut self) {
        self.index = None;
    }

    /// The index that a record has to stay with which may be there although its answer says no.
    pub(super) fn of_troubled<'a>(
        &self,
        batch: &Batch,
        item: &'a Item<'_>,
        alias: &str,
        now: Instant,
    ) -> Option<&'a str> {
        let index = item.index.as_ref();
        let is_index = !index.is_empty() && index != alias;
        (item.status >= 500 && batch.bound.is_none() && is_index && !self.is_alias_only(now))
            .then_some(index)
    }

    /// An index that is gone, or that these credentials do not reach, must not hold the records up.
    pub(super) fn unbind_where_needed(
        &mut self,
        batch: &mut Batch,
        items: &[Item<'_>],
        alias: &str,
        now: Instant,
        events: &impl Events,
    ) {
        if batch.bound.is_none() {
            return;
        }
        if items.iter().any(Item::is_forbidden) {
            self.alias_only = Some(now);
            say::alias_only(alias, events);
            batch.bound = None;
        } else if items
            .iter()
            .any(|item| item.status == 404 || item.would_make_index())
        {
            batch.bound = None;
        }
    }

    pub(super) fn is_alias_only(&self, now: Instant) -> bool {
        self.alias_only
            .is_some_and(|at| now.saturating_duration_since(at) < ALIAS_ONLY)
    }

    /// The index behind the alias, as far as it is known.
    pub(super) fn index(&self) -> Option<&String> {
        self.index.as_ref().map(|(index, _)| index)
    }
}

/// No index was rolled over more often than this around one lost answer.
const ROLLOVERS: usize = 64;

/// The alias may have moved on around a lost answer, more than once: the records are in an index from then or since, or may be in one
/// that does not say. In none, they stay with the one from before, which is where a request leads that is worked on late.
async fn search(
    target: &Target,
    batch: &Batch,
    before: &str,
    leads_to: &str,
) -> Result<String, Unknown> {
    if before == leads_to {
        return Ok(leads_to.to_owned());
    }
    let ids = some_ids(batch);
    let (mut may_be, mut not) = (None, None);
    for index in since(before, leads_to) {
        if index != leads_to && !target.has_index(&index).await? {
            continue;
        }
        for id in &ids {
            match target.holds(&index, id).await? {
                Held::Yes => return Ok(index),
                Held::MayBe => may_be = may_be.or_else(|| Some(index.clone())),
                Held::No => not = not.or_else(|| Some(index.clone())),
                Held::Untold => {}
            }
        }
    }
    Ok(may_be.or(not).unwrap_or_else(|| leads_to.to_owned()))
}

/// The indices from one to the other, as far as their names tell: those that were made in between are numbered.
fn since(before: &str, leads_to: &str) -> Vec<String> {
    let next = |name: &String| next_name(name).filter(|next| next != leads_to);
    let mut names: Vec<_> = std::iter::successors(Some(before.to_owned()), next)
        .take(ROLLOVERS)
        .collect();
    if names.len() == ROLLOVERS {
        names.truncate(1);
    }
    names.push(leads_to.to_owned());
    names
}

/// The first, the middle and the last: a request that was done in part was done from its start.
fn some_ids(batch: &Batch) -> Vec<String> {
    let ids: Vec<_> = batch.each().map(|piece| piece.bytes).collect();
    let mut some = vec![0, ids.len() / 2, ids.len().saturating_sub(1)];
    some.dedup();
    some.into_iter()
        .filter_map(|at| ids.get(at))
        .map(|record| String::from_utf8_lossy(frame::id(record)).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_indices_in_between() {
        for (before, leads_to, expected) in [
            ("logs-000001", "logs-000002", "logs-000001 logs-000002"),
            (
                "logs-000009",
                "logs-000012",
                "logs-000009 logs-000010 logs-000011 logs-000012",
            ),
            ("logs-000012", "logs-000009", "logs-000012 logs-000009"),
            ("old", "logs-000001", "old logs-000001"),
        ] {
            assert_eq!(since(before, leads_to).join(" "), expected);
        }
    }
}
