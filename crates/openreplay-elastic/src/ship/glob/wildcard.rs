//! Names with wildcards: `*`, `?` and `[...]`.

use std::ffi::OsStr;

/// A character of a name. A value that is not a character (a byte of a Unix name, or half a
/// surrogate pair of a Windows name) comes after all characters.
type Unit = u32;

const NO_CHARACTER: Unit = 0x11_0000;

/// A name with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wildcard(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Unit(Unit),
    /// `?`: one character.
    Any,
    /// `*`: any number of characters.
    Many,
    /// `[a-z]` or `[!a-z]`: one character that is in the class, or one that is not.
    Class {
        ranges: Vec<(Unit, Unit)>,
        is_negated: bool,
    },
}

impl Wildcard {
    /// Parses a name. Returns `None` for `**` within a name, and for a `[` that is not closed.
    pub(super) fn parse(name: &OsStr) -> Option<Self> {
        let units = units(name);
        let mut tokens = Vec::new();
        let mut rest = &units[..];
        while let [first, after @ ..] = rest {
            rest = after;
            tokens.push(match char::from_u32(*first) {
                Some('?') => Token::Any,
                Some('*') if rest.first() == Some(&u32::from('*')) => return None,
                Some('*') => Token::Many,
                Some('[') => class(&mut rest)?,
                _ => Token::Unit(*first),
            });
        }
        Some(Self(tokens))
    }

    pub(super) fn matches(&self, name: &OsStr) -> bool {
        let name = units(name);
        let tokens = &self.0[..];
        let (mut at, mut token) = (0, 0);
        // The position of the last `*`, and how much of the name it has matched so far.
        let mut retry = None;
        loop {
            match tokens.get(token) {
                None if at == name.len() => return true,
                Some(Token::Many) => {
                    retry = Some((token, at));
                    token += 1;
                    continue;
                }
                Some(one) if at < name.len() && one.is(name[at]) => {
                    at += 1;
                    token += 1;
                    continue;
                }
                _ => {}
            }
            match &mut retry {
                Some((many, matched)) if *matched < name.len() => {
                    *matched += 1;
                    at = *matched;
                    token = *many + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    fn is(&self, unit: Unit) -> bool {
        match self {
            Self::Unit(own) => *own == unit,
            Self::Any | Self::Many => true,
            Self::Class { ranges, is_negated } => {
                let mut ranges = ranges.iter();
                ranges.any(|(first, last)| (*first..=*last).contains(&unit)) != *is_negated
            }
        }
    }
}

/// Parses a class after its `[`. If `]` comes first, it belongs to the class.
fn class(rest: &mut &[Unit]) -> Option<Token> {
    let [bang, dash, end] = ['!', '-', ']'].map(u32::from);
    let is_negated = rest.first() == Some(&bang);
    let members = &rest[usize::from(is_negated)..];
    let length = 1 + members.iter().skip(1).position(|unit| *unit == end)?;
    *rest = &members[length + 1..];
    let mut members = &members[..length];
    let mut ranges = Vec::new();
    while let [first, after @ ..] = members {
        match after {
            [middle, last, after @ ..] if *middle == dash => {
                ranges.push((*first, *last));
                members = after;
            }
            _ => {
                ranges.push((*first, *first));
                members = after;
            }
        }
    }
    Some(Token::Class { ranges, is_negated })
}

#[cfg(unix)]
fn units(name: &OsStr) -> Vec<Unit> {
    use std::os::unix::ffi::OsStrExt as _;

    let mut units = Vec::with_capacity(name.len());
    for chunk in name.as_bytes().utf8_chunks() {
        units.extend(chunk.valid().chars().map(u32::from));
        let invalid = chunk.invalid().iter();
        units.extend(invalid.map(|byte| NO_CHARACTER + u32::from(*byte)));
    }
    units
}

#[cfg(windows)]
fn units(name: &OsStr) -> Vec<Unit> {
    use std::os::windows::ffi::OsStrExt as _;

    let characters = char::decode_utf16(name.encode_wide());
    let unit = |character: Result<char, _>| match character {
        Ok(character) => u32::from(character),
        Err(half) => NO_CHARACTER + u32::from(char::DecodeUtf16Error::unpaired_surrogate(&half)),
    };
    characters.map(unit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The crate `glob` was used before names became bytes.
        #[test]
        fn matches_text_like_the_crate_glob(pattern in r"[ab*?\[\]!\-é.]{0,8}", name in "[abc!é.-]{0,6}") {
            let peer = glob::Pattern::new(&pattern);
            let ours = Wildcard::parse(OsStr::new(&pattern));
            match (peer, ours) {
                (Ok(peer), Some(ours)) => {
                    prop_assert_eq!(peer.matches(&name), ours.matches(OsStr::new(&name)), "{} {}", pattern, name);
                }
                // `glob` accepts `**` as an entire name; another test covers ours.
                (Ok(_), None) => prop_assert!(pattern.contains("**")),
                (Err(_), ours) => prop_assert!(ours.is_none()),
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn an_invalid_byte_counts_as_one_character() {
        use std::os::unix::ffi::OsStrExt as _;

        let name = OsStr::from_bytes(b"a\xff\xe9.log");
        for (pattern, expected) in [
            (&b"*.log"[..], true),
            (b"a??.log", true),
            (b"a?.log", false),
            (b"a\xff*", true),
            (b"a\xfe*", false),
            (b"a[\xfe-\xff]?.log", true),
            (b"a[!\xff]*", false),
        ] {
            let wildcard = Wildcard::parse(OsStr::from_bytes(pattern)).unwrap();
            assert_eq!(wildcard.matches(name), expected, "{pattern:?}");
        }
    }
}
