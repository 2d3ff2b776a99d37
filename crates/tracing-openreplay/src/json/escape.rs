//! Escapes text for a JSON string.

/// The end of a text that was too long.
pub(super) const CUT: &str = "… [cut]";

const BLOCK: usize = 16;

/// Appends the escaped bytes of a UTF-8 text. Returns whether anything had to be escaped.
pub(super) fn escape(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let is_special = !is_all_plain(text);
    if is_special {
        escape_special(out, text);
    } else {
        out.extend_from_slice(text);
    }
    is_special
}

/// Returns whether no byte needs an escape. Bytes are checked in blocks, the last of which overlaps
/// the previous one.
fn is_all_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<BLOCK>() else {
        return is_short_plain::<{ BLOCK / 2 }>(text)
            .or_else(|| is_short_plain::<{ BLOCK / 4 }>(text))
            .unwrap_or_else(|| text.iter().all(|&byte| !is_special(byte)));
    };
    let (blocks, _) = text.as_chunks::<BLOCK>();
    blocks.iter().all(is_plain) && is_plain(last)
}

/// Does the same for a text of one to two blocks of length `N`. Returns `None` if the text is
/// shorter.
fn is_short_plain<const N: usize>(text: &[u8]) -> Option<bool> {
    Some(is_plain(text.first_chunk::<N>()?) & is_plain(text.last_chunk::<N>()?))
}

#[cold]
fn escape_special(out: &mut Vec<u8>, mut text: &[u8]) {
    loop {
        let plain = plain_len(text);
        out.extend_from_slice(&text[..plain]);
        let Some((&byte, rest)) = text[plain..].split_first() else {
            return;
        };
        push_escaped(out, byte);
        text = rest;
    }
}

/// Returns the length of the longest prefix of an escaped text that has at most `max` bytes and
/// splits neither a character nor an escape.
pub(super) fn cut(escaped: &[u8], max: usize) -> usize {
    if escaped.len() <= max {
        return escaped.len();
    }
    let mut end = max;
    // Skip continuation bytes of a character.
    while end > 0 && escaped[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    // The longest escape has the length of `\u001b`.
    let nearest = end.saturating_sub(5)..end;
    match escaped[nearest.clone()]
        .iter()
        .rposition(|&byte| byte == b'\\')
    {
        Some(at) => before_escape(escaped, nearest.start + at, end),
        None => end,
    }
}

/// Returns `at` if the backslash there begins an escape that extends beyond `end`, and `end`
/// otherwise.
fn before_escape(escaped: &[u8], at: usize, end: usize) -> usize {
    let backslashes = escaped[..=at]
        .iter()
        .rev()
        .take_while(|&&byte| byte == b'\\')
        .count();
    let length = if escaped[at + 1] == b'u' { 6 } else { 2 };
    // An even number of backslashes are escaped backslashes.
    if backslashes % 2 == 1 && at + length > end {
        at
    } else {
        end
    }
}

/// Returns the number of bytes at the beginning that need no escape.
fn plain_len(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let plain_blocks = blocks
        .iter()
        .take_while(|block| is_plain::<BLOCK>(block))
        .count();
    let checked = plain_blocks * BLOCK;
    let half = text[checked..]
        .first_chunk::<{ BLOCK / 2 }>()
        .is_some_and(is_plain);
    let checked = checked + if half { BLOCK / 2 } else { 0 };
    let rest = text[checked..]
        .iter()
        .take_while(|&&byte| !is_special(byte))
        .count();
    checked + rest
}

// Without an early exit, this compiles to a few vector instructions.
fn is_plain<const N: usize>(block: &[u8; N]) -> bool {
    !block
        .iter()
        .fold(false, |special, &byte| special | is_special(byte))
}

const fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cold]
fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_round_trips() {
        for first in (0..=0x2_ffff).filter_map(char::from_u32) {
            let text = format!("plain text of sixteen{first}bytes");
            let back: String = serde_json::from_str(&format!("\"{}\"", escaped(&text))).unwrap();
            assert_eq!(back, text, "{first:?}");
        }
    }

    #[test]
    fn uses_the_short_escapes() {
        assert_eq!(
            escaped("\"\\\n\r\t\u{1b}\u{0}\u{7f}é\u{2028}"),
            "\\\"\\\\\\n\\r\\t\\u001b\\u0000\u{7f}é\u{2028}"
        );
    }

    proptest! {
        #[test]
        fn a_cut_text_is_a_prefix_of_the_whole(text in "(?s)[\\\\\"\u{0}-\u{20}a-cé€😀u]{0,40}", max in 0_usize..120) {
            let whole = escaped(&text);
            let kept = cut(whole.as_bytes(), max);
            prop_assert!(kept <= max);
            prop_assert!(kept + 6 > max.min(whole.len()));
            let kept = str::from_utf8(&whole.as_bytes()[..kept]).unwrap();
            let back: String = serde_json::from_str(&format!("\"{kept}\"")).unwrap();
            prop_assert!(text.starts_with(&back));
        }
    }
}
