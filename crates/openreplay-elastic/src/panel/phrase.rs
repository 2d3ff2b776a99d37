//! Where a message names a session, as OpenReplay's query finds it: by the words that Lucene's standard analyser makes of both.

/// What stands before the id.
const NAME: &str = "openreplaysession.id";

/// The session that a message names first.
pub fn session_of(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("openReplaySession.id=")?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// Whether a message names this session, as one of any number.
pub fn names_session(message: &str, id: &str) -> bool {
    let mut words = Words(message);
    while let Some(word) = words.next() {
        let mut after = words.clone();
        if is_same(word, NAME)
            && Words(id).all(|part| after.next().is_some_and(|word| is_same(word, part)))
        {
            return true;
        }
    }
    false
}

fn is_same(one: &str, other: &str) -> bool {
    // `İ` becomes an `i` and a dot above, of which Lucene keeps the `i`
    let lower = |text: &str| {
        let letters = text.chars().filter_map(|c| c.to_lowercase().next());
        letters.collect::<Vec<_>>()
    };
    one.len() <= 2 * other.len() && lower(one) == lower(other)
}

/// The words of a text by Unicode's rules (UAX #29), as far as they can touch an id or what stands before it.
#[derive(Clone)]
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.0.find(|c| Class::of(c).is_word())?;
        let text = &self.0[start..];
        let mut chars = text.char_indices().peekable();
        let (_, first) = chars.next()?;
        let mut end = first.len_utf8();
        let mut last = Class::of(first);
        while let Some((at, c)) = chars.next() {
            let class = Class::of(c);
            let next = chars.peek().map(|(_, next)| Class::of(*next));
            match (last, class, next) {
                (Class::Alone, ..) | (_, Class::Alone, _) => break,
                (_, class, _) if class.is_word() => {
                    end = at + c.len_utf8();
                    last = class;
                }
                (Class::Letter, Class::BetweenLetters | Class::BetweenAny, Some(Class::Letter))
                | (Class::Digit, Class::BetweenDigits | Class::BetweenAny, Some(Class::Digit)) => {}
                _ => break,
            }
        }
        self.0 = &text[end..];
        Some(&text[..end])
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// Joins letters and digits, as `_` does.
    Joiner,
    /// A word by itself, as the signs of scripts without spaces are.
    Alone,
    BetweenLetters,
    BetweenDigits,
    BetweenAny,
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            '_' => Self::Joiner,
            ':' => Self::BetweenLetters,
            ',' | ';' => Self::BetweenDigits,
            '.' | '\'' => Self::BetweenAny,
            '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}' => Self::Alone,
            c if c.is_alphabetic() => Self::Letter,
            c if c.is_numeric() => Self::Digit,
            _ => Self::Other,
        }
    }

    fn is_word(self) -> bool {
        matches!(
            self,
            Self::Letter | Self::Digit | Self::Joiner | Self::Alone
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Words(text).collect()
    }

    #[test]
    fn splits_as_the_standard_analyser_does() {
        for (text, expected) in [
            (
                "[openReplaySession.id=12] paid",
                &["openReplaySession.id", "12", "paid"][..],
            ),
            ("own-id own_id", &["own", "id", "own_id"]),
            ("7.5 7,5 7. 7a a7", &["7.5", "7,5", "7", "7a", "a7"]),
            ("a.b a:b a,b a.7", &["a.b", "a:b", "a", "b", "a", "7"]),
            ("it's 日本x", &["it's", "日", "本", "x"]),
            ("", &[]),
            ("...", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn finds_any_session_that_a_message_names() {
        for message in [
            "[openReplaySession.id=12] m",
            "openReplaySession.id=7 then openReplaySession.id=12",
            "OPENREPLAYSESSION.ID: 12",
            "openreplaysess\u{130}on.id=12.",
        ] {
            assert!(names_session(message, "12"), "{message}");
        }
        for message in [
            "[openReplaySession.id=123] m",
            "xopenReplaySession.id=12",
            "x.openReplaySession.id=12",
            "openReplaySession.id=12.5",
            "openReplaySession.id=12_",
            "openReplaySession.id is 12",
            "openReplaySession.id=",
            "12",
        ] {
            assert!(!names_session(message, "12"), "{message}");
        }
        assert!(names_session("openReplaySession.id=Own-iD!", "own-id"));
    }
}
