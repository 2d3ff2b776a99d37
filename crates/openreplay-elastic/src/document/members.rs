//! The members of an object at its top, found without reading what is in them: a line that
//! Elasticsearch rejected may be nested beyond any parser's limit, or have a value that is no JSON.

/// Gives the name and the value of each, as they stand in the text, up to where it cannot be one of
/// an object any more.
pub(crate) struct Members<'a> {
    rest: &'a str,
    is_first: bool,
    is_whole: bool,
}

impl<'a> Members<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self {
            rest: trim(text).strip_prefix('{').map_or("", trim_start),
            is_first: true,
            is_whole: false,
        }
    }

    /// Whether the object was read to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// `None` at the end, and where there is anything else than a member.
    fn read(&mut self) -> Option<(&'a str, &'a str)> {
        if self.rest == "}" {
            self.is_whole = true;
            return None;
        }
        let member = if self.is_first {
            self.rest
        } else {
            trim_start(self.rest.strip_prefix(',')?)
        };
        self.is_first = false;
        let (name, rest) = member.split_at(string(member)?);
        let rest = trim_start(trim_start(rest).strip_prefix(':')?);
        let (value, rest) = rest.split_at(value(rest)?);
        self.rest = trim_start(rest);
        Some((name, value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.read();
        if member.is_none() {
            self.rest = "";
        }
        member
    }
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

fn trim(text: &str) -> &str {
    text.trim_matches(SPACE)
}

#[inline]
fn trim_start(text: &str) -> &str {
    text.trim_start_matches(SPACE)
}

/// The length of the value that a text starts with.
fn value(text: &str) -> Option<usize> {
    match text.as_bytes().first()? {
        b'"' => string(text),
        b'{' | b'[' => nested(text),
        _ => {
            let end = text.find(|char: char| !is_bare(char))?;
            (end > 0).then_some(end)
        }
    }
}

/// What numbers and `true` are made of, and `NaN` and `-Infinity` with them.
fn is_bare(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.')
}

/// The length of a string with its quotes.
fn string(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = usize::from(bytes.first() == Some(&b'"'));
    if at == 0 {
        return None;
    }
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The length of an object or a list, whatever is in it.
fn nested(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => at += string(&text[at..])? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> (Vec<(&str, &str)>, bool) {
        let mut members = Members::of(text);
        let read = members.by_ref().collect();
        (read, members.is_whole())
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a{}\\[\\]\",\\\\]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[}\\]\"a]", inner, 0..3).prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_what_a_parser_finds(object in prop::collection::vec((".*", ".*"), 0..6), pretty: bool) {
            let values = object.iter().map(|(name, text)| (name.clone(), serde_json::json!([{text: 1}, text])));
            let object = Value::Object(values.collect());
            let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let (members, is_whole) = read(&text);
            let found = members.iter().map(|(name, value)| {
                (serde_json::from_str(name).unwrap(), serde_json::from_str(value).unwrap())
            });
            prop_assert_eq!(Value::Object(found.collect()), object);
            prop_assert!(is_whole);
        }

        #[test]
        fn reads_to_its_end_every_object_that_a_parser_reads(
            object in prop::collection::btree_map("[a-c\\\\\"]{0,2}", any_json(), 0..5),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_usize, r#"|[{}\[\]",:\\0-9 ]|"a":1,|null"#), 0..3),
        ) {
            let mut text = serde_json::to_string(&object).unwrap();
            for (at, length, edit) in edits {
                let at = at.index(text.len() + 1);
                text.replace_range(at..text.len().min(at + length), &edit);
            }
            if let Ok(object) = serde_json::from_str::<serde_json::Map<String, Value>>(&text) {
                let (members, is_whole) = read(&text);
                let found = members.iter().map(|(name, value)| {
                    (serde_json::from_str(name).unwrap(), serde_json::from_str(value).unwrap())
                });
                prop_assert_eq!(found.collect::<serde_json::Map<_, _>>(), object);
                prop_assert!(is_whole, "{}", text);
            }
        }

        #[test]
        fn takes_any_text(text in r#"[{}\[\]",:\\a1é ]{0,30}"#) {
            let (members, _) = read(&text);
            prop_assert!(members.iter().all(|(name, value)| text.contains(name) && text.contains(value)));
        }
    }

    #[test]
    fn ends_where_no_member_is() {
        let one = &[("\"a\"", "1")][..];
        for (text, members, is_whole) in [
            ("{}", &[][..], true),
            (" { } ", &[], true),
            (r#"{"a":1}"#, one, true),
            (r#"{"a" : 1 }"#, one, true),
            (r#"{"a":1"#, &[], false),
            (r#"{"a":1,"#, one, false),
            (r#"{"a":1,}"#, one, false),
            (r#"{"a":1,,"b":2}"#, one, false),
            (r#"{"a":1,b:2}"#, one, false),
            (r#"{"a":1,"b":[2}"#, &[one[0], ("\"b\"", "[2}")], false),
            (r#"{"a":1,"b":"2}"#, one, false),
            (r#"{"a":1,"b":{"#, one, false),
            (r#"{"a":1}}"#, one, false),
            (r#"{,"a":1}"#, &[], false),
            ("[1]", &[], false),
            ("", &[], false),
        ] {
            assert_eq!(read(text), (members.to_vec(), is_whole), "{text}");
        }
    }
}
