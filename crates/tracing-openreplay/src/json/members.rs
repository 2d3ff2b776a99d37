//! The members of a JSON object that is being written: `"key":value,"key":value`, with unique keys.

use std::ops::Range;

use tracing_core::Field;

use super::{
    escape::{self, CUT},
    key::{Key, Keys, key_of, write_key},
};

/// The maximum length of a key and its value. Elasticsearch rejects a document if they exceed
/// 32,766 bytes in a `flattened` object.
pub(super) const VALUE_LIMIT: usize = 32_000;

#[derive(Debug)]
pub(super) struct Members<'a> {
    json: &'a mut Vec<u8>,
    /// The position of the first member.
    start: usize,
    /// The keys of the callsite, as long as its fields are written in order, so that no key can be
    /// repeated.
    keys: Option<&'a Keys>,
    /// The smallest index of a field that is in order.
    next: usize,
    /// A set of 64 bits, of which each key sets one. If the bit of a key is not set, the key is
    /// new.
    seen: u64,
    /// The index of the watched field.
    watched: Option<usize>,
    /// Whether the watched field was written.
    saw_watched: bool,
}

impl<'a> Members<'a> {
    /// Creates members that are appended to `json`.
    pub(super) fn new(json: &'a mut Vec<u8>) -> Self {
        Self {
            start: json.len(),
            json,
            keys: None,
            next: 0,
            seen: 0,
            watched: None,
            saw_watched: false,
        }
    }

    /// Does the same as [`new`](Self::new), with the known keys of a callsite.
    pub(super) fn with_keys(json: &'a mut Vec<u8>, keys: &'a Keys) -> Self {
        Self {
            keys: Some(keys),
            ..Self::new(json)
        }
    }

    /// Does the same as [`with_keys`](Self::with_keys), and watches the field with this index.
    pub(super) fn watching(json: &'a mut Vec<u8>, keys: &'a Keys, watched: Option<usize>) -> Self {
        Self {
            watched,
            ..Self::with_keys(json, keys)
        }
    }

    /// Returns the text that was written after this position.
    pub(super) fn since(&self, at: usize) -> &[u8] {
        &self.json[at..]
    }

    /// Returns whether the watched field was written.
    pub(super) fn saw_watched(&self) -> bool {
        self.saw_watched
    }

    /// Appends a member, which replaces an earlier one with the same key. `render` writes the
    /// value.
    pub(super) fn push<R>(
        &mut self,
        field: &Field,
        quoted: bool,
        render: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> Member<'_, 'a, R> {
        self.saw_watched |= self.watched == Some(field.index());
        let (key_at, label) = self.key(field);
        if quoted {
            self.json.push(b'"');
        }
        let value_at = self.json.len();
        let answer = render(self.json);
        Member {
            json: self.json,
            key_at,
            value_at,
            quoted,
            label,
            answer,
        }
    }

    /// Appends a key. Returns its position and, if known, the key as in a message.
    #[inline]
    fn key(&mut self, field: &Field) -> (usize, Option<&'a [u8]>) {
        let Some(key) = self.known(field) else {
            return (self.new_or_replaced(field.name()), None);
        };
        let at = self.json.len();
        // The first member has no leading comma.
        let comma = usize::from(at == self.start);
        self.json.extend_from_slice(&key.member[comma..]);
        (at + 1 - comma, Some(&key.label))
    }

    #[inline]
    fn known(&mut self, field: &Field) -> Option<&'a Key> {
        let keys = self.keys?;
        let key = keys.of(field).filter(|_| field.index() >= self.next);
        if key.is_some() {
            self.next = field.index() + 1;
        } else {
            // From here on, keys can be repeated and must be searched for.
            self.keys = None;
            self.seen = u64::MAX;
        }
        key
    }

    #[inline(never)]
    fn new_or_replaced(&mut self, name: &str) -> usize {
        let start = self.json.len();
        write_key(self.json, name);
        let mut at = start + 1;
        if start == self.start {
            // Remove the leading comma.
            self.json.remove(start);
            at = start;
        }
        let bit = bit_of(key_of(name).as_bytes());
        if self.seen & bit != 0 {
            let (before, key) = self.json.split_at(at);
            if let Some(old) = find(&before[self.start..], &key[..key.len() - 1]) {
                // The range includes the trailing comma.
                at -= old.len() + 1;
                self.json
                    .drain(self.start + old.start..=self.start + old.end);
            }
        }
        self.seen |= bit;
        at
    }
}

fn bit_of(name: &[u8]) -> u64 {
    let first = name.first().map_or(0, |&byte| usize::from(byte));
    let last = name.last().map_or(0, |&byte| usize::from(byte));
    1 << ((name.len() * 5 + first * 11 + last * 3) % 64)
}

/// A member that was appended, except for its end.
#[derive(Debug)]
#[must_use = "`finish` writes the end of the member"]
pub(super) struct Member<'m, 'a, R> {
    json: &'m mut Vec<u8>,
    key_at: usize,
    value_at: usize,
    quoted: bool,
    /// The key as in a message, such as ` user=`, if known.
    label: Option<&'a [u8]>,
    pub(super) answer: R,
}

impl<'a, R> Member<'_, 'a, R> {
    /// Returns the key as in a message, such as ` user=`, if known.
    pub(super) fn label(&self) -> Option<&'a [u8]> {
        self.label
    }

    /// Returns the position of the value, including its quote.
    pub(super) fn at(&self) -> usize {
        self.value_at - usize::from(self.quoted)
    }

    /// Returns the escaped key without its quotes.
    pub(super) fn key(&self) -> &[u8] {
        // A quote, a colon and possibly the value's quote follow the key.
        let end = self.value_at - 2 - usize::from(self.quoted);
        &self.json[self.key_at + 1..end]
    }

    /// Returns the rendered value without its quotes.
    pub(super) fn value(&self) -> &[u8] {
        &self.json[self.value_at..]
    }

    /// Appends to the value. Returns the position of the appended text in the value.
    pub(super) fn append<T>(
        &mut self,
        separator: &[u8],
        render: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> usize {
        self.json.extend_from_slice(separator);
        let at = self.value().len();
        render(self.json);
        at
    }

    #[inline]
    pub(super) fn finish(self) {
        if self.quoted {
            let limit = VALUE_LIMIT.saturating_sub(self.value_at - self.key_at);
            if self.value().len() > limit {
                cut_value(self.json, self.value_at, limit);
            }
            self.json.push(b'"');
        }
    }
}

#[cold]
fn cut_value(json: &mut Vec<u8>, value_at: usize, limit: usize) {
    let kept = escape::cut(&json[value_at..], limit);
    json.truncate(value_at + kept);
    json.extend_from_slice(CUT.as_bytes());
}

/// Adds new members, which replace those with the same key.
pub(super) fn merge(members: &mut Vec<u8>, new: &[u8]) {
    let mut rest = new;
    while !rest.is_empty() {
        let (key, member) = first(rest);
        let old = find(members, &rest[..key]);
        if !members.is_empty() {
            members.push(b',');
        }
        members.extend_from_slice(&rest[..member]);
        if let Some(old) = old {
            // The range includes the trailing comma.
            members.drain(old.start..=old.end);
        }
        rest = rest.get(member + 1..).unwrap_or_default();
    }
}

/// Returns the length of the complete members that fit into `max` bytes.
pub(super) fn fitting(members: &[u8], max: usize) -> usize {
    let mut end = 0;
    while end < members.len() {
        // All members except the first follow a comma.
        let begin = if end == 0 { 0 } else { end + 1 };
        let next = begin + first(&members[begin..]).1;
        if next > max {
            break;
        }
        end = next;
    }
    end
}

/// Returns the position of the value of a quoted key, unless it is an object or a list. The quotes
/// of a string are not included.
pub(super) fn scalar_of(members: &[u8], quoted_key: &[u8]) -> Option<Range<usize>> {
    let member = find(members, quoted_key)?;
    let value = member.start + quoted_key.len() + 1..member.end;
    let quotes = match members.get(value.start)? {
        b'{' | b'[' => return None,
        first => usize::from(*first == b'"'),
    };
    Some(value.start + quotes..value.end - quotes)
}

/// Appends each member as ` key=value`. Ambiguous strings are quoted.
pub(super) fn write_text(members: &[u8], out: &mut Vec<u8>) {
    let mut rest = members;
    while !rest.is_empty() {
        let (key, member) = first(rest);
        out.push(b' ');
        out.extend_from_slice(&rest[1..key - 1]);
        out.push(b'=');
        write_value(out, &rest[key + 1..member]);
        rest = rest.get(member + 1..).unwrap_or_default();
    }
}

/// Appends a JSON value to a message, which is itself a JSON string.
pub(super) fn write_value(out: &mut Vec<u8>, value: &[u8]) {
    match value {
        [b'"', text @ .., b'"'] => write_str(out, text),
        [b'{' | b'[', ..] => {
            escape::escape(out, value);
        }
        _ => out.extend_from_slice(value),
    }
}

/// Appends an escaped string to a message, with quotes if it is ambiguous without them.
pub(super) fn write_str(out: &mut Vec<u8>, text: &[u8]) {
    if is_misread(text) {
        // The message is itself a JSON string, so the quotes are escaped.
        out.extend_from_slice(b"\\\"");
        escape::escape(out, text);
        out.extend_from_slice(b"\\\"");
    } else {
        out.extend_from_slice(text);
    }
}

/// Returns whether the end of a string would be ambiguous without quotes.
fn is_misread(escaped: &[u8]) -> bool {
    let odd = |odd, &byte| odd | (byte <= b' ') | (byte == b'=') | (byte == b'"') | (byte == b'\\');
    escaped.is_empty() || escaped.iter().fold(false, odd)
}

/// Returns the position of the member with a quoted key.
fn find(members: &[u8], quoted_key: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    while at < members.len() {
        let (key, member) = first(&members[at..]);
        if &members[at..at + key] == quoted_key {
            return Some(at..at + member);
        }
        at += member + 1;
    }
    None
}

/// Returns the lengths of the first member's key, including its quotes, and of the whole member.
fn first(members: &[u8]) -> (usize, usize) {
    let key = string(members);
    let value = &members[(key + 1).min(members.len())..];
    let length = match value.first() {
        Some(b'"') => string(value),
        Some(b'{' | b'[') => structure(value),
        _ => memchr::memchr(b',', value).unwrap_or(value.len()),
    };
    (key, (key + 1 + length).min(members.len()))
}

/// Returns the length of a JSON object or list.
fn structure(json: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while let Some(byte) = json.get(at) {
        at += match byte {
            b'"' => string(&json[at..]),
            _ => 1,
        };
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the length of a JSON string, including its quotes.
fn string(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = json
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use tracing::callsite::DefaultCallsite;
    use tracing_core::{Kind, Level, Metadata, metadata};

    use super::*;

    #[test]
    fn merging_replaces_and_appends() {
        let rows = [
            ("", r#""a":1"#, r#""a":1"#),
            (r#""a":1"#, r#""a":2"#, r#""a":2"#),
            (
                r#""a":1,"b":"x,\"y","c":3"#,
                r#""b":true"#,
                r#""a":1,"c":3,"b":true"#,
            ),
            (r#""a":1,"b":"x""#, r#""b":2,"a":"\\""#, r#""b":2,"a":"\\""#),
            (r#""a\"b":1"#, r#""a":2,"a\"b":3"#, r#""a":2,"a\"b":3"#),
            (
                r#""x":"a","y":"\"a\":1""#,
                r#""a":2"#,
                r#""x":"a","y":"\"a\":1","a":2"#,
            ),
        ];
        for (old, new, expected) in rows {
            let mut members = old.as_bytes().to_vec();
            merge(&mut members, new.as_bytes());
            assert_eq!(str::from_utf8(&members).unwrap(), expected);
        }
    }

    #[test]
    fn keeps_only_complete_members() {
        let members = br#""a":1,"b":"x,y","c":3"#;
        let rows = [
            (0, ""),
            (4, ""),
            (5, r#""a":1"#),
            (6, r#""a":1"#),
            (14, r#""a":1"#),
            (15, r#""a":1,"b":"x,y""#),
        ];
        for (max, expected) in rows {
            assert_eq!(
                &members[..fitting(members, max)],
                expected.as_bytes(),
                "{max}"
            );
        }
        assert_eq!(fitting(members, 21), members.len());
    }

    static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = metadata! {
        name: "event",
        target: "target",
        level: Level::INFO,
        fields: NAMES,
        callsite: &CALLSITE,
        kind: Kind::EVENT
    };
    #[test]
    fn a_structure_is_one_value() {
        let members = br#""a":{"x":[1,"]}",{"y":2}]},"b":[],"c":{},"d":3"#;
        assert_eq!(scalar_of(members, br#""d""#), Some(45..46));
        assert_eq!(scalar_of(members, br#""a""#), None);
        assert_eq!(scalar_of(members, br#""b""#), None);
        assert_eq!(fitting(members, 33), 33);
        let mut merged = members.to_vec();
        merge(&mut merged, br#""a":1"#);
        assert_eq!(merged, br#""b":[],"c":{},"d":3,"a":1"#);
    }

    const NAMES: &[&str] = &["type", "a", "r#type", "", "_", "r#"];

    fn push_each(mut members: Members<'_>, fields: impl Iterator<Item = Field>) {
        for (value, field) in (1..).zip(fields) {
            let value = format!("{value}");
            members
                .push(&field, false, |out| out.extend_from_slice(value.as_bytes()))
                .finish();
        }
    }

    #[test]
    fn the_last_value_of_a_key_is_kept() {
        let mut json = Vec::new();
        push_each(Members::new(&mut json), METADATA.fields().iter());
        assert_eq!(str::from_utf8(&json).unwrap(), r#""a":2,"type":3,"_":6"#);
    }

    #[test]
    fn keys_out_of_order_are_searched_for() {
        // the keys of a call site that has but the first fields, each of its own name
        let keys = Keys::of_names(&NAMES[..2]);
        let field = |index| METADATA.fields().iter().nth(index).unwrap();
        let rows: [(&[usize], &str); 5] = [
            (&[0, 1], r#""type":1,"a":2"#),
            (&[1], r#""a":1"#),
            (&[1, 0, 1], r#""type":2,"a":3"#),
            (&[0, 0], r#""type":2"#),
            (&[0, 1, 3, 2, 1, 4], r#""type":4,"a":5,"_":6"#),
        ];
        for (indexes, expected) in rows {
            let mut json = Vec::new();
            let fields = indexes.iter().map(|&index| field(index));
            push_each(Members::with_keys(&mut json, &keys), fields);
            assert_eq!(str::from_utf8(&json).unwrap(), expected, "{indexes:?}");
        }
    }
}
