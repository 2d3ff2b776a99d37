//! What the status of a failed request means.

use crate::bulk::backoff::Backoff;

/// Whether a request was executed although no response confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Executed {
    No,
    Unknown,
}

/// The kind of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The request exceeds a limit of the engine or of a proxy.
    TooLarge,
    /// The engine cannot read the request, because of one of its records.
    Malformed,
    /// A proxy rejects the request, which is rarely because of its records.
    RejectedByProxy,
    /// The engine has too much to do.
    Busy,
    /// The request took too long for the engine or for a proxy.
    TimedOut,
    /// The engine failed, possibly on one of the records.
    EngineFailed,
    /// The engine is unavailable, or a proxy does not reach it.
    Unavailable,
    /// The alias or the index is missing.
    Missing,
    /// The credentials are missing, wrong or expired.
    Unauthorized,
    /// The credentials do not allow the request.
    Forbidden,
    /// A success, but not the one that Elasticsearch responds with.
    OtherSuccess,
    /// No response of Elasticsearch to `_bulk`.
    Unexpected,
}

impl FailureKind {
    /// `name`: the engine's name for the error; a proxy has none.
    pub(crate) fn of(status: u16, name: Option<&str>) -> Self {
        match (status, name) {
            (413, _) => Self::TooLarge,
            (400, Some(_)) => Self::Malformed,
            (400 | 403 | 406, None) => Self::RejectedByProxy,
            (429, _) => Self::Busy,
            (408 | 504, _) => Self::TimedOut,
            (500, Some(_)) => Self::EngineFailed,
            (500.., _) => Self::Unavailable,
            (404, Some("index_not_found_exception")) => Self::Missing,
            (401, _) => Self::Unauthorized,
            (403, Some(_)) => Self::Forbidden,
            (200..=299, _) => Self::OtherSuccess,
            _ => Self::Unexpected,
        }
    }

    /// Returns how soon it makes sense to try again.
    pub(crate) fn backoff(self) -> Backoff {
        match self {
            Self::Busy | Self::TimedOut | Self::EngineFailed | Self::Unavailable => Backoff::Short,
            Self::TooLarge
            | Self::Malformed
            | Self::RejectedByProxy
            | Self::Missing
            | Self::Unauthorized
            | Self::Forbidden
            | Self::OtherSuccess
            | Self::Unexpected => Backoff::Long,
        }
    }

    /// Returns whether the request was executed all the same, for instance behind a proxy.
    pub(crate) fn executed(self) -> Executed {
        match self {
            Self::TimedOut | Self::EngineFailed | Self::Unavailable | Self::OtherSuccess => {
                Executed::Unknown
            }
            Self::TooLarge
            | Self::Malformed
            | Self::RejectedByProxy
            | Self::Busy
            | Self::Missing
            | Self::Unauthorized
            | Self::Forbidden
            | Self::Unexpected => Executed::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_decides_how_soon_and_whether_the_request_may_have_been_executed() {
        use FailureKind::*;
        let no_index = Some("index_not_found_exception");
        let named = Some("some_exception");
        for (status, name, kind, backoff, executed) in [
            (202, None, OtherSuccess, Backoff::Long, Executed::Unknown),
            (301, None, Unexpected, Backoff::Long, Executed::No),
            (400, named, Malformed, Backoff::Long, Executed::No),
            (400, None, RejectedByProxy, Backoff::Long, Executed::No),
            (401, None, Unauthorized, Backoff::Long, Executed::No),
            (403, named, Forbidden, Backoff::Long, Executed::No),
            (403, None, RejectedByProxy, Backoff::Long, Executed::No),
            (404, no_index, Missing, Backoff::Long, Executed::No),
            (404, named, Unexpected, Backoff::Long, Executed::No),
            (404, None, Unexpected, Backoff::Long, Executed::No),
            (406, named, Unexpected, Backoff::Long, Executed::No),
            (406, None, RejectedByProxy, Backoff::Long, Executed::No),
            (408, None, TimedOut, Backoff::Short, Executed::Unknown),
            (413, None, TooLarge, Backoff::Long, Executed::No),
            (429, named, Busy, Backoff::Short, Executed::No),
            (500, named, EngineFailed, Backoff::Short, Executed::Unknown),
            (500, None, Unavailable, Backoff::Short, Executed::Unknown),
            (502, None, Unavailable, Backoff::Short, Executed::Unknown),
            (503, named, Unavailable, Backoff::Short, Executed::Unknown),
            (504, None, TimedOut, Backoff::Short, Executed::Unknown),
        ] {
            let found = FailureKind::of(status, name);
            assert_eq!(found, kind, "{status} {name:?}");
            let consequences = (found.backoff(), found.executed());
            assert_eq!(consequences, (backoff, executed), "{status} {name:?}");
        }
    }
}
