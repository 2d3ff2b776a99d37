//! A record of our own in the place of one that the engine stumbles over: where it is taken, the other is at fault.

use bytes::Bytes;
use openreplay_record::{Level, Record};

use super::answer;
use super::batch::Batch;
use super::frame;
use super::target::Target;
use crate::client::Encoding;

/// Whether the index takes another record in the place of this one.
pub(super) async fn is_taken(target: &Target, batch: &Batch) -> bool {
    let Some(piece) = batch.pieces.first() else {
        return false;
    };
    let id = String::from_utf8_lossy(frame::id(&piece.bytes)).into_owned();
    // another each time: one that is there already says nothing about now
    let note = note(&format!("{id}-{}", batch.attempts));
    let sent = target.send(batch.bound.as_deref(), note, Encoding::Lines);
    let Ok(answer) = sent.await else {
        return false;
    };
    let items = answer::read(answer.body(), 1);
    items.is_some_and(|items| items[0].status == 201)
}

fn note(id: &str) -> Bytes {
    let message = "Elasticsearch takes this record, but not another that it was sent for minutes: that one comes with its \
                   fixed fields only, or not at all";
    let mut record = Record::now(Level::Warning, message);
    record.logger = Some("openreplay_elastic");
    let action = serde_json::json!({"create": {"_id": id}});
    format!("{action}\n{}\n", record.to_json()).into()
}
