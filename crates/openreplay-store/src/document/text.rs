//! The escapes in JSON's texts.

use std::borrow::Cow;
use std::char::REPLACEMENT_CHARACTER;
use std::fmt;

use crate::buffer::Buffer;

/// A name as it is compared with others. A name with half a surrogate pair, which no `str` can
/// hold, is compared as it is written.
pub(super) fn name(written: &str, is_escaped: bool) -> Cow<'_, str> {
    let mut decoded = String::new();
    if is_escaped && decode(written, None, &mut decoded).is_some() {
        Cow::Owned(decoded)
    } else {
        Cow::Borrowed(written)
    }
}

/// Passes on what a text says. Half a surrogate pair becomes U+FFFD.
pub(super) fn read<T>(written: &str, then: impl FnOnce(&str) -> T) -> T {
    if memchr::memchr(b'\\', written.as_bytes()).is_none() {
        return then(written);
    }
    // no escape is shorter than its character
    let mut decoded = Buffer::new(written.len());
    let is_decoded = decode(written, Some(REPLACEMENT_CHARACTER), &mut decoded).is_some();
    let text = is_decoded.then(|| str::from_utf8(decoded.as_bytes()).ok());
    then(text.flatten().unwrap_or_default())
}

/// Decodes the escapes; `None` if half a surrogate pair has no replacement.
fn decode(written: &str, replacement: Option<char>, decoded: &mut impl fmt::Write) -> Option<()> {
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        decoded.write_str(plain).ok()?;
        let mut after = escape.chars();
        let char = match after.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let start = &rest[plain.len()..];
                let (length, char) = unicode(start)?;
                decoded.write_char(char.or(replacement)?).ok()?;
                rest = &start[length..];
                continue;
            }
            other => other,
        };
        decoded.write_char(char).ok()?;
        rest = after.as_str();
    }
    decoded.write_str(rest).ok()
}

/// Reads the escape `\u` at the start, together with the other half of a surrogate pair. Returns
/// its length, and the character unless it is half a pair; `None` if it has too few digits.
pub(super) fn unicode(escape: &str) -> Option<(usize, Option<char>)> {
    let unit = |start: usize| {
        let digits = escape.get(start..start + 4)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = unit(2)?;
    let is_pair = escape[6..].starts_with("\\u");
    if let Some(second) = is_pair.then(|| unit(8)).flatten()
        && let Some(Ok(char)) = char::decode_utf16([first, second]).next()
        && char > '\u{ffff}'
    {
        return Some((12, Some(char)));
    }
    Some((6, char::from_u32(first.into())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_replaced_in_a_text_and_kept_in_a_name() {
        for (written, text) in [
            (r"\ud83d\ude00", "😀"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\/\b\f\r\t\\\u0008", "/\u{8}\u{c}\r\t\\\u{8}"),
        ] {
            assert_eq!(read(written, str::to_owned), text, "{written}");
        }
        assert_eq!(name(r"\u0061", true), "a");
        assert_eq!(name(r"\ud83d", true), r"\ud83d");
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_wrote(text in ".{0,20}") {
            let written = json!(text).to_string();
            prop_assert_eq!(read(&written[1..written.len() - 1], str::to_owned), &*text);
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            prop_assert_eq!(read(&escaped, str::to_owned), &*text);
        }
    }
}
