/// Returns whether a line can be a record, that is, whether it starts with `{` and ends with `}`.
///
/// The line is not parsed, so it may still be invalid JSON.
///
/// ```
/// use openreplay_record::is_object;
///
/// assert!(is_object(br#"{"message":"paid"}"#));
/// assert!(!is_object(b"paid"));
/// ```
#[inline]
#[must_use]
pub fn is_object(line: &[u8]) -> bool {
    line.first() == Some(&b'{') && line.last() == Some(&b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_if_it_starts_and_ends_with_braces() {
        for line in ["{}", r#"{"a":1}"#] {
            assert!(is_object(line.as_bytes()), "{line}");
        }
        for line in ["", "{", "}", "[]", "text", "\"{}\"", "{} "] {
            assert!(!is_object(line.as_bytes()), "{line}");
        }
    }
}
