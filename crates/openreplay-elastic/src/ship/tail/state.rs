//! The state of a followed file, and what a check of it reveals. No I/O.

use crate::ship::identity::Identity;

/// What can be done with a followed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ship) enum State {
    /// The file has a name and can be read.
    Readable,
    /// The file is open but has no name any more. It is closed once it has been read to its end.
    Deleted,
    /// The file is closed, and no name is known that leads to it.
    Missing,
    /// The file cannot be read before the next scan.
    Failing,
    /// The file's name leads to another file or to none; the next scan searches for the file.
    Away,
}

impl State {
    /// Returns the state at the start of a scan: what failed is retried.
    pub(super) fn next_scan(self) -> Self {
        match self {
            Self::Failing | Self::Away => Self::Readable,
            Self::Readable | Self::Deleted | Self::Missing => self,
        }
    }
}

/// Whether a file delivers its own lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ship) enum Origin {
    /// The file delivers its lines.
    Own,
    /// The file is compressed, and may be a copy of another file.
    Unsettled,
    /// The file is a compressed copy of the file with this seed, which delivers the lines as long
    /// as it exists.
    CopyOf(u64),
}

/// The result of checking an open file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    pub(super) length: u64,
    pub(super) identity: Option<Identity>,
    /// The text that was read is still in the file.
    pub(super) holds_text_read: bool,
}

/// Returns whether a file was rewritten. `read` is the number of bytes that were read before.
pub(super) fn is_rewritten(before: Option<Identity>, read: u64, now: &Observed) -> bool {
    let is_other = before.is_some() && now.identity != before;
    is_other || now.length < read || !now.holds_text_read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_the_text_that_was_read_is_rewritten() {
        let first = Some(Identity::new(1, 1));
        let other = Some(Identity::new(1, 2));
        for (name, before, read, length, identity, holds_text_read, expected) in [
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
                holds_text_read,
            };
            assert_eq!(is_rewritten(before, read, &now), expected, "{name}");
        }
    }

    #[test]
    fn a_scan_retries_what_failed() {
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
