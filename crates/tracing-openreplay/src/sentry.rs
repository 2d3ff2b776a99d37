//! Sentry's events, in which OpenReplay finds the session.
//!
//! OpenReplay first searches Sentry's *search message* for `openReplaySession.id=<id>`, as a
//! substring (`clients/sentry.go`). Sentry makes that text of the log entry, the event's metadata
//! and the culprit (`search_message` in `src/sentry/eventstore/models.py`), not of tags. Only if
//! nothing is found, OpenReplay searches for issues by tag, which gives one row for each issue at
//! the time of the issue's latest event, perhaps another visitor's.
//!
//! So the phrase goes into the culprit. A culprit that comes with an event is kept (`get_culprit`
//! in `src/sentry/event_manager.py`), and no strategy of grouping reads it
//! (`src/sentry/grouping/strategies/`): the same error of two sessions stays one issue.
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

/// The tag by which OpenReplay finds issues.
const TAG: &str = field::SESSION_ID;
/// The tag with the address of the replay.
const URL_TAG: &str = "openReplaySessionURL";

/// Sentry cuts a culprit at 200 characters.
const CULPRIT: usize = 140;

/// Marks an event with its session; for `before_send` of Sentry's options.
///
/// The session is that of [`as_sentry_tag()`](crate::WithSession::as_sentry_tag) if the event came
/// through such a layer, else that of the running task: so panics and `capture_error` have theirs.
/// It becomes the tag `openReplaySession.id` and a part of the culprit, behind the event's own
/// culprit or transaction. The phrase that OpenReplay searches for is broken in texts that a client
/// may have sent (`openReplaySessi*n.id`): the message, the log entry and its parameters, the
/// exceptions' types and values, and the transaction. Without a session nothing else changes.
#[must_use]
pub fn before_send(event: Event<'static>) -> Option<Event<'static>> {
    Some(marked(event, None))
}

/// Returns a function that does what [`before_send`] does and adds the address of the replay, as
/// the tag `openReplaySessionURL`.
///
/// `project` is the address of the project in OpenReplay, with the project's id, see
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
    // a type is the beginning of the error's `Debug`
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

/// Breaks the phrase wherever it is in a parameter, in the texts of a list or an object too.
fn break_param(param: &mut Value) {
    if let Cow::Owned(json) = broken(&param.to_string())
        // a letter replaced by `*` leaves it valid
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
