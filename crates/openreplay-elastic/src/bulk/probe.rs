//! A record of our own in the place of one that the engine fails on: if it is stored, the other is
//! at fault.

use bytes::Bytes;
use openreplay_record::{Level, Record};

use super::batch::Batch;
use super::wire::{self, ItemKind, Response, Wire};

/// Sends another record in the place of this one. Returns whether the index stored it.
pub(super) async fn store(wire: &mut impl Wire, batch: &Batch) -> bool {
    let Some(piece) = batch.pieces.first() else {
        return false;
    };
    let id = String::from_utf8_lossy(wire::record_id(&piece.bytes)).into_owned();
    // Another each time: one that is stored already proves nothing about now.
    let note = note(&format!("{id}-{}", batch.state.tries.sent));
    let index = batch.state.place.index();
    let Response::Body(body) = wire.send(index, vec![note]).await else {
        return false;
    };
    let items = wire::read(&body, 1);
    items.is_some_and(|items| items[0].kind() == ItemKind::Stored && items[0].status == 201)
}

fn note(id: &str) -> Bytes {
    let message = "Elasticsearch stored this record, but has failed on another record for minutes. The other record is \
                   resent with its fixed fields only, or rejected.";
    let mut record = Record::now(Level::Warning, message);
    record.logger = Some("openreplay_elastic");
    let action = serde_json::json!({"create": {"_id": id}});
    format!("{action}\n{}\n", record.to_json()).into()
}
