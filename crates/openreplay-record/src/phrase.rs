//! The phrase that OpenReplay searches for: `openReplaySession.id=<id>`, anywhere in a message.
//!
//! # Text that clients send
//!
//! If a client sent this phrase in a path or a form field that is then logged, the record would
//! belong to a session of the client's choice. In everything that follows the prefix of a message,
//! [`break_in`] or [`broken`] therefore turns `openReplaySession.id` into `openReplaySessi*n.id`.
//! Neither Elasticsearch's analyser nor a substring search treats the two as equal, and a reader
//! still sees what was sent.
//!
//! Like the search, both functions ignore case. They also treat `İ` as `i`, because Lucene
//! lower-cases `İ` to `i`.

use std::borrow::Cow;

use openreplay_session::SessionId;

/// The part of the phrase before the `=`, which is also the name of the
/// [field](crate::field::SESSION_ID) that contains the id.
pub const NAME: &str = "openReplaySession.id";
/// The part of the [`prefix`] before the id.
pub const PREFIX: &str = "[openReplaySession.id=";
/// The part of the [`prefix`] after the id.
pub const PREFIX_END: &str = "] ";

const BEFORE_DOT: &[u8] = b"openreplaysession";
const DOTTED_I: &[u8] = "İ".as_bytes();

/// Returns the phrase that OpenReplay searches for to find the records of a session.
///
/// ```
/// use openreplay_record::phrase;
/// use openreplay_session::SessionId;
///
/// assert_eq!(phrase::of(&SessionId::from(42)), "openReplaySession.id=42");
/// ```
#[must_use]
pub fn of(id: &SessionId) -> String {
    [NAME, "=", id.as_str()].concat()
}

/// Returns the prefix for the message of a record that belongs to a session.
///
/// ```
/// use openreplay_record::phrase;
/// use openreplay_session::SessionId;
///
/// assert_eq!(phrase::prefix(&SessionId::from(42)), "[openReplaySession.id=42] ");
/// ```
#[must_use]
pub fn prefix(id: &SessionId) -> String {
    [PREFIX, id.as_str(), PREFIX_END].concat()
}

/// Breaks every occurrence of [`NAME`] in place, without allocating.
///
/// The text must be valid UTF-8, or such text escaped for JSON.
///
/// ```
/// let mut text = *b"GET /?q=openReplaySession.id=42";
/// openreplay_record::phrase::break_in(&mut text);
/// assert_eq!(&text, b"GET /?q=openReplaySessi*n.id=42");
/// ```
pub fn break_in(text: &mut [u8]) {
    let mut from = 0;
    while let Some(dot) = find(text, from) {
        // The `o` of `Session`.
        text[dot - 2] = b'*';
        from = dot + 1;
    }
}

/// Returns the text with every occurrence of [`NAME`] broken.
///
/// The result is borrowed if there is no occurrence.
///
/// ```
/// use openreplay_record::phrase::broken;
///
/// assert_eq!(broken("GET /?q=OPENREPLAYSESSION.ID=42"), "GET /?q=OPENREPLAYSESSI*N.ID=42");
/// ```
#[must_use]
pub fn broken(text: &str) -> Cow<'_, str> {
    if find(text.as_bytes(), 0).is_none() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    break_in(&mut bytes);
    // The text is still valid UTF-8, since `break_in` only replaces ASCII letters with `*`.
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns whether the text contains [`NAME`], compared as the search does.
#[cfg(feature = "search")]
pub(crate) fn is_in(text: &str) -> bool {
    find(text.as_bytes(), 0).is_some()
}

/// Returns the position of the dot in the first occurrence whose dot is at or after `from`.
fn find(text: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'.', &text[from..])
        .map(|at| from + at)
        .find(|&dot| is_id(&text[dot + 1..]) && ends_in_session(&text[..dot]))
}

fn is_id(after: &[u8]) -> bool {
    let rest = match after {
        [b'i' | b'I', rest @ ..] => rest,
        _ => after.strip_prefix(DOTTED_I).unwrap_or_default(),
    };
    matches!(rest, [b'd' | b'D', ..])
}

fn ends_in_session(mut before: &[u8]) -> bool {
    BEFORE_DOT.iter().rev().all(|&letter| {
        let length = match before {
            [.., last] if last.to_ascii_lowercase() == letter => 1,
            _ if letter == b'i' && before.ends_with(DOTTED_I) => DOTTED_I.len(),
            _ => return false,
        };
        before = &before[..before.len() - length];
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_contains_what_openreplay_searches_for() {
        let id = SessionId::from(42);
        assert_eq!(of(&id), "openReplaySession.id=42");
        assert_eq!(prefix(&id), format!("[{}] ", of(&id)));
    }

    #[test]
    fn breaks_the_phrase_in_any_case_and_nothing_else() {
        let rows = [
            ("openReplaySession.id=1", "openReplaySessi*n.id=1"),
            ("x[OPENREPLAYSESSION.ID: 1]", "x[OPENREPLAYSESSI*N.ID: 1]"),
            ("openReplaySessİon.İd 1", "openReplaySessİ*n.İd 1"),
            (
                "openReplaySession.id=1 openreplaysession.id=2 .id",
                "openReplaySessi*n.id=1 openreplaysessi*n.id=2 .id",
            ),
            ("a.openreplaysession.idle.id", "a.openreplaysessi*n.idle.id"),
            ("openReplaySession", "openReplaySession"),
            ("openReplaySession.", "openReplaySession."),
            ("openReplaySession.i", "openReplaySession.i"),
            ("openReplaySession_id=1", "openReplaySession_id=1"),
            ("openReplaySessxxon.id=1", "openReplaySessxxon.id=1"),
            ("openReplay Session.id=1", "openReplay Session.id=1"),
            ("session.id=1", "session.id=1"),
            (".id=1", ".id=1"),
            ("", ""),
        ];
        for (sent, logged) in rows {
            assert_eq!(broken(sent), logged, "{sent}");
            let mut bytes = sent.as_bytes().to_vec();
            break_in(&mut bytes);
            assert_eq!(bytes, logged.as_bytes(), "{sent}");
        }
    }
}
