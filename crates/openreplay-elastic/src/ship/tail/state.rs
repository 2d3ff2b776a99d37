//! What can be done with a followed file, and what a look at it tells. No I/O.

use crate::ship::identity::Identity;

/// What can be done with a followed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ship) enum State {
    /// It has a name, and can be read.
    Readable,
    /// It is open, and has no name any more: it is forgotten once it has been read to its end.
    Deleted,
    /// It is closed, and no name is known that leads to it.
    Missing,
    /// It cannot be read before the next scan.
    Failing,
    /// Its name leads to another file, or to none, before the next scan.
    Away,
}

impl State {
    /// Returns the state at the start of a scan: what failed is tried again.
    pub(super) fn next_scan(self) -> Self {
        match self {
            Self::Failing | Self::Away => Self::Readable,
            Self::Readable | Self::Deleted | Self::Missing => self,
        }
    }
}

/// Whether the lines of a file are its own to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ship) enum Origin {
    /// They are.
    Own,
    /// It is compressed, and may be a copy of another file.
    Unsettled,
    /// It is a compressed copy of the file with this seed, which delivers them as long as it is
    /// there.
    CopyOf(u64),
}

/// What a look at an open file finds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    pub(super) length: u64,
    pub(super) identity: Option<Identity>,
    /// What was read of it is still there.
    pub(super) holds_taken: bool,
}

/// Whether a file is still the one that it was, of which `taken` bytes have been read.
pub(super) fn is_rewritten(before: Option<Identity>, taken: u64, now: &Observed) -> bool {
    let is_other = before.is_some() && now.identity != before;
    is_other || now.length < taken || !now.holds_taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_rewritten_if_what_was_read_is_not_there() {
        let first = Some(Identity::new(1, 1));
        let other = Some(Identity::new(1, 2));
        for (name, before, taken, length, identity, holds_taken, expected) in [
            ("grown", first, 10, 20, first, true, false),
            ("as it was", first, 10, 10, first, true, false),
            (
                "its first line is whole now",
                None,
                0,
                10,
                first,
                true,
                false,
            ),
            ("another first line", first, 10, 20, other, true, true),
            ("its first line is gone", first, 10, 10, None, true, true),
            ("shorter", first, 10, 9, first, true, true),
            (
                "something else before the place",
                first,
                10,
                20,
                first,
                false,
                true,
            ),
        ] {
            let now = Observed {
                length,
                identity,
                holds_taken,
            };
            assert_eq!(is_rewritten(before, taken, &now), expected, "{name}");
        }
    }

    #[test]
    fn a_scan_tries_again_what_failed() {
        for (before, after) in [
            (State::Readable, State::Readable),
            (State::Deleted, State::Deleted),
            (State::Missing, State::Missing),
            (State::Failing, State::Readable),
            (State::Away, State::Readable),
        ] {
            assert_eq!(before.next_scan(), after);
        }
    }
}
