//! Splits a text into words like Lucene's standard analyser: by Unicode's rules (UAX #29), with at
//! most 255 characters per word.

use unicode_segmentation::UnicodeSegmentation as _;

/// The number of UTF-16 code units after which the analyser splits a longer word (Elasticsearch's
/// `max_token_length`).
const MAX_LENGTH: usize = 255;

/// An iterator over the words of a text, which are not lower-cased.
#[derive(Clone)]
pub(crate) struct Words<'a>(pub(crate) &'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            // The analyser's window ends after `MAX_LENGTH`, so the rest of a longer word does not
            // influence where it is split.
            let window = first_units(self.0, MAX_LENGTH);
            let segment = window.split_word_bounds().next()?;
            self.0 = &self.0[segment.len()..];
            if segment.chars().any(makes_word) {
                return Some(segment);
            }
        }
    }
}

/// Returns the longest prefix of the text with at most `limit` UTF-16 code units.
fn first_units(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let bytes = &text.as_bytes()[..limit];
    if bytes.is_ascii() {
        return &text[..limit];
    }
    let mut units = 0;
    let end = text.char_indices().find(|(_, char)| {
        units += char.len_utf16();
        units > limit
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// Returns whether a segment that contains this character is a word.
///
/// Letters, digits and emoji make a word; spaces, symbols and lone accents do not. The Unicode
/// class of a character is derived from what it joins, without a table: an accent joins any
/// character before it, and an emoji joins a zero-width joiner.
fn makes_word(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric();
    }
    let joins = |before: &str| format!("{before}{char}").split_word_bounds().count() == 1;
    let is_accent = || joins("!");
    let is_picture = || joins("\u{200d}");
    // A connector such as `‿` also joins katakana, which letters and digits do not.
    let is_letter_or_digit = || joins("0") && !joins("ア");
    (char.is_alphabetic() || is_picture() || is_letter_or_digit()) && !is_accent()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Words(text).collect()
    }

    #[test]
    fn splits_like_the_standard_analyser() {
        for (text, expected) in [
            (
                "[openReplaySession.id=12] paid",
                &["openReplaySession.id", "12", "paid"][..],
            ),
            ("own-id own_id", &["own", "id", "own_id"]),
            ("7.5 7,5 7. 7a a7", &["7.5", "7,5", "7", "7a", "a7"]),
            ("a.b a:b a,b a.7", &["a.b", "a:b", "a", "b", "a", "7"]),
            ("it's 日本x", &["it's", "日", "本", "x"]),
            ("² 12² ٣ é e\u{301}", &["12", "٣", "é", "e\u{301}"]),
            ("_ ‿ \u{301} © 💥", &["©", "💥"]),
            ("", &[]),
            ("...", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_word_is_split_where_the_analyser_does() {
        for (piece, lengths) in [
            ("x", &[255, 255, 90][..]),
            ("é", &[255, 255, 90]),
            // Each character has two code units, so 255 code units hold only 127 characters.
            ("\u{10400}", &[127, 127, 127, 127, 92]),
            // A dot at the end of the window does not join the text after the window.
            ("xx.", &[254, 254, 89]),
        ] {
            let text: String = piece.chars().cycle().take(600).collect();
            let found: Vec<_> = words(&text)
                .iter()
                .map(|word| word.chars().count())
                .collect();
            assert_eq!(found, lengths, "{piece}");
        }
    }

    /// Segments of the text as a whole, of which those that are too long are split once more.
    fn words_of_whole(mut text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        while let Some(whole) = text.split_word_bounds().next() {
            let window = first_units(whole, MAX_LENGTH);
            let segment = if window.len() == whole.len() {
                whole
            } else {
                window.split_word_bounds().next().unwrap()
            };
            text = &text[segment.len()..];
            words.extend(segment.chars().any(makes_word).then_some(segment));
        }
        words
    }

    proptest! {
        #[test]
        fn a_window_splits_as_the_whole_text_does(
            pieces in prop::collection::vec((
                prop_oneof![
                    "[x1 ._'’_]{1,2}", Just("\u{301}".to_owned()), Just("\u{1f1e6}".to_owned()),
                    Just("💥\u{200d}".to_owned()), Just("\u{10400}".to_owned()), "[é²アก\u{ad}]", ".{1,3}",
                ],
                prop_oneof![Just(1), 1..300_usize],
            ), 0..8),
        ) {
            let text: String = pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect();
            prop_assert_eq!(words(&text), words_of_whole(&text));
        }

        #[test]
        fn words_are_the_segments_that_contain_a_letter_or_a_digit(
            pieces in prop::collection::vec("[a-z]{1,3}|[0-9]|[ .,:'_-]|[éßñΩжאア日]", 0..30),
        ) {
            let text = pieces.concat();
            prop_assert_eq!(words(&text), text.unicode_words().collect::<Vec<_>>());
        }
    }

    /// If each word took as long as the rest of the text, this would take an hour.
    #[test]
    fn a_text_of_one_word_is_split_in_one_pass() {
        for (piece, times) in [("x", 1_000_000), (" ", 1_000_000), ("💥\u{200d}", 100_000)] {
            assert!(words(&piece.repeat(times)).len() < 4_000);
        }
    }
}
