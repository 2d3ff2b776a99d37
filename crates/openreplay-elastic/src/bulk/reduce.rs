//! A record that is refused: once more with its fixed fields only, or never again.

use super::batch::{Batch, Piece};
use super::deliver::Events;
use super::{frame, minimal, say};

/// What is to be sent of these refused records, and why they were; `None` where nothing is.
///
/// `takes_others`: the index took others meanwhile, so these are at fault.
pub(super) fn reduced<'a>(
    batch: &Batch,
    refused: impl IntoIterator<Item = (&'a Piece, &'a str)>,
    takes_others: bool,
    events: &impl Events,
) -> Option<Batch> {
    let mut pieces = Vec::new();
    for (piece, why) in refused {
        if batch.minimal {
            say::refused(why, events);
            events.refused(piece.tag, why);
        } else {
            say::reduced(why, events);
            pieces.push(minimal_piece(piece));
        }
    }
    (!pieces.is_empty()).then(|| Batch {
        minimal: true,
        is_blamed: takes_others,
        attempts: 0,
        waits: [0; 2],
        faults: 0,
        alone: None,
        is_doubted: false,
        ..batch.with(pieces)
    })
}

fn minimal_piece(piece: &Piece) -> Piece {
    let line = minimal::minimal(frame::document(&piece.bytes));
    Piece {
        bytes: frame::with_document(&piece.bytes, &line).into(),
        ..*piece
    }
}
