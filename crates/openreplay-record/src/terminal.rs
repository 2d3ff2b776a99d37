//! Escapes untrusted text before it is printed to a terminal.
//!
//! Text from a server, a file or a client may contain characters that control the terminal or make
//! text look like other text.

use std::borrow::Cow;

/// Returns the text with each [unsafe](is_unsafe) character escaped, such as `\u{1b}`.
///
/// Line feeds and tabs are kept.
///
/// ```
/// use openreplay_record::terminal::escape;
///
/// assert_eq!(escape("50 %\n"), "50 %\n");
/// assert_eq!(escape("\u{1b}[2Jpaid\u{202e}"), "\\u{1b}[2Jpaid\\u{202e}");
/// ```
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns the text as a part of one line: [escaped](escape), and with a space for each line feed
/// and tab.
///
/// ```
/// use openreplay_record::terminal::escape_to_line;
///
/// assert_eq!(escape_to_line("closed:\n\tby \u{1b}[2Jpeer"), "closed:  by \\u{1b}[2Jpeer");
/// ```
#[must_use]
pub fn escape_to_line(text: &str) -> String {
    escape(text).replace(['\n', '\t'], " ")
}

/// Returns JSON with each [unsafe](is_unsafe) character outside ASCII escaped, such as `\u009b`.
///
/// JSON's own escapes are used, so the values do not change.
///
/// ```
/// use openreplay_record::terminal::escape_json;
///
/// assert_eq!(escape_json("{\"a\":\"\u{9b}2J\u{e0041}\"}"), r#"{"a":"\u009b2J\udb40\udc41"}"#);
/// ```
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| !c.is_ascii() && is_unsafe(c);
    if json.is_ascii() || !json.contains(is_escaped) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns whether a character can control a terminal, is invisible, or changes the direction of
/// text.
///
/// These are control characters other than line feed and tab, the separators U+2028 and U+2029, and
/// Unicode's format characters, including tags.
#[must_use]
pub const fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_ascii() => c.is_ascii_control(),
        c => {
            let is_control = matches!(c, '\u{80}'..='\u{9f}');
            // Zero-width characters, text direction, separators and invisible operators.
            let is_format = matches!(
                c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            );
            // Fillers are invisible, and tags and variation selectors can hide text.
            let is_invisible = matches!(
                c,
                '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
            );
            is_control || is_format || is_invisible
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[\u{0}-\u{a0}\\\\\"]",
            "[\u{2000}-\u{2070}\u{e0000}-\u{e0fff}]",
            ".",
            any::<String>()
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn only_what_is_unsafe_is_escaped(text in any_text()) {
            let expected: String = text
                .chars()
                .map(|c| if is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() })
                .collect();
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(is_unsafe), "{:?}", escaped);
            prop_assert_eq!(&escaped, &expected);
        }
    }

    #[cfg(feature = "json")]
    proptest! {
        #[test]
        fn escaped_json_is_safe_and_has_the_same_value(name in any_text(), text in any_text()) {
            let value = serde_json::json!({ name: text });
            let json = value.to_string();
            let escaped = escape_json(&json).into_owned();
            let safe = |text: &str| text.chars().filter(|c| !c.is_ascii() && !super::is_unsafe(*c)).count();
            prop_assert_eq!(safe(&escaped), safe(&json));
            let is_unsafe = |c: char| !c.is_ascii() && is_unsafe(c);
            prop_assert!(!escaped.contains(is_unsafe), "{:?}", escaped);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
    }

    #[test]
    fn escaped_text_contains_no_unsafe_character() {
        for (unsafe_text, shown) in [
            ("\u{1b}[31m\u{1b}]0;t\u{7}", "\\u{1b}[31m\\u{1b}]0;t\\u{7}"),
            ("\u{9b}1m\u{90}", "\\u{9b}1m\\u{90}"),
            ("a\r\nb\tc\u{7f}", "a\\r\nb\tc\\u{7f}"),
            ("\u{202e}gpj.exe\u{2066}", "\\u{202e}gpj.exe\\u{2066}"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
            (
                "pay\u{200b}pal\u{feff}\u{ad}",
                "pay\\u{200b}pal\\u{feff}\\u{ad}",
            ),
            ("\u{e0041}\u{e0100}", "\\u{e0041}\\u{e0100}"),
            ("é 漢字 🎉 \\u{1b}", "é 漢字 🎉 \\u{1b}"),
        ] {
            assert_eq!(escape(unsafe_text), shown);
            assert!(!escape(unsafe_text).contains(is_unsafe));
        }
    }
}
