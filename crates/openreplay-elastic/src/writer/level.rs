use memchr::memmem;

use super::chunk::Lane;

/// Whether a line is a warning's or an error's, as far as its first `level` tells (`log.level` is one, too).
///
/// Inside a string the quote would be escaped, so it is a key that is found, not a text.
pub(super) fn lane(line: &[u8], finder: &memmem::Finder<'_>) -> Lane {
    let Some(at) = finder.find(line) else {
        return Lane::Common;
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
        Lane::Grave
    } else {
        Lane::Common
    }
}

/// What [`lane`] looks for.
pub(super) fn finder() -> memmem::Finder<'static> {
    memmem::Finder::new(b"level\":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_level() {
        let finder = finder();
        for (line, grave) in [
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
            let expected = if grave { Lane::Grave } else { Lane::Common };
            assert_eq!(lane(line.as_bytes(), &finder), expected, "{line}");
        }
    }
}
