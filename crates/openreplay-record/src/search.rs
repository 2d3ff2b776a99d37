use openreplay_session::SessionId;

use crate::phrase;
use crate::words::Words;

/// Returns the first session that a message names with the exact [phrase], compared with case.
///
/// ```
/// use openreplay_record::session_of;
///
/// let id = session_of("[openReplaySession.id=42] low on stock");
/// assert_eq!(id.map(|id| id.to_string()), Some("42".to_owned()));
/// assert_eq!(session_of("openReplaySession.id=undefined"), None);
/// ```
#[must_use]
pub fn session_of(message: &str) -> Option<SessionId> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    message.split(phrase::NAME).skip(1).find_map(|after| {
        let rest = after.strip_prefix('=')?;
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        rest[..end].parse().ok()
    })
}

/// Returns whether OpenReplay's query for a session finds this message.
///
/// Like Elasticsearch, this compares consecutive words and ignores case. Words are split by the
/// rules of Unicode, of which Elasticsearch 9 implements version 12.1. The result may differ from
/// Elasticsearch's next to characters of newer versions, and next to symbols that only one of the
/// versions treats as emoji.
///
/// ```
/// use openreplay_record::names_session;
/// use openreplay_session::SessionId;
///
/// let id = SessionId::from(42);
/// assert!(names_session("OPENREPLAYSESSION.ID: 42", &id));
/// assert!(!names_session("openReplaySession.id=421", &id));
/// assert!(!names_session("openReplaySession.id=42.5", &id));
/// ```
#[must_use]
pub fn names_session(message: &str, id: &SessionId) -> bool {
    // Splitting a text into words is slow, and most messages do not contain the name.
    if !phrase::is_in(message) {
        return false;
    }
    let mut words = Words(message);
    while let Some(word) = words.next() {
        if is_same(word, phrase::NAME) {
            let mut after = words.clone();
            let mut parts = Words(id.as_str());
            if parts.all(|part| after.next().is_some_and(|word| is_same(word, part))) {
                return true;
            }
        }
    }
    false
}

/// Returns an iterator over the sessions whose search finds this message.
///
/// A message can name several sessions, and the same session more than once. Only numeric ids are
/// returned, since OpenReplay searches for no others.
///
/// ```
/// use openreplay_record::sessions_of;
///
/// let message = "[openReplaySession.id=42] merged OPENREPLAYSESSION.ID: 7";
/// assert_eq!(sessions_of(message).collect::<Vec<_>>(), [42, 7]);
/// assert_eq!(sessions_of("openReplaySession.id=checkout-7").next(), None);
/// ```
pub fn sessions_of(message: &str) -> impl Iterator<Item = u64> {
    // Splitting a text into words is slow, and nearly every message has a session in its prefix
    // only, or none.
    let (first, rest) = match after_prefix(message) {
        Some((id, rest)) => (Some(id), rest),
        None => (None, message),
    };
    let mut words = Words(if phrase::is_in(rest) { rest } else { "" });
    let others = std::iter::from_fn(move || {
        while let Some(word) = words.next() {
            if is_same(word, phrase::NAME)
                && let Some(id) = words.clone().next().and_then(number)
            {
                return Some(id);
            }
        }
        None
    });
    first.into_iter().chain(others)
}

/// Returns the id in the prefix of a message, and the text after the prefix.
fn after_prefix(message: &str) -> Option<(u64, &str)> {
    let rest = message.strip_prefix(phrase::PREFIX)?;
    let (id, rest) = rest.split_once(phrase::PREFIX_END)?;
    Some((number(id)?, rest))
}

/// Parses a number in the form that OpenReplay writes.
fn number(word: &str) -> Option<u64> {
    word.parse::<SessionId>().ok()?.as_u64()
}

/// Returns whether the analyser lower-cases both to the same word.
///
/// The analyser maps each character to a single character, so `İ` becomes `i`.
fn is_same(one: &str, other: &str) -> bool {
    let lower = |char: char| char.to_lowercase().next();
    one.chars().map(lower).eq(other.chars().map(lower))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> SessionId {
        text.parse().unwrap()
    }

    #[test]
    fn finds_any_session_that_a_message_names() {
        for message in [
            "[openReplaySession.id=12] m",
            "openReplaySession.id=7 then openReplaySession.id=12",
            "OPENREPLAYSESSION.ID: 12",
            "openreplaysess\u{130}on.id=12.",
            "openReplaySession.id=12²",
            "openReplaySession.id=²12",
        ] {
            assert!(names_session(message, &id("12")), "{message}");
        }
        for message in [
            "[openReplaySession.id=123] m",
            "xopenReplaySession.id=12",
            "x.openReplaySession.id=12",
            "x·openReplaySession.id=12",
            "openReplaySession.id=12.5",
            "openReplaySession.id=12_",
            "openReplaySession.id=12’3",
            "openReplaySession.id=12．3",
            "openReplaySession.id=12\u{301} x",
            "openReplaySession.id=12\u{200d}",
            "openReplaySession.id=12\u{ad}",
            "openReplaySession.id is 12",
            "openReplaySession.id=",
            "12",
        ] {
            assert!(!names_session(message, &id("12")), "{message}");
        }
        assert!(names_session("openReplaySession.id=Own-iD!", &id("own-id")));
    }

    #[test]
    fn the_first_valid_id_is_the_session_of_a_message() {
        for (message, expected) in [
            ("[openReplaySession.id=1-a_B] m", Some("1-a_B")),
            ("m openReplaySession.id=7", Some("7")),
            (
                "openReplaySession.id=undefined openReplaySession.id=7",
                Some("7"),
            ),
            ("openReplaySession.id is openReplaySession.id=7", Some("7")),
            ("openReplaySession.id=", None),
            ("openReplaySession.id=null", None),
            ("m", None),
        ] {
            assert_eq!(session_of(message), expected.map(id), "{message}");
        }
    }

    #[test]
    fn a_message_names_any_number_of_sessions() {
        for (message, expected) in [
            ("[openReplaySession.id=12] m", &[12][..]),
            (
                "[openReplaySession.id=12] openReplaySession.id=7, and 8",
                &[12, 7],
            ),
            ("openReplaySession.id openReplaySession.id=7", &[7]),
            ("openReplaySession.id=18446744073709551615", &[u64::MAX]),
            ("openReplaySession.id=18446744073709551616", &[]),
            ("[openReplaySession.id=007] m", &[]),
            ("[openReplaySession.id=7.5] m", &[]),
            ("openReplaySession.id is 7", &[]),
            ("m", &[]),
        ] {
            assert_eq!(
                sessions_of(message).collect::<Vec<_>>(),
                expected,
                "{message}"
            );
        }
    }

    proptest! {
        #[test]
        fn sessions_of_returns_exactly_the_sessions_that_names_session_accepts(
            pieces in prop::collection::vec(prop_oneof![
                "(?i)openreplaysession\\.id", "openReplaySession.id=", "\\[openReplaySession\\.id=",
                "\\] ", "[0-9]{1,2}", "[ .,:=_a²’]", ".{0,2}",
            ], 0..12),
        ) {
            let text = pieces.concat();
            let named: std::collections::BTreeSet<_> = sessions_of(&text).collect();
            for number in (0..100).chain(named.iter().copied()) {
                let is_found = names_session(&text, &SessionId::from(number));
                prop_assert_eq!(named.contains(&number), is_found, "{} in {:?}", number, text);
            }
        }

        #[test]
        fn every_session_is_found_in_its_own_prefix(text in "[A-Za-z0-9_-]{0,63}[A-Za-z0-9]", rest in ".{0,20}") {
            prop_assume!(text.parse::<SessionId>().is_ok());
            let id = id(&text);
            let message = format!("{}{rest}", phrase::prefix(&id));
            prop_assert_eq!(session_of(&message), Some(id));
            prop_assert!(names_session(&message, &id));
        }

        #[test]
        fn a_broken_text_names_no_session(
            pieces in prop::collection::vec(prop_oneof![
                "(?i)openreplaysession", "openreplaysess\u{130}on", "\\.", "(?i)id", "=", "12", ".{0,3}",
            ], 0..12),
        ) {
            let text = phrase::broken(&pieces.concat()).into_owned();
            prop_assert!(!names_session(&text, &id("12")), "{}", text);
        }
    }
}
