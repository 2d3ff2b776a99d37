//! What to do next.

use std::ops::Range;

use crate::bulk::backoff::BeforeRetry;
use crate::bulk::event::Cause;
use crate::bulk::state::{Place, State};

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Query which index the alias leads to.
    QueryWriteIndex,
    /// Query whether this index exists.
    QueryExists(String),
    /// Search for the records in the indices that the alias led to from one to the other.
    Search { from: String, to: String },
    /// Send another record in the place of this single one.
    Probe,
    /// Send the records.
    Send(Route),
    /// Send as many records as fit into so many bytes, and then the others.
    Split { bytes: usize },
    /// This attempt is over.
    Settle(Settlement),
}

/// Where records are sent to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) place: Place,
    /// The observer must know the index before.
    pub(crate) announce: bool,
    /// A record may be stored twice, since the credentials are limited to the alias.
    pub(crate) is_risky: bool,
}

/// What became of each record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) stored: Records,
    /// Rejected for good.
    pub(crate) rejected: Records,
    /// To be sent again, in this order.
    pub(crate) parts: Vec<Part>,
    /// `None`: they are sent at once.
    pub(crate) before: Option<BeforeRetry>,
    pub(crate) reports: Vec<Report>,
}

/// Some records of a batch, by their numbers in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Records {
    #[default]
    None,
    All,
    Range(Range<usize>),
    These(Vec<usize>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) records: Records,
    pub(crate) state: State,
}

/// What to report to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The request or a record failed; it is tried again.
    Trouble(Cause),
    /// No index behind the alias accepts records.
    Index(Cause),
    /// A query got no usable response.
    QueryFailed,
    Unreadable,
    /// The credentials are limited to the alias.
    AliasOnly,
    Reduced(Cause),
    Rejected(Cause),
}

impl Records {
    /// Where each of the records has its cause: in its own result, or in the response as a whole.
    pub(crate) fn causes(&self, all: usize) -> Vec<Cause> {
        match self {
            Self::These(these) => these.iter().map(|at| Cause::Item(*at)).collect(),
            others => vec![Cause::Whole; others.count(all)],
        }
    }

    pub(crate) fn count(&self, all: usize) -> usize {
        match self {
            Self::None => 0,
            Self::All => all,
            Self::Range(range) => range.len(),
            Self::These(these) => these.len(),
        }
    }

    /// Two halves, unless it is a single record.
    fn halved(self, all: usize) -> Vec<Self> {
        let half = self.count(all) / 2;
        match self {
            one if half == 0 => vec![one],
            Self::These(mut first) => {
                let second = first.split_off(half);
                vec![Self::These(first), Self::These(second)]
            }
            Self::Range(range) => {
                let middle = range.start + half;
                vec![
                    Self::Range(range.start..middle),
                    Self::Range(middle..range.end),
                ]
            }
            _ => vec![Self::Range(0..half), Self::Range(half..all)],
        }
    }
}

impl Settlement {
    /// Sends these again.
    pub(super) fn resend(parts: Vec<Part>, before: Option<BeforeRetry>) -> Self {
        Self {
            parts,
            before,
            ..Self::default()
        }
    }
}

impl Part {
    /// All records of a batch.
    pub(super) fn all(state: State) -> Self {
        Self {
            records: Records::All,
            state,
        }
    }

    pub(crate) fn halved(self, all: usize) -> impl Iterator<Item = Self> {
        let state = self.state;
        let halves = self.records.halved(all).into_iter();
        halves.map(move |records| Self {
            records,
            state: state.clone(),
        })
    }
}
