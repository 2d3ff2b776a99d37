//! The followed files and the checkpoint, whose operations block.

use super::checkpoint::Checkpoint;
use super::files::Files;
use super::lines::Framed;
use super::position::{InFlight, Part};
use super::unreadable::Unreadable;
use crate::transport::error::Error;

#[derive(Debug)]
pub(super) struct Disk {
    pub(super) files: Files,
    checkpoint: Checkpoint,
    /// Requests that were in flight when an earlier run ended and must go to the same index.
    waiting: Vec<InFlight>,
}

/// Records that must be sent again.
#[derive(Debug)]
pub(super) struct Resent {
    pub(super) framed: Framed,
    pub(super) in_flight: InFlight,
    /// The parts that are no longer in their files.
    pub(super) lost: Vec<Part>,
}

/// How far the files are delivered.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) bytes: u64,
    pub(super) bytes_done: u64,
    pub(super) unfinished: u64,
    pub(super) unreadable: Vec<Unreadable>,
}

impl Disk {
    pub(super) fn new(files: Files, checkpoint: Checkpoint) -> Self {
        Self {
            files,
            waiting: checkpoint.in_flight(),
            checkpoint,
        }
    }

    pub(super) fn sums(&self) -> Sums {
        let (bytes, bytes_done, unfinished) = self.files.sums();
        Sums {
            bytes,
            bytes_done,
            unfinished,
            unreadable: self.files.unreadable(),
        }
    }

    /// Writes the checkpoint, unless it is unchanged.
    pub(super) fn save(&mut self, in_flight: Option<&InFlight>) -> Result<(), Error> {
        let files = self.files.positions();
        self.checkpoint.save(files, in_flight, &self.waiting)
    }

    pub(super) fn mark_delivered(&mut self, parts: &[Part]) {
        self.files.mark_delivered(parts);
    }

    /// Returns how many requests must be sent again.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Reads the records of the first of these requests again, as far as possible. The others stay
    /// in the checkpoint.
    pub(super) fn reread(&mut self) -> Option<Resent> {
        if self.waiting.is_empty() {
            return None;
        }
        let in_flight = self.waiting.remove(0);
        let reread = self.files.reread(&in_flight.parts);
        if !reread.waiting.is_empty() {
            self.waiting.push(InFlight {
                parts: reread.waiting,
                ..in_flight.clone()
            });
        }
        Some(Resent {
            in_flight: InFlight {
                parts: reread.framed.parts.clone(),
                ..in_flight
            },
            framed: reread.framed,
            lost: reread.lost,
        })
    }
}
