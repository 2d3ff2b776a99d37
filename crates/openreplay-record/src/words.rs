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
            let whole = self.0.split_word_bounds().next()?;
            // The analyser's window ends after `MAX_LENGTH`, so the rest of the word does not
            // influence where the piece is split.
            let piece = first_units(whole, MAX_LENGTH);
            let segment = match piece.len() == whole.len() {
                true => whole,
                false => piece.split_word_bounds().next()?,
            };
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
}
