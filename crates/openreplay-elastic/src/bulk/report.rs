//! What the operator is told while records wait.

use openreplay_buffer::Topic;

use super::batch::Batch;
use super::decide::{Cause, Report};
use super::wire::{FailureKind, Item, QueryError};
use crate::{text, topic};

/// What a delivery tells while it goes on.
pub(crate) trait Events {
    /// Records are stored.
    fn stored(&self, tag: u64, records: usize);
    /// A record was rejected, in its minimal form too.
    fn rejected(&self, tag: u64, why: &str);
    /// The records of a [pinned](Batch::pinned) batch go to this index from now on. Returns whether
    /// they may be sent.
    async fn moves(&self, _batch: &Batch, _index: &str) -> bool {
        true
    }
    /// Something that the operator may want to know.
    fn report(&self, topic: Topic, text: &str);
}

/// What the reports of a decision are about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    Items(&'a [Item<'a>]),
    Query(&'a QueryError),
    /// The kind of failure, if a response came at all, and what is wrong.
    Response(Option<FailureKind>, &'a str),
}

impl Source<'static> {
    /// Nothing is wrong.
    pub(super) const NONE: Self = Self::Response(None, "");
}

impl Source<'_> {
    /// What is wrong with the response, or with a record.
    pub(super) fn text(&self, cause: Cause) -> String {
        match (self, cause) {
            (Self::Items(items), Cause::Item(at)) => {
                items.get(at).map_or_else(String::new, ToString::to_string)
            }
            (Self::Items(_), Cause::Whole) => String::new(),
            (Self::Query(error), _) => error.text.clone(),
            (Self::Response(_, why), _) => (*why).to_owned(),
        }
    }

    fn failure(&self, cause: Cause) -> Option<FailureKind> {
        match (self, cause) {
            (Self::Items(items), Cause::Item(at)) => items.get(at).map(Item::failure),
            (Self::Items(_), Cause::Whole) => None,
            (Self::Query(error), _) => error.failure,
            (Self::Response(failure, _), _) => *failure,
        }
    }
}

/// Reports a decision.
pub(super) fn report(report: Report, source: Source<'_>, alias: &str, events: &impl Events) {
    match (report, source) {
        (Report::QueryFailed, Source::Query(error)) => query_error(error, alias, events),
        (Report::QueryFailed, _) => {}
        (Report::Trouble(cause), _) => {
            trouble(source.failure(cause), &source.text(cause), alias, events);
        }
        (Report::Index(cause), _) => index(&source.text(cause), alias, events),
        (Report::Unreadable, _) => unreadable(events),
        (Report::AliasOnly, _) => alias_only(alias, events),
        (Report::Reduced(cause), _) => reduced(&source.text(cause), events),
        (Report::Rejected(cause), _) => rejected(&source.text(cause), events),
    }
}

/// A query got no usable response yet.
pub(crate) fn query_error(error: &QueryError, alias: &str, events: &impl Events) {
    if error.is_fault_of_index {
        index(&error.text, alias, events);
    } else {
        trouble(error.failure, &error.text, alias, events);
    }
}

/// No index behind the alias accepts records.
fn index(why: &str, alias: &str, events: &impl Events) {
    events.report(
        topic::MISSING,
        &format!(
            "{}; no index behind `{alias}` accepts writes; run `openreplay-elastic check`; keeping the records and retrying",
            shortened(why)
        ),
    );
}

/// A request or a record failed, or got no response. The text also contains what to do about
/// a wrong address.
fn trouble(failure: Option<FailureKind>, why: &str, alias: &str, events: &impl Events) {
    let (about, advice) = match failure {
        Some(FailureKind::Unauthorized) => (
            topic::CREDENTIALS,
            "; check the API key, or the user and the password".to_owned(),
        ),
        Some(FailureKind::Forbidden) => (
            topic::CREDENTIALS,
            format!(
                "; they need `create_doc` on `{alias}` and `{alias}-*` (in a store, a writer's key)"
            ),
        ),
        Some(FailureKind::Missing) => (
            topic::MISSING,
            format!("; `{alias}` must be an alias; run `openreplay-elastic setup`"),
        ),
        Some(
            FailureKind::TooLarge
            | FailureKind::Malformed
            | FailureKind::RejectedByProxy
            | FailureKind::Unexpected,
        ) => (topic::RESPONSE, String::new()),
        Some(
            FailureKind::Busy
            | FailureKind::TimedOut
            | FailureKind::EngineFailed
            | FailureKind::Unavailable
            | FailureKind::OtherSuccess,
        )
        | None => (topic::UNREACHABLE, String::new()),
    };
    events.report(
        about,
        &format!(
            "{}{advice}; keeping the records and retrying",
            shortened(why)
        ),
    );
}

/// Why a response with status 200 is a failure.
pub(super) const UNREADABLE: &str = "a response to _bulk could not be read";

fn unreadable(events: &impl Events) {
    events.report(
        topic::RESPONSE,
        &format!("{UNREADABLE}; sending the records again"),
    );
}

fn reduced(why: &str, events: &impl Events) {
    events.report(
        topic::REDUCED,
        &format!(
            "a record was rejected, and is sent with its fixed fields only: {}",
            shortened(why)
        ),
    );
}

fn rejected(why: &str, events: &impl Events) {
    events.report(
        topic::REJECTED,
        &format!("a record was rejected: {}", shortened(why)),
    );
}

/// The index behind the alias cannot be queried, so a record may be stored in two indices.
pub(super) fn alias_only(alias: &str, events: &impl Events) {
    events.report(
        topic::ALIAS_ONLY,
        &format!(
            "the credentials allow writing to `{alias}` but not to the indices behind it, so a record may be stored \
             twice after a rollover; grant `create_doc` on `{alias}-*` as well"
        ),
    );
}

fn shortened(why: &str) -> &str {
    text::shortened(why, 300).trim_end()
}
