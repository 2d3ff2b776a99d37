//! Where in the program an event comes from, rendered once a call site and thread.

use tracing_core::Metadata;

use super::{Options, value};

/// A `log` record brings its target and file: no more than this is kept of each.
const LIMIT: usize = 1024;

/// A power of two.
const SLOTS: usize = 64;

/// The places of the call sites that logged last, each in the slot that its address gives it.
#[derive(Debug, Default)]
pub(super) struct Places {
    slots: Vec<Place>,
    passing: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Place {
    /// The address of the metadata, which are never freed, and the options that the text depends on.
    of: (usize, bool, bool),
    text: Vec<u8>,
}

impl Places {
    pub(super) fn of(&mut self, options: &Options, metadata: &'static Metadata<'static>) -> &[u8] {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Place::default);
        }
        let address = std::ptr::from_ref(metadata).addr();
        let place = &mut self.slots[((address >> 4) ^ (address >> 10)) % SLOTS];
        let of = (address, options.target, options.source_location);
        if place.of != of {
            place.of = of;
            place.text.clear();
            write(options, metadata, &mut place.text);
        }
        &place.text
    }

    /// The place of a `log` record, which is not known by an address.
    pub(super) fn passing(&mut self, options: &Options, metadata: &Metadata<'_>) -> &[u8] {
        self.passing.clear();
        write(options, metadata, &mut self.passing);
        &self.passing
    }
}

fn write(options: &Options, metadata: &Metadata<'_>, out: &mut Vec<u8>) {
    if options.target {
        out.extend_from_slice(br#","log.logger":""#);
        value::str(out, LIMIT, metadata.target());
        out.push(b'"');
    }
    if options.source_location {
        if let Some(file) = metadata.file() {
            out.extend_from_slice(br#","log.origin.file.name":""#);
            value::str(out, LIMIT, file);
            out.push(b'"');
        }
        if let Some(line) = metadata.line() {
            out.extend_from_slice(br#","log.origin.file.line":"#);
            out.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
    }
}
