/// Whether a line can be a record: a JSON object, as far as its first and last byte tell.
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
    fn only_what_begins_and_ends_as_an_object_is_one() {
        for line in ["{}", r#"{"a":1}"#] {
            assert!(is_object(line.as_bytes()), "{line}");
        }
        for line in ["", "{", "}", "[]", "text", "\"{}\"", "{} "] {
            assert!(!is_object(line.as_bytes()), "{line}");
        }
    }
}
