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
        self.place.bind(&self.target, batch, now, events).await?;
        if !batch.stays {
            return Ok(true);
        }
        if batch.bound.is_none() && !self.place.is_alias_only(now) {
            batch.bound = Some(self.target.write_index().await?);
        }
        match &batch.bound {
            Some(index) if before.as_ref() != Some(index) => Ok(events.moves(batch, index)),
            _ => Ok(true),
        }
    }
}
