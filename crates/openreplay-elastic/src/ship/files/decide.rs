//! Decides what to do with followed and known files, without I/O: each function maps what was
//! observed to an action.

use std::io;

use crate::ship::mode::Mode;
use crate::ship::tail::State;

/// What to do with a followed file that is closed and that no pattern matches any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// The file is still at its path: check it there.
    IsThere,
    /// Report that the file cannot be checked.
    Fail,
    /// Search the file's folder for its inode.
    Search,
}

/// Returns what to do. `is_it` tells whether the path leads to the same file; it is an error if
/// that cannot be found out.
pub(super) fn unmatched(is_it: Result<bool, io::ErrorKind>) -> Unmatched {
    match is_it {
        Ok(true) => Unmatched::IsThere,
        Ok(false) | Err(io::ErrorKind::NotFound) => Unmatched::Search,
        Err(_) => Unmatched::Fail,
    }
}

/// What happens to a followed file after a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterScan {
    Follow,
    /// Remember how far the file is delivered.
    Remember(Left),
}

/// Why a file is not followed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// The file exists and may grow.
    Quiet,
    /// The file may come back, or a copy of it may appear.
    Missing,
    /// The file was deleted. A compressed copy may appear soon.
    Deleted,
}

/// Decides what happens to a file. `is_quiet` tells whether no pattern matches the file and it has
/// not grown for long.
pub(super) fn after_scan(state: State, is_quiet: bool, has_more: bool) -> AfterScan {
    match state {
        _ if has_more => AfterScan::Follow,
        State::Deleted => AfterScan::Remember(Left::Deleted),
        State::Missing => AfterScan::Remember(Left::Missing),
        State::Readable | State::Failing if is_quiet => AfterScan::Remember(Left::Quiet),
        State::Readable | State::Failing | State::Away => AfterScan::Follow,
    }
}

/// What to do with bytes that were in flight when the last run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resend {
    /// Read the bytes again.
    Read,
    /// Keep the bytes until their file can be read.
    Wait,
    /// Keep the bytes until their file comes back, and report that the file is missing.
    WaitMissing,
    /// Report the bytes as lost.
    Lost,
}

/// The state of the file that such bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Followed {
        is_readable: bool,
    },
    /// The file is known, but not followed.
    Known {
        is_deleted: bool,
    },
    Unknown,
}

pub(super) fn resend(file: Whereabouts) -> Resend {
    match file {
        Whereabouts::Followed { is_readable: true } => Resend::Read,
        Whereabouts::Followed { is_readable: false } => Resend::Wait,
        Whereabouts::Known { is_deleted: false } => Resend::WaitMissing,
        Whereabouts::Known { is_deleted: true } | Whereabouts::Unknown => Resend::Lost,
    }
}

/// Returns whether to open a file that a pattern matches and that is not followed yet.
///
/// A single run delivers the files that exist when it starts, and those that it could not read
/// before.
pub(super) fn is_opened(mode: Mode, starts: bool, had_trouble: bool) -> bool {
    mode == Mode::Follow || starts || had_trouble
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unmatched_file_is_searched_only_if_it_left_its_path() {
        use io::ErrorKind::{NotFound, PermissionDenied};

        for (is_it, expected) in [
            (Ok(true), Unmatched::IsThere),
            (Ok(false), Unmatched::Search),
            (Err(NotFound), Unmatched::Search),
            (Err(PermissionDenied), Unmatched::Fail),
        ] {
            assert_eq!(unmatched(is_it), expected);
        }
    }

    #[test]
    fn a_file_with_unread_lines_is_kept() {
        let states = [
            State::Readable,
            State::Deleted,
            State::Missing,
            State::Failing,
            State::Away,
        ];
        for state in states {
            for is_quiet in [false, true] {
                assert_eq!(after_scan(state, is_quiet, true), AfterScan::Follow);
            }
        }
        for (state, is_quiet, expected) in [
            (State::Readable, false, AfterScan::Follow),
            (State::Readable, true, AfterScan::Remember(Left::Quiet)),
            (State::Deleted, false, AfterScan::Remember(Left::Deleted)),
            (State::Deleted, true, AfterScan::Remember(Left::Deleted)),
            (State::Missing, false, AfterScan::Remember(Left::Missing)),
            (State::Missing, true, AfterScan::Remember(Left::Missing)),
            (State::Failing, false, AfterScan::Follow),
            (State::Failing, true, AfterScan::Remember(Left::Quiet)),
            (State::Away, false, AfterScan::Follow),
            (State::Away, true, AfterScan::Follow),
        ] {
            assert_eq!(after_scan(state, is_quiet, false), expected, "{state:?}");
        }
    }

    #[test]
    fn bytes_in_flight_are_lost_only_with_their_file() {
        for (file, expected) in [
            (Whereabouts::Followed { is_readable: true }, Resend::Read),
            (Whereabouts::Followed { is_readable: false }, Resend::Wait),
            (
                Whereabouts::Known { is_deleted: false },
                Resend::WaitMissing,
            ),
            (Whereabouts::Known { is_deleted: true }, Resend::Lost),
            (Whereabouts::Unknown, Resend::Lost),
        ] {
            assert_eq!(resend(file), expected);
        }
    }

    #[test]
    fn a_single_run_opens_the_files_that_existed_at_its_start() {
        for (mode, starts, had_trouble, expected) in [
            (Mode::Follow, false, false, true),
            (Mode::Once, true, false, true),
            (Mode::Once, false, true, true),
            (Mode::Once, false, false, false),
        ] {
            assert_eq!(is_opened(mode, starts, had_trouble), expected);
        }
    }
}
