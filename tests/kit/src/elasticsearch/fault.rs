//! What the stand-in can be told to do instead.

use std::time::Duration;

/// What to do with one `_bulk` request instead of serving it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Respond with this status, with `Retry-After` if seconds are given, and do nothing.
    Status(u16, Option<u32>),
    /// Respond with this status for each item whose number can be divided by it, and store the
    /// others.
    Items(u16, usize),
    /// Store everything, and respond with this status for each item.
    StoredItems(u16),
    /// Respond with 400 as a proxy does.
    Proxy400,
    /// Respond with 200 and an unexpected text, having stored everything or nothing.
    Garbage {
        /// Whether the documents are stored.
        stored: bool,
    },
    /// Store everything, and break the connection after so many bytes of the response.
    HalfResponse(usize),
    /// Break the connection without a response, having stored everything or nothing.
    HangUp {
        /// Whether the documents are stored.
        stored: bool,
    },
    /// Serve it, after that time.
    Stall(Duration),
    /// Break the connection, and store everything after that time in the index that was meant.
    Late(Duration),
    /// Let the alias lead to a new index of this name, before or after the documents are stored,
    /// and hang up.
    RollOver {
        /// The new index.
        to: &'static str,
        /// Whether the documents are stored in the old index, in the new one, or in neither.
        stored_in: StoredIn,
    },
}

/// Where the documents of a request go that meets a rollover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredIn {
    /// The alias moved on after them.
    Old,
    /// The alias moved on before them.
    New,
    /// They did not get there.
    NoIndex,
}
