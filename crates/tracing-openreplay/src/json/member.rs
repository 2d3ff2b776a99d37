//! The keys of a record's own members, concatenated at compile time.

/// Returns the bytes of `,"name":` and the text after it. `name` is a constant of
/// [`openreplay_record::field`].
macro_rules! member {
    ($name:expr, $after:literal) => {{
        const BYTES: [u8; $name.len() + $after.len() + 4] =
            $crate::json::member::joined([",\"", $name, "\":", $after]);
        &BYTES
    }};
}

pub(super) use member;

pub(super) const fn joined<const N: usize>(texts: [&str; 4]) -> [u8; N] {
    let mut joined = [0; N];
    let (mut at, mut text) = (0, 0);
    while text < texts.len() {
        let bytes = texts[text].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            joined[at] = bytes[byte];
            (at, byte) = (at + 1, byte + 1);
        }
        text += 1;
    }
    joined
}

#[cfg(test)]
mod tests {
    use openreplay_record::field;

    #[test]
    fn a_member_begins_with_a_comma_and_its_key() {
        let expected = br#","level":"info""#;
        assert_eq!(member!(field::LEVEL, "\"info\""), expected);
    }
}
