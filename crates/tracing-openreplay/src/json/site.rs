//! The parts that are the same in all records of a callsite, rendered once per callsite and thread:
//! its source location and the keys of its fields.

use std::ptr;

use openreplay_record::field;
use tracing_core::Metadata;

use super::{
    escape::{CUT, cut, escape},
    key::Keys,
    member::member,
    options::Options,
    request, value,
};

/// The maximum escaped length of a target or a file. Both can be arbitrary in a `log` record.
const LIMIT: usize = 1024;

/// The number of slots, which is a power of two.
const SLOTS: usize = 64;

/// The beginning of a span.
pub(super) const SPAN_OPEN: &[u8] = br#"{"name":""#;
const SPAN_FIELDS: &[u8] = br#"","fields":{"#;

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
            write_head(metadata.name(), &mut site.head);
            let names = || metadata.fields().iter().map(|field| field.name());
            site.keys.fill(names());
            site.request_id = request::is_request(metadata.name())
                .then(|| names().position(|name| name == request::ID))
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

/// Appends the beginning of a span, up to its first field.
fn write_head(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(SPAN_OPEN);
    escape(out, name.as_bytes());
    out.extend_from_slice(SPAN_FIELDS);
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
