//! Marks Sentry's events with their session, so that OpenReplay finds them.
//!
//! OpenReplay first searches Sentry's *search message* for the substring
//! `openReplaySession.id=<id>` (`clients/sentry.go`). Sentry composes the search message from the
//! log entry, the event's metadata and the culprit, but not from tags (`search_message` in
//! `src/sentry/eventstore/models.py`). Only if nothing is found, OpenReplay searches for issues by
//! tag. That search returns one row per issue, at the time of the issue's latest event, which may
//! belong to another visitor.
//!
//! The phrase is therefore added to the culprit. Sentry keeps the culprit that an event contains
//! (`get_culprit` in `src/sentry/event_manager.py`), and does not group by it
//! (`src/sentry/grouping/strategies/`), so the same error in two sessions remains one issue.
//!
//! ```
//! use tracing_openreplay::sentry::before_send;
//!
//! let options = sentry_core::ClientOptions::new().before_send(before_send);
//! # drop(options);
//! ```

use std::borrow::Cow;

use openreplay_record::{
    field,
    phrase::{self, broken},
};
use openreplay_session::SessionId;
use sentry_core::protocol::{Event, Value};

use crate::replay::{JUMP, Replay, SESSION};

/// The tag that OpenReplay searches for.
const TAG: &str = field::SESSION_ID;
/// The tag with the URL of the replay.
const URL_TAG: &str = "openReplaySessionURL";

/// The maximum length of the event's own culprit in characters. Sentry truncates culprits at 200
/// characters, so this leaves room for the phrase.
const CULPRIT: usize = 140;

/// Marks an event with its session, for `before_send` in Sentry's options.
///
/// If the event passed through a layer with
/// [`as_sentry_tag()`](crate::WithSession::as_sentry_tag), its session is the one that this layer
/// found. Otherwise, it is the session of the running task, so that panics and `capture_error` have
/// a session as well. The session is set as the tag `openReplaySession.id` and appended to the
/// event's culprit or transaction.
///
/// In text that a client may have sent, the phrase that OpenReplay searches for is broken
/// (`openReplaySessi*n.id`): in the message, the log entry and its parameters, the types and values
/// of exceptions, and the transaction. If there is no session, nothing else changes.
#[must_use]
pub fn before_send(event: Event<'static>) -> Option<Event<'static>> {
    Some(marked(event, None))
}

/// Returns a function like [`before_send`], which also sets the URL of the replay as the tag
/// `openReplaySessionURL`.
///
/// `project` is the URL of the project in OpenReplay, including the project's id. See
/// [`with_replay_url`](crate::Json::with_replay_url).
///
/// ```
/// use tracing_openreplay::sentry::before_send_with_replay_url;
///
/// let before_send = before_send_with_replay_url("https://openreplay.example.com/1234");
/// let options = sentry_core::ClientOptions::new().before_send(before_send);
/// # drop(options);
/// ```
pub fn before_send_with_replay_url(
    project: impl AsRef<str>,
) -> impl Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync + 'static {
    let replays = [project.as_ref().trim_end_matches('/'), SESSION].concat();
    move |event| Some(marked(event, Some(&replays)))
}

fn marked(mut event: Event<'static>, replays: Option<&str>) -> Event<'static> {
    break_phrases(&mut event);
    let tagged = event.tags.get(TAG).map(|tag| tag.parse::<SessionId>().ok());
    let Some(session) = tagged.unwrap_or_else(openreplay_session::current) else {
        return event;
    };
    event.tags.insert(TAG.to_owned(), session.to_string());
    let own = event.culprit.take().or_else(|| event.transaction.clone());
    let phrase = phrase::of(&session);
    event.culprit = Some(match own {
        Some(own) => [cut(&own), " ", &phrase].concat(),
        None => phrase,
    });
    if let (Some(replays), Some(replay)) = (replays, Replay::of(&session, event.timestamp)) {
        let jump = replay.jump.map(|jump| format!("{JUMP}{jump}"));
        let url = [
            replays,
            session.as_str(),
            jump.as_deref().unwrap_or_default(),
        ]
        .concat();
        event.tags.insert(URL_TAG.to_owned(), url);
    }
    event
}

fn break_phrases(event: &mut Event<'static>) {
    let texts = [
        &mut event.message,
        &mut event.transaction,
        &mut event.culprit,
    ];
    let exceptions = event.exception.values.iter_mut();
    // The type of an exception is the beginning of the error's `Debug` output.
    let exceptions =
        exceptions.flat_map(|exception| [Some(&mut exception.ty), exception.value.as_mut()]);
    let texts = texts.into_iter().map(Option::as_mut).chain(exceptions);
    for text in texts.flatten() {
        *text = broken(text).into_owned();
    }
    if let Some(entry) = &mut event.logentry {
        entry.message = broken(&entry.message).into_owned();
        entry.params.iter_mut().for_each(break_param);
    }
}

/// Breaks the phrase anywhere in a parameter, including the strings in a list or an object.
fn break_param(param: &mut Value) {
    if let Cow::Owned(json) = broken(&param.to_string())
        // Replacing a letter with `*` keeps the JSON valid.
        && let Ok(broken) = json.parse()
    {
        *param = broken;
    }
}

fn cut(text: &str) -> &str {
    match text.char_indices().nth(CULPRIT) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
