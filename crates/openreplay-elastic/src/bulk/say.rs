//! What the operator is told while records wait.

use std::error::Error;

use super::deliver::Events;
use super::target::Unknown;
use crate::{text, topic};

/// A question that has no answer yet.
pub(crate) fn unknown(unknown: &Unknown, alias: &str, events: &impl Events) {
    if unknown.is_fault_of_index {
        index(&unknown.text, alias, events);
    } else {
        trouble(unknown.status, &unknown.text, alias, events);
    }
}

/// There is no index behind the alias that takes records.
pub(super) fn index(why: &str, alias: &str, events: &impl Events) {
    events.say(
        topic::MISSING,
        &format!(
            "{}; `{alias}` leads to no index that takes records: look at its write index with `openreplay-elastic \
             check`; keeping the records and trying again",
            shortened(why)
        ),
    );
}

/// A request, or a record, was answered with this status, or not at all.
pub(super) fn trouble(status: Option<u16>, why: &str, alias: &str, events: &impl Events) {
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
    events.say(
        about,
        &format!(
            "{}{advice}; keeping the records and trying again",
            shortened(why)
        ),
    );
}

pub(super) fn unreadable(events: &impl Events) -> &'static str {
    let why = "an answer to _bulk could not be read";
    events.say(topic::RESPONSE, &format!("{why}; asking again"));
    why
}

pub(super) fn reduced(why: &str, events: &impl Events) {
    events.say(
        topic::REDUCED,
        &format!(
            "a record was refused, and is sent with its fixed fields only: {}",
            shortened(why)
        ),
    );
}

pub(super) fn refused(why: &str, events: &impl Events) {
    events.say(
        topic::REJECTED,
        &format!("a record was refused: {}", shortened(why)),
    );
}

/// The index behind the alias cannot be asked, so a record may be stored in two of them.
pub(super) fn alias_only(alias: &str, events: &impl Events) {
    events.say(
        topic::ALIAS_ONLY,
        &format!(
            "the credentials allow writing to `{alias}` but not to the indices behind it, so a record may be there \
             twice after a rollover: give them `create_doc` on `{alias}-*` too"
        ),
    );
}

pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn shortened(why: &str) -> &str {
    text::shortened(why, 300).trim_end()
}
