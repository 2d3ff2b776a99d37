//! What is reported to the operator while records wait.

use super::decide::Report;
use super::event::{Cause, Event};
use super::observer::Observer;
use super::wire::{FailureKind, QueryError};
use crate::{text, topic};

/// Reports a part of a decision about an event.
pub(super) fn report(report: Report, event: &Event<'_>, observer: &impl Observer) {
    match report {
        Report::QueryFailed => {
            if let Event::QueryFailed(error) = event {
                query_failed(error, observer);
            }
        }
        Report::Trouble(cause) => trouble(event.failure(cause), &event.text(cause), observer),
        Report::Index(cause) => index(&event.text(cause), observer),
        Report::Unreadable => unreadable(&event.text(Cause::Whole), observer),
        Report::AliasOnly => alias_only(observer),
        Report::Reduced(cause) => reduced(&event.text(cause), observer),
        Report::Rejected(cause) => rejected(&event.text(cause), observer),
    }
}

/// A query got no usable response yet.
pub(crate) fn query_failed(error: &QueryError, observer: &impl Observer) {
    if error.is_fault_of_index {
        index(&error.text, observer);
    } else {
        trouble(error.failure, &error.text, observer);
    }
}

/// No index behind the alias accepts records.
fn index(why: &str, observer: &impl Observer) {
    observer.report(
        topic::MISSING,
        &format!(
            "{}; no index behind `logs` accepts writes; run `openreplay-elastic check`; keeping the records and retrying",
            shortened(why)
        ),
    );
}

/// A request or a record failed, or got no response. The text also contains what to do about
/// a wrong address.
fn trouble(failure: Option<FailureKind>, why: &str, observer: &impl Observer) {
    let (about, advice) = match failure {
        Some(FailureKind::Unauthorized) => (
            topic::CREDENTIALS,
            "; check the API key, or the user and the password",
        ),
        Some(FailureKind::Forbidden) => (
            topic::CREDENTIALS,
            "; they need `create_doc` on `logs` and `logs-*` (in a store, a writer's key)",
        ),
        Some(FailureKind::Missing) => (
            topic::MISSING,
            "; `logs` must be an alias; run `openreplay-elastic setup`",
        ),
        Some(
            FailureKind::TooLarge
            | FailureKind::Malformed
            | FailureKind::RejectedByProxy
            | FailureKind::Unexpected,
        ) => (topic::RESPONSE, ""),
        Some(
            FailureKind::Busy
            | FailureKind::TimedOut
            | FailureKind::EngineFailed
            | FailureKind::Unavailable
            | FailureKind::OtherSuccess,
        )
        | None => (topic::UNREACHABLE, ""),
    };
    observer.report(
        about,
        &format!(
            "{}{advice}; keeping the records and retrying",
            shortened(why)
        ),
    );
}

fn unreadable(why: &str, observer: &impl Observer) {
    observer.report(
        topic::RESPONSE,
        &format!("{why}; sending the records again"),
    );
}

fn reduced(why: &str, observer: &impl Observer) {
    observer.report(
        topic::REDUCED,
        &format!(
            "a record was rejected, and is sent with its fixed fields only: {}",
            shortened(why)
        ),
    );
}

fn rejected(why: &str, observer: &impl Observer) {
    observer.report(
        topic::REJECTED,
        &format!("a record was rejected: {}", shortened(why)),
    );
}

/// The index behind the alias cannot be queried, so a record may be stored in two indices.
pub(super) fn alias_only(observer: &impl Observer) {
    observer.report(
        topic::ALIAS_ONLY,
        "the credentials allow writing to `logs` but not to the indices behind it, so a record may be stored twice after a \
         rollover; grant `create_doc` on `logs-*` as well",
    );
}

fn shortened(why: &str) -> &str {
    text::shortened(why, 300).trim_end()
}
