//! The words by which OpenReplay finds a session's records, taken out of text that is not ours.
//!
//! OpenReplay asks for records whose message contains the phrase `openReplaySession.id=<id>` anywhere. A client that gets
//! this text logged, in a path or a form field, would put the record under a session of its choice. So in all of a message but
//! our own prefix `openReplaySession.id` becomes `openReplaySessi*n.id`, whatever follows it: no analyser and no
//! substring search takes the one for the other, and a reader still sees what was sent.
//!
//! Upper and lower case are the same to the search. So is `İ` and `i`: Lucene lower-cases the one to the other.

use std::borrow::Cow;

/// What the message of a record in a session begins with, up to the id.
pub(crate) const PREFIX: &str = "[openReplaySession.id=";

const BEFORE_DOT: &[u8] = b"openreplaysession";
const DOTTED_I: &[u8] = "İ".as_bytes();

/// Breaks every occurrence in a text that is valid UTF-8, or in JSON's escaped form of one.
pub(crate) fn break_in(text: &mut [u8]) {
    let mut from = 0;
    while let Some(dot) = find(text, from) {
        // the `o` of `session`
        text[dot - 2] = b'*';
        from = dot + 1;
    }
}

/// The text with every occurrence broken.
pub(crate) fn broken(text: &str) -> Cow<'_, str> {
    if find(text.as_bytes(), 0).is_none() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    break_in(&mut bytes);
    // an ASCII letter was replaced by another character of ASCII: nothing is lost
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where the dot of the first occurrence is, of those whose dot is not before `from`.
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
