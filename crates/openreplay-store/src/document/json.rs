//! Reads a line, which should be one JSON object, without building values: which fields stand
//! where, and what in it other readers of JSON reject.
//!
//! serde_json rejects half a surrogate pair and a number beyond an `f64`. Both are valid JSON, and
//! Elasticsearch stores them.

use std::fmt;
use std::ops::Range;

use openreplay_record::field;

use super::names::Names;
use super::{MOST_SESSIONS, text};

/// The levels that a record can have. Elasticsearch stores at most 1,000.
const DEEPEST: usize = 127;
/// The names that are held at the same time, to find one that comes twice: those of an object and
/// of the objects around it. Far more than a record has, and a few megabytes of memory.
pub(super) const MOST_NAMES: usize = 65_536;
/// The length of a name in a fault, in characters.
const SHOWN: usize = 100;
/// Only a number with an exponent, or with more digits than this, can be beyond an `f64`.
const MOST_DIGITS: usize = 300;

/// What is known of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) time: Option<Range<usize>>,
    pub(crate) level: Option<Range<usize>>,
    pub(crate) message: Option<Range<usize>>,
    /// Where its first member begins, or its end.
    pub(crate) start: usize,
    pub(crate) is_empty: bool,
    /// Whether it has anything that other readers reject; [`each_unreadable`] finds it.
    pub(crate) has_unreadable: bool,
}

/// Valid JSON that other readers reject all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A number beyond an `f64`.
    Number,
    /// The escape of half a surrogate pair.
    Surrogate,
}

/// Why a line is not a JSON object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Something else should stand at this byte.
    Expected(&'static str, usize),
    /// An object has a name twice.
    Twice(String),
    TooDeep,
    /// An object, with the objects around it, has too many names.
    ManyNames,
    /// The message names too many sessions.
    ManySessions,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what, at) => write!(f, "expected {what} at byte {at}"),
            Self::Twice(name) => write!(f, "duplicate field '{name}'"),
            Self::TooDeep => write!(f, "more than {DEEPEST} levels"),
            Self::ManyNames => write!(
                f,
                "an object and its enclosing objects have more than {MOST_NAMES} keys, the limit of this store"
            ),
            Self::ManySessions => write!(
                f,
                "the message names more than {MOST_SESSIONS} sessions, the limit of this store"
            ),
        }
    }
}

/// Reads a line.
pub(crate) fn read(line: &str) -> Result<Object, Fault> {
    let mut has_unreadable = false;
    let mut reader = Reader::new(line, |_, _| has_unreadable = true);
    let mut object = Object {
        is_empty: true,
        ..Object::default()
    };
    reader.skip_space();
    reader.expect(b'{', "an object")?;
    object.start = reader.at;
    reader.members(1, |name, value| {
        object.is_empty = false;
        match name {
            field::TIMESTAMP => object.time = Some(value),
            field::LEVEL => object.level = Some(value),
            field::MESSAGE => object.message = Some(value),
            _ => {}
        }
    })?;
    reader.skip_space();
    if reader.at < line.len() {
        return Err(Fault::Expected("the end of the record", reader.at));
    }
    object.has_unreadable = has_unreadable;
    Ok(object)
}

/// Passes on what other readers reject in a line that was read, in the order of the line.
pub(crate) fn each_unreadable(line: &str, each: impl FnMut(Unreadable, Range<usize>)) {
    let mut reader = Reader::new(line, each);
    reader.skip_space();
    // it has no fault
    let _ = reader.value(0);
}

/// Passes on the elements of a list in a line that was read.
pub(super) fn elements<'a>(list: &'a str, mut each: impl FnMut(&'a str)) {
    let mut reader = Reader::new(list, |_, _| {});
    // it has no fault
    let _ = reader
        .expect(b'[', "a list")
        .and_then(|()| reader.list(1, |element| each(&list[element])));
}

struct Reader<'a, F> {
    line: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The number of names that are held.
    names: usize,
    unreadable: F,
}

impl<'a, F: FnMut(Unreadable, Range<usize>)> Reader<'a, F> {
    fn new(line: &'a str, unreadable: F) -> Self {
        Self {
            line,
            bytes: line.as_bytes(),
            at: 0,
            names: 0,
            unreadable,
        }
    }

    fn peek(&self) -> u8 {
        // no JSON has a NUL, so it can stand for the end
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        if self.skip(byte) {
            Ok(())
        } else {
            Err(Fault::Expected(what, self.at))
        }
    }

    /// Reads an object behind its opening brace.
    fn members(
        &mut self,
        level: usize,
        mut each: impl FnMut(&str, Range<usize>),
    ) -> Result<(), Fault> {
        let mut names = Names::default();
        self.skip_space();
        if self.skip(b'}') {
            return Ok(());
        }
        loop {
            self.skip_space();
            self.expect(b'"', "a name")?;
            let (name, is_escaped) = self.text()?;
            let name = text::name(&self.line[name], is_escaped);
            self.skip_space();
            self.expect(b':', "`:`")?;
            self.skip_space();
            self.names += 1;
            if self.names > MOST_NAMES {
                return Err(Fault::ManyNames);
            }
            let start = self.at;
            self.value(level)?;
            each(&name, start..self.at);
            if let Some(name) = names.add(name) {
                return Err(Fault::Twice(name.chars().take(SHOWN).collect()));
            }
            self.skip_space();
            if self.skip(b'}') {
                self.names -= names.len();
                return Ok(());
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    /// Reads a list behind its opening bracket.
    fn list(&mut self, level: usize, mut each: impl FnMut(Range<usize>)) -> Result<(), Fault> {
        self.skip_space();
        if self.skip(b']') {
            return Ok(());
        }
        loop {
            self.skip_space();
            let start = self.at;
            self.value(level)?;
            each(start..self.at);
            self.skip_space();
            if self.skip(b']') {
                return Ok(());
            }
            self.expect(b',', "`,` or `]`")?;
        }
    }

    fn value(&mut self, level: usize) -> Result<(), Fault> {
        match self.peek() {
            b'"' => {
                self.at += 1;
                self.text().map(|_| ())
            }
            b'{' | b'[' if level >= DEEPEST => Err(Fault::TooDeep),
            b'{' => {
                self.at += 1;
                self.members(level + 1, |_, _| {})
            }
            b'[' => {
                self.at += 1;
                self.list(level + 1, |_| {})
            }
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => Err(Fault::Expected("a value", self.at)),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(Fault::Expected("a value", self.at));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        let has_exponent = matches!(self.peek(), b'e' | b'E');
        if has_exponent {
            self.at += 1;
            let _ = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        let number = start..self.at;
        if (has_exponent || number.len() > MOST_DIGITS)
            && self.line[number.clone()]
                .parse()
                .is_ok_and(f64::is_infinite)
        {
            (self.unreadable)(Unreadable::Number, number);
        }
        Ok(())
    }

    /// At least one.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(Fault::Expected("a digit", self.at))
        }
    }

    /// Reads a text behind its opening quote. Returns where it is, and whether it has escapes.
    fn text(&mut self) -> Result<(Range<usize>, bool), Fault> {
        let start = self.at;
        let mut is_escaped = false;
        loop {
            while !ENDS[usize::from(self.peek())] {
                self.at += 1;
            }
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok((start..self.at - 1, is_escaped));
                }
                b'\\' => {
                    is_escaped = true;
                    self.escape()?;
                }
                _ if self.at < self.bytes.len() => {
                    return Err(Fault::Expected("no control character", self.at));
                }
                _ => return Err(Fault::Expected("the end of a text", self.at)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 2;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => {
                let (length, char) = text::unicode(&self.line[start..])
                    .ok_or(Fault::Expected("four hexadecimal digits", start + 2))?;
                self.at = start + length;
                if char.is_none() {
                    (self.unreadable)(Unreadable::Surrogate, start..self.at);
                }
                Ok(())
            }
            _ => Err(Fault::Expected("an escape", start)),
        }
    }
}

/// The bytes at which the plain part of a text ends: a quote, a backslash, a control character.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Whether serde_json reads it as an object; it does not look for names that come twice.
    fn is_object(line: &str) -> bool {
        serde_json::from_str::<serde_json::Map<String, Value>>(line).is_ok()
    }

    #[test]
    fn finds_the_fields_whatever_their_spelling() {
        let line = r#" {"a":[{"level":1}], "\u006cevel" :"info","message":null,"@timestamp":-1.5}"#;
        let object = read(line).unwrap();
        assert_eq!(&line[object.level.unwrap()], "\"info\"");
        assert_eq!(&line[object.message.unwrap()], "null");
        assert_eq!(&line[object.time.unwrap()], "-1.5");
        assert_eq!(object.start, 2);
        assert_eq!(read("{ }").unwrap().start, 1);
        assert!(read("{ }").unwrap().is_empty);
    }

    #[test]
    fn finds_what_other_readers_reject() {
        let digits = format!("-{}", "9".repeat(400));
        let line =
            format!(r#"{{"a":1e999,"b":"\ud83d\ude00\ud800x","c":[{digits},1e-999,1e308]}}"#);
        assert!(read(&line).unwrap().has_unreadable);
        let mut found = Vec::new();
        each_unreadable(&line, |what, place| found.push((what, &line[place])));
        assert_eq!(
            found,
            [
                (Unreadable::Number, "1e999"),
                (Unreadable::Surrogate, r"\ud800"),
                (Unreadable::Number, &*digits),
            ]
        );
    }

    #[test]
    fn a_fault_names_its_place() {
        for (line, fault) in [
            ("", "expected an object at byte 0"),
            ("[1]", "expected an object at byte 0"),
            ("{", "expected a name at byte 1"),
            ("{\"a\"", "expected `:` at byte 4"),
            ("{\"a\":", "expected a value at byte 5"),
            ("{\"a\":True}", "expected a value at byte 5"),
            ("{\"a\":01}", "expected `,` or `}` at byte 6"),
            ("{\"a\":-}", "expected a digit at byte 6"),
            ("{\"a\":[1", "expected `,` or `]` at byte 7"),
            ("{\"a\":\"b", "expected the end of a text at byte 7"),
            (
                "{\"a\":\"\u{0}\"}",
                "expected no control character at byte 6",
            ),
            (r#"{"a":"\x"}"#, "expected an escape at byte 6"),
            (
                r#"{"a":"\u12"}"#,
                "expected four hexadecimal digits at byte 8",
            ),
            ("{} {}", "expected the end of the record at byte 3"),
            (r#"{"a":1,"b":2,"a":3}"#, "duplicate field 'a'"),
            (r#"{"a":{"b":[{"c":1,"\u0063":2}]}}"#, "duplicate field 'c'"),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), fault, "{line}");
        }
        let deep = |levels| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(DEEPEST - 1)).is_ok());
        for levels in [DEEPEST, 100_000] {
            assert_eq!(read(&deep(levels)), Err(Fault::TooDeep));
        }
    }

    #[test]
    fn the_names_that_are_held_together_are_limited() {
        let members = |count: usize, from: usize| -> String {
            let members = (from..from + count).map(|name| format!("\"{name}\":0"));
            members.collect::<Vec<_>>().join(",")
        };
        assert!(read(&format!("{{{}}}", members(MOST_NAMES, 0))).is_ok());
        assert_eq!(
            read(&format!("{{{}}}", members(MOST_NAMES + 1, 0))),
            Err(Fault::ManyNames)
        );
        // those of the outer object are held while the inner one is read
        let half = members(MOST_NAMES / 2, 0);
        let more = members(MOST_NAMES / 2, MOST_NAMES);
        let nested = format!("{{{half},\"a\":{{{more}}}}}");
        assert_eq!(read(&nested), Err(Fault::ManyNames));
        let beside = format!("{{\"a\":{{{half}}},\"b\":{{{half}}},\"c\":{{{half}}}}}");
        assert!(read(&beside).is_ok());
    }

    #[test]
    fn a_fault_shows_the_beginning_of_a_long_name() {
        let name = "é".repeat(1_000);
        let fault = read(&format!("{{\"{name}\":1,\"{name}\":2}}")).unwrap_err();
        assert_eq!(fault, Fault::Twice("é".repeat(SHOWN)));
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<f64>()
                .prop_filter("JSON has no such number", |value| value.is_finite())
                .prop_map(|value| serde_json::json!(value).to_string()),
            ".{0,8}".prop_map(|text| serde_json::json!(text).to_string()),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|list| format!("[ {}]", list.join(" , "))),
                prop::collection::btree_map("[a-c\\\\\"é]{0,3}", inner, 0..4).prop_map(|map| {
                    let members = map
                        .into_iter()
                        .map(|(name, value)| format!("{}:\t{value}", serde_json::json!(name)));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn accepts_what_serde_json_accepts(value in json()) {
            let line = format!("{{\"value\":{value}}}");
            prop_assert!(is_object(&line));
            prop_assert_eq!(read(&line).map(|object| object.has_unreadable), Ok(false));
        }

        #[test]
        fn a_changed_byte_is_a_fault_where_serde_json_finds_one(value in json(), at in 0..1_000_usize, other in "[{}\\[\\]\":,0-9eE.+ntu\\\\ \\x00]") {
            let mut line = format!("{{\"value\":{value}}}");
            let at = at % line.len();
            prop_assume!(line.is_char_boundary(at) && line.is_char_boundary(at + 1));
            line.replace_range(at..=at, &other);
            match read(&line) {
                Ok(object) if !object.has_unreadable => prop_assert!(is_object(&line), "{line}"),
                Ok(_) | Err(Fault::Twice(_)) => {}
                Err(_) => prop_assert!(!is_object(&line), "{line}"),
            }
        }
    }
}
