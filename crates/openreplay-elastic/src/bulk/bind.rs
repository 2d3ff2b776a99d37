//! Which index a batch goes to, where something depends on that.

use std::time::Instant;

use super::batch::Batch;
use super::deliver::{Delivery, Events};
use super::target::Unknown;

impl Delivery {
    /// Says whether the batch may be sent: its sender may have to know another index first.
    pub(super) async fn bind(
        &mut self,
        batch: &mut Batch,
        now: Instant,
        events: &impl Events,
    ) -> Result<bool, Unknown> {
        let before = batch.bound.clone();
        let needs_index = batch.stays && !self.place.is_alias_only(now);
        if needs_index && batch.bound.is_none() {
            // it is asked for now, then, and not what some answer named
            self.place.forget();
        }
        self.place.bind(&self.target, batch, now, events).await?;
        if needs_index && batch.bound.is_none() {
            batch.bound = self.place.index().cloned();
        }
        match &batch.bound {
            Some(index) if batch.stays && before.as_ref() != Some(index) => {
                Ok(events.moves(batch, index))
            }
            _ => Ok(true),
        }
    }
}
