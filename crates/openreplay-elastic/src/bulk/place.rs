//! Where records are when an answer was lost: an `_id` is unique in an index, not in an alias.

use std::time::{Duration, Instant};

use super::answer::Item;
use super::batch::Batch;
use super::deliver::Events;
use super::target::{Target, Unknown};
use super::{frame, say};

/// How long credentials are taken not to reach the indices behind the alias: somebody may have given them more since.
pub(super) const ALIAS_ONLY: Duration = Duration::from_secs(600);

/// What is known of the index behind the alias.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The one that the last answer named.
    index: Option<String>,
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
        let asks = self.index.is_none() || batch.needs_place();
        if !asks {
            return Ok(());
        }
        let leads_to = target.write_index().await?;
        self.index = Some(leads_to.clone());
        if let Some(bound) = batch.bound.clone() {
            // what is gone, or takes nothing for long and is not the one to be mended, must not hold the records up
            let is_left = bound != leads_to;
            if is_left && (batch.is_blocked_for_long(now) || !target.has_index(&bound).await?) {
                batch.bound = None;
                batch.blocked = None;
            }
        }
        if let Some(before) = &batch.lost {
            let found = match before {
                Some(before) if *before != leads_to => {
                    search(target, batch, before, &leads_to).await?
                }
                _ => None,
            };
            batch.lost = None;
            if self.is_alias_only(now) {
                say::alias_only(target.alias(), events);
            } else {
                batch.bound = Some(found.unwrap_or(leads_to));
            }
        }
        Ok(())
    }

    /// Keeps in mind where a batch may be that got no answer.
    pub(super) fn lost(&self, batch: &mut Batch) {
        if batch.bound.is_none() && batch.lost.is_none() {
            batch.lost = Some(self.index.clone());
        }
    }

    /// Records of a batch went to this index.
    pub(super) fn learn(&mut self, batch: &Batch, index: &str, alias: &str) {
        let is_news = self.index.as_deref() != Some(index);
        // what a pipeline drops is answered under the alias
        if is_news && batch.bound.is_none() && !index.is_empty() && index != alias {
            self.index = Some(index.to_owned());
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

    fn is_alias_only(&self, now: Instant) -> bool {
        self.alias_only
            .is_some_and(|at| now.saturating_duration_since(at) < ALIAS_ONLY)
    }
}

/// The alias has moved on around a lost answer: its records are in the index from before, in that of now, or nowhere.
async fn search(
    target: &Target,
    batch: &Batch,
    before: &str,
    leads_to: &str,
) -> Result<Option<String>, Unknown> {
    let ids = some_ids(batch);
    for index in [before, leads_to] {
        if index != leads_to && !target.has_index(index).await? {
            continue;
        }
        for id in &ids {
            if target.holds(index, id).await? == Some(true) {
                return Ok(Some(index.to_owned()));
            }
        }
    }
    Ok(None)
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
