//! What is the same in all records of a call site, rendered once a call site and thread: its place
//! in the program, and the keys of its fields.

use std::{ops::Range, ptr};

use openreplay_record::field;
use tracing_core::{Field, Metadata};

use super::{CUT, Options, escape::cut, member::member, members, value};

/// A `log` record brings its target and file: no more bytes than this, escaped, are kept of each.
const LIMIT: usize = 1024;

/// A power of two.
const SLOTS: usize = 64;

/// The call sites that logged last, each in the slot that its address gives it.
#[derive(Debug, Default)]
pub(super) struct Sites {
    slots: Vec<Site>,
    passing: Site,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Site {
    /// The address of the metadata, which are never freed, and the options that the place depends
    /// on.
    of: (usize, bool, bool),
    pub(super) place: Vec<u8>,
    pub(super) keys: Keys,
}

impl Sites {
    pub(super) fn of(&mut self, options: &Options, metadata: &'static Metadata<'static>) -> &Site {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Site::default);
        }
        let address = ptr::from_ref(metadata).addr();
        let site = &mut self.slots[((address >> 4) ^ (address >> 10)) % SLOTS];
        let of = (address, options.target, options.source_location);
        if site.of != of {
            site.of = of;
            write_place(options, metadata, &mut site.place);
            site.keys
                .fill(metadata.fields().iter().map(|field| field.name()));
        }
        site
    }

    /// That of a `log` record, which is not known by an address.
    pub(super) fn passing(&mut self, options: &Options, metadata: &Metadata<'_>) -> &Site {
        write_place(options, metadata, &mut self.passing.place);
        &self.passing
    }
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
    // what an escape takes is known only afterwards
    value::str(out, LIMIT, text);
    if out.len() - start > LIMIT + CUT.len() {
        let kept = cut(&out[start..], LIMIT);
        out.truncate(start + kept);
        out.extend_from_slice(CUT.as_bytes());
    }
    out.push(b'"');
}

/// The keys of a call site's fields, by their index. None where two are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    /// `,"user":,"status":`
    text: Vec<u8>,
    names: Vec<(&'static str, Range<usize>)>,
}

impl Keys {
    fn fill(&mut self, names: impl IntoIterator<Item = &'static str>) {
        self.text.clear();
        self.names.clear();
        for name in names {
            let start = self.text.len();
            members::write_key(&mut self.text, name);
            let new = &self.text[start..];
            if self
                .names
                .iter()
                .any(|(_, key)| &self.text[key.clone()] == new)
            {
                self.names.clear();
                return;
            }
            self.names.push((name, start..self.text.len()));
        }
    }

    #[cfg(test)]
    pub(super) fn of_names(names: &[&'static str]) -> Self {
        let mut keys = Self::default();
        keys.fill(names.iter().copied());
        keys
    }

    /// The key of a field, with the comma in front of it and the colon behind it.
    pub(super) fn of(&self, field: &Field) -> Option<&[u8]> {
        let (name, key) = self.names.get(field.index())?;
        // an event put together by hand can have a field of another call site
        ptr::eq(*name, field.name()).then(|| &self.text[key.clone()])
    }
}
