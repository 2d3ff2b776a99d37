//! The parts that are the same in all records of a callsite, rendered once per callsite and thread:
//! its source location and the keys of its fields.

use std::ptr;

use openreplay_record::field;
use tracing_core::{Field, Metadata};

use super::{CUT, Options, escape::cut, member::member, members, span, value};

/// The maximum escaped length of a target or a file. Both can be arbitrary in a `log` record.
const LIMIT: usize = 1024;

/// The number of slots, which is a power of two.
const SLOTS: usize = 64;

/// A cache of the callsites that logged last, each in the slot of its address.
#[derive(Debug, Default)]
pub(super) struct Sites {
    slots: Vec<Site>,
    passing: Site,
    spans: Vec<SpanSite>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Site {
    /// The address of the metadata, which are never freed, and the options that the location
    /// depends on.
    of: (usize, bool, bool),
    pub(super) place: Vec<u8>,
    pub(super) keys: Keys,
}

/// The parts that are the same in all spans of a callsite.
#[derive(Clone, Debug, Default)]
pub(super) struct SpanSite {
    /// The address of the metadata, which are never freed.
    of: usize,
    /// The beginning of the span: `{"name":"request","fields":{`.
    pub(super) head: Vec<u8>,
    pub(super) keys: Keys,
    /// The index of the field with the id of the request.
    pub(super) request_id: Option<usize>,
}

impl Sites {
    pub(super) fn of_span(&mut self, metadata: &'static Metadata<'static>) -> &SpanSite {
        if self.spans.is_empty() {
            self.spans.resize_with(SLOTS, SpanSite::default);
        }
        let address = ptr::from_ref(metadata).addr();
        let site = &mut self.spans[slot_of(address)];
        if site.of != address {
            site.of = address;
            site.head.clear();
            span::write_head(metadata.name(), &mut site.head);
            let names = || metadata.fields().iter().map(|field| field.name());
            site.keys.fill(names());
            site.request_id = span::is_request(metadata.name())
                .then(|| names().position(|name| name == span::REQUEST_ID))
                .flatten();
        }
        site
    }

    pub(super) fn of(&mut self, options: &Options, metadata: &'static Metadata<'static>) -> &Site {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Site::default);
        }
        let address = ptr::from_ref(metadata).addr();
        let site = &mut self.slots[slot_of(address)];
        let of = (address, options.target, options.source_location);
        if site.of != of {
            site.of = of;
            write_place(options, metadata, &mut site.place);
            site.keys
                .fill(metadata.fields().iter().map(|field| field.name()));
        }
        site
    }

    /// Returns the parts of a `log` record, whose metadata have no constant address.
    pub(super) fn passing(&mut self, options: &Options, metadata: &Metadata<'_>) -> &Site {
        write_place(options, metadata, &mut self.passing.place);
        &self.passing
    }
}

fn slot_of(address: usize) -> usize {
    ((address >> 4) ^ (address >> 10)) % SLOTS
}

fn write_place(options: &Options, metadata: &Metadata<'_>, out: &mut Vec<u8>) {
    out.clear();
    if options.target {
        out.extend_from_slice(member!(field::LOGGER, "\""));
        text(out, metadata.target());
    }
    if options.source_location {
        if let Some(file) = metadata.file() {
            out.extend_from_slice(member!(field::FILE_NAME, "\""));
            text(out, file);
        }
        if let Some(line) = metadata.line() {
            out.extend_from_slice(member!(field::FILE_LINE, ""));
            out.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    // The escaped length is known only after writing.
    value::str(out, LIMIT, text);
    if out.len() - start > LIMIT + CUT.len() {
        let kept = cut(&out[start..], LIMIT);
        out.truncate(start + kept);
        out.extend_from_slice(CUT.as_bytes());
    }
    out.push(b'"');
}

/// The keys of a callsite's fields by their index, or no keys if two are equal.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<Key>);

/// An escaped key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    name: &'static str,
    /// The key as in an object: `,"user":`.
    pub(super) member: Box<[u8]>,
    /// The key as in a message: ` user=`.
    pub(super) label: Box<[u8]>,
}

impl Keys {
    fn fill(&mut self, names: impl IntoIterator<Item = &'static str>) {
        self.0.clear();
        for name in names {
            let key = Key::new(name);
            if self.0.iter().any(|other| other.member == key.member) {
                self.0.clear();
                return;
            }
            self.0.push(key);
        }
    }

    #[cfg(test)]
    pub(super) fn of_names(names: &[&'static str]) -> Self {
        let mut keys = Self::default();
        keys.fill(names.iter().copied());
        keys
    }

    /// Returns the key of a field of this callsite.
    #[inline]
    pub(super) fn of(&self, field: &Field) -> Option<&Key> {
        let key = self.0.get(field.index())?;
        // An event that was constructed without the macros can have a field of another callsite.
        ptr::eq(key.name, field.name()).then_some(key)
    }
}

impl Key {
    fn new(name: &'static str) -> Self {
        let mut member = Vec::new();
        members::write_key(&mut member, name);
        // The key is between `,"` and `":`.
        let key = &member[2..member.len() - 2];
        let label = [b" ", key, b"="].concat();
        Self {
            name,
            label: label.into(),
            member: member.into(),
        }
    }
}
