//! Compressed copies of files: compares their text, and takes over from the original.

use std::io;

use super::{Ending, Tail};
use crate::ship::content::{Content, UNKNOWN};
use crate::ship::identity::{Place, end_of_first_line};
use crate::ship::position::Position;

/// Whether a compressed file has the same text as another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ship) enum Comparison {
    Same,
    Different,
    /// Only the first line can be compared, and it may be the same in all files.
    Unlike,
    /// Too little of the other file's text is available to tell.
    Open,
    /// The compressed text ends too early to tell.
    Early,
}

impl Comparison {
    /// Returns whether the result holds until the compressed file changes.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Different | Self::Early)
    }
}

impl Tail {
    /// Compares the text with that of an open, uncompressed file, up to the end of the shorter one.
    pub(in crate::ship) fn compare(&self, other: &Self) -> io::Result<Comparison> {
        self.compare_with(other.content()?)
    }

    pub(in crate::ship) fn compare_with(&self, other: &Content) -> io::Result<Comparison> {
        let content = self.content()?;
        let first_line = end_of_first_line(content)?;
        let common = content.reach(other.reach(UNKNOWN)?)?;
        let is_whole = matches!(content.ending(), Some((_, Ending::Complete)));
        if common < first_line || common == first_line && !is_whole {
            return Ok(Comparison::Open);
        }
        let place = Place::at(content, common, self.hash)?;
        Ok(same(place.is_in(other, self.hash)?))
    }

    /// Compares the text with what was delivered of another file. The first line may be the same in
    /// all files, so it suffices only if `is_like` tells that the other file has a similar name.
    pub(in crate::ship) fn compare_delivered(
        &self,
        known: &Position,
        is_like: bool,
    ) -> io::Result<Comparison> {
        let content = self.content()?;
        let delivered = known.delivered.offset;
        if delivered == 0 {
            return Ok(Comparison::Same);
        }
        let first_line = end_of_first_line(content)?;
        if content.reach(delivered)? < delivered {
            return Ok(match content.ending() {
                Some((_, Ending::Early)) | None => Comparison::Early,
                Some((_, Ending::Complete | Ending::Corrupt(_))) => Comparison::Different,
            });
        }
        if !is_like && delivered <= first_line {
            return Ok(Comparison::Unlike);
        }
        Ok(same(known.delivered.is_in(content, self.hash)?))
    }

    /// Continues where another file with the same text stopped. That may be after the end of this
    /// text, if the app wrote to the other file after it was compressed, or if the rest of this
    /// text is not written yet.
    pub(in crate::ship) fn take_over(&mut self, mut known: Position) -> io::Result<()> {
        let content = self.content()?;
        let end = content.reach(known.delivered.offset)?;
        let is_early = matches!(content.ending(), Some((_, Ending::Early)));
        if end < known.delivered.offset && !is_early {
            known.delivered = Place::at(content, end, self.hash)?;
        }
        self.resume(&known);
        Ok(())
    }
}

fn same(is_same: bool) -> Comparison {
    if is_same {
        Comparison::Same
    } else {
        Comparison::Different
    }
}
