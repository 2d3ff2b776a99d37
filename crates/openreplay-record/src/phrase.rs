//! The text by which OpenReplay finds a session's records: `openReplaySession.id=<id>`, anywhere in
//! the message.
//!
//! # Text that clients send
//!
//! A client that gets this text logged, in a path or a form field, would put the record under a
//! session of its choice. So in all of a message but our own prefix, [`break_in`] or [`broken`]
//! turns `openReplaySession.id` into `openReplaySessi*n.id`, whatever follows: no analyser and no
//! substring search treats the one as the other, and a reader still sees what was sent.
//!
//! The search ignores case. It also treats `İ` as `i`, since Lucene lower-cases the one to the
//! other.

use std::borrow::Cow;

use openreplay_session::SessionId;

/// The beginning of the phrase, up to the `=`; also the name of the
/// [field](crate::field::SESSION_ID) that has the id.
pub const NAME: &str = "openReplaySession.id";
/// The beginning of the message of a record that belongs to a session, up to the id.
pub const PREFIX: &str = "[openReplaySession.id=";
/// The end of that prefix, after the id.
pub const PREFIX_END: &str = "] ";

const BEFORE_DOT: &[u8] = b"openreplaysession";
const DOTTED_I: &[u8] = "İ".as_bytes();

/// Returns the phrase that OpenReplay searches for.
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

/// Returns the beginning of the message of a record that belongs to a session.
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

/// Breaks every occurrence in place, in a text that is valid UTF-8 or in its escaped form in JSON.
/// Allocates nothing.
///
/// ```
/// let mut text = *b"GET /?q=openReplaySession.id=42";
/// openreplay_record::phrase::break_in(&mut text);
/// assert_eq!(&text, b"GET /?q=openReplaySessi*n.id=42");
/// ```
pub fn break_in(text: &mut [u8]) {
    let mut from = 0;
    while let Some(dot) = find(text, from) {
        // the `o` of `session`
        text[dot - 2] = b'*';
        from = dot + 1;
    }
}

/// Returns the text with every occurrence broken; borrowed if there is none.
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
    // an ASCII letter was replaced by another character of ASCII: nothing is lost
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether the text contains [`NAME`], as the search compares it.
#[cfg(feature = "search")]
pub(crate) fn is_in(text: &str) -> bool {
    find(text.as_bytes(), 0).is_some()
}

/// Returns the place of the dot of the first occurrence whose dot is not before `from`.
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
    fn breaks_the_phrase_in_any_spelling_and_nothing_else() {
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
