//! What the operator is told while records wait.

use openreplay_buffer::Topic;

use super::batch::Batch;
use super::decide::{Cause, Report};
use super::wire::{Item, Unknown};
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
    Question(&'a Unknown),
    /// A status, if a response came at all, and what is wrong.
    Response(Option<u16>, &'a str),
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
            (Self::Question(unknown), _) => unknown.text.clone(),
            (Self::Response(_, why), _) => (*why).to_owned(),
        }
    }

    fn status(&self, cause: Cause) -> Option<u16> {
        match (self, cause) {
            (Self::Items(items), Cause::Item(at)) => items.get(at).map(|item| item.status),
            (Self::Items(_), Cause::Whole) => None,
            (Self::Question(unknown), _) => unknown.status,
            (Self::Response(status, _), _) => *status,
        }
    }
}

/// Reports a decision.
pub(super) fn report(report: Report, source: Source<'_>, alias: &str, events: &impl Events) {
    match (report, source) {
        (Report::Question, Source::Question(question)) => unknown(question, alias, events),
        (Report::Question, _) => {}
        (Report::Trouble(cause), _) => {
            trouble(source.status(cause), &source.text(cause), alias, events);
        }
        (Report::Index(cause), _) => index(&source.text(cause), alias, events),
        (Report::Unreadable, _) => unreadable(events),
        (Report::AliasOnly, _) => alias_only(alias, events),
        (Report::Reduced(cause), _) => reduced(&source.text(cause), events),
        (Report::Rejected(cause), _) => rejected(&source.text(cause), events),
    }
}

/// A query got no usable response yet.
pub(crate) fn unknown(unknown: &Unknown, alias: &str, events: &impl Events) {
    if unknown.is_fault_of_index {
        index(&unknown.text, alias, events);
    } else {
        trouble(unknown.status, &unknown.text, alias, events);
    }
}

/// No index behind the alias accepts records.
fn index(why: &str, alias: &str, events: &impl Events) {
    events.report(
        topic::MISSING,
        &format!(
            "{}; `{alias}` leads to no index that accepts records: look at its write index with `openreplay-elastic \
             check`; keeping the records and trying again",
            shortened(why)
        ),
    );
}

/// A request or a record failed with this status, or got no response.
fn trouble(status: Option<u16>, why: &str, alias: &str, events: &impl Events) {
    let (about, advice) = match status {
        Some(401) => (
            topic::CREDENTIALS,
            "; check the API key, or the user and the password".to_owned(),
        ),
        Some(403) => (
            topic::CREDENTIALS,
            format!("; they need `create_doc` on `{alias}` and `{alias}-*`"),
        ),
        Some(404) => (
            topic::MISSING,
            format!("; `{alias}` has to be an alias: run `openreplay-elastic setup`"),
        ),
        Some(300..=499) if status != Some(429) => {
            (topic::RESPONSE, "; is the address right?".to_owned())
        }
        _ => (topic::UNREACHABLE, String::new()),
    };
    events.report(
        about,
        &format!(
            "{}{advice}; keeping the records and trying again",
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
            "the credentials allow writing to `{alias}` but not to the indices behind it, so a record may be there \
             twice after a rollover: give them `create_doc` on `{alias}-*` too"
        ),
    );
}

fn shortened(why: &str) -> &str {
    text::shortened(why, 300).trim_end()
}
