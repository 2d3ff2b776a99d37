use memchr::memmem;

use crate::Priority;

/// Returns the priority of a line, according to its first key that ends with `level`, such as
/// `log.level`.
///
/// Quotes inside a string are escaped, so only keys match, never text.
pub(crate) fn priority(line: &[u8], finder: &memmem::Finder<'_>) -> Priority {
    let Some(at) = finder.find(line) else {
        return Priority::Low;
    };
    let value = &line[at + finder.needle().len()..];
    let start = value
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b':' | b'"'));
    let word = start.map_or(value, |start| &value[start..]);
    let is = |name: &[u8]| {
        word.get(..name.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(name))
    };
    if is(b"err") || is(b"warn") || is(b"fatal") || is(b"crit") || is(b"panic") {
        Priority::High
    } else {
        Priority::Low
    }
}

/// Creates the finder for [`priority`].
pub(crate) fn finder() -> memmem::Finder<'static> {
    memmem::Finder::new(b"level\":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_level() {
        let finder = finder();
        for (line, is_high) in [
            (r#"{"level":"error"}"#, true),
            (
                r#"{"@timestamp":"x","level":"warning","message":"m"}"#,
                true,
            ),
            (r#"{"level": "WARN"}"#, true),
            (r#"{"log.level":"Error"}"#, true),
            (r#"{"level":"info"}"#, false),
            (r#"{"level":"debug","fields":{"level":"error"}}"#, false),
            (r#"{"message":"\"level\":\"error\"","level":"info"}"#, false),
            (r#"{"message":"error"}"#, false),
            (r#"{"level":"#, false),
            ("{}", false),
        ] {
            let expected = if is_high {
                Priority::High
            } else {
                Priority::Low
            };
            assert_eq!(priority(line.as_bytes(), &finder), expected, "{line}");
        }
    }
}
