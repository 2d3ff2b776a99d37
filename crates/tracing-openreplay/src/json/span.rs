//! A span's name and fields, rendered when they are recorded and kept in its extensions.

use std::{mem, ops::Range};

use tracing_core::span;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::{
    escape::{cut, escape},
    fields::Fields,
    members,
    scratch::{self, Scratch},
};
use crate::{
    kept,
    lookup::{self, Origin},
};

/// `{"name":"request","fields":{"method":"GET"`
///
/// What it holds does not depend on a layer's options, so several of one subscriber share it.
pub(crate) struct Rendered {
    text: Vec<u8>,
    /// Where the members of `fields` begin.
    members_at: usize,
    /// Where the text of the request's id is.
    request_id: Option<Range<usize>>,
}

const OPEN: &[u8] = br#"{"name":""#;
const FIELDS: &[u8] = br#"","fields":{"#;

/// Bounds what one value of a span takes.
const VALUE_LIMIT: usize = 64 * 1024;

/// The span of a request, as tower-openreplay's `RequestLogLayer` creates it, and its field that
/// has the request's id.
const REQUEST: &str = "request";
pub(super) const REQUEST_ID: &str = "request_id";
const QUOTED_REQUEST_ID: &[u8] = br#""request_id""#;
pub(super) const REQUEST_ID_LIMIT: usize = 256;

/// Whether a span is rendered even if a layer does not write spans.
pub(super) fn is_request(name: &str) -> bool {
    name == REQUEST
}

/// Appends a span up to its first field.
pub(super) fn write_head(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(OPEN);
    escape(out, name.as_bytes());
    out.extend_from_slice(FIELDS);
}

/// Keeps what is recorded of a new span, and what it remembers if that is given.
pub(super) fn created<S>(
    attributes: &span::Attributes<'_>,
    origin: Option<Origin>,
    span: &SpanRef<'_, S>,
) where
    S: for<'lookup> LookupSpan<'lookup>,
{
    render(span, origin, |fields| attributes.record(fields));
}

pub(super) fn recorded<S>(values: &span::Record<'_>, span: &SpanRef<'_, S>)
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    render(span, None, |fields| values.record(fields));
}

/// Calls the user's code first and takes the lock on the extensions afterwards: the code may log,
/// or enter this very span.
fn render<S>(span: &SpanRef<'_, S>, origin: Option<Origin>, record: impl FnOnce(&mut Fields<'_>))
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    scratch::with(|scratch| {
        let Scratch {
            sites,
            parts,
            spare,
            ..
        } = scratch;
        let site = sites.of_span(span.metadata());
        let new = &mut parts.fields;
        let mut fields = Fields::of_span(new, site, VALUE_LIMIT);
        record(&mut fields);
        let has_request_id = fields.saw_request_id();
        if new.is_empty() && origin.is_none() {
            return;
        }
        kept::change(span, |kept| {
            if let Some(origin) = origin {
                lookup::note(origin, kept);
            }
            if new.is_empty() {
                return;
            }
            let rendered = match &mut kept.rendered {
                Some(rendered) => {
                    rendered.merge(new);
                    rendered
                }
                none => none.insert(Rendered::new(mem::take(spare), &site.head, new)),
            };
            if has_request_id || rendered.request_id.is_some() {
                rendered.find_request_id();
            }
        });
    });
}

impl Drop for Rendered {
    fn drop(&mut self) {
        scratch::keep_spare(mem::take(&mut self.text));
    }
}

impl Rendered {
    fn new(mut text: Vec<u8>, head: &[u8], members: &[u8]) -> Self {
        text.clear();
        text.reserve(head.len() + members.len());
        text.extend_from_slice(head);
        text.extend_from_slice(members);
        Self {
            text,
            members_at: head.len(),
            request_id: None,
        }
    }

    fn merge(&mut self, new: &[u8]) {
        let mut members = self.text.split_off(self.members_at);
        members::merge(&mut members, new);
        self.text.append(&mut members);
    }

    fn find_request_id(&mut self) {
        let value = members::value_of(self.members(), QUOTED_REQUEST_ID);
        self.request_id =
            value.map(|value| self.members_at + value.start..self.members_at + value.end);
    }

    fn members(&self) -> &[u8] {
        &self.text[self.members_at..]
    }
}

/// Appends a span to an array, and the request's id if the span has one and none is known.
pub(super) fn write<S>(span: &SpanRef<'_, S>, out: &mut Vec<u8>, request_id: &mut Vec<u8>)
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    if let Some(rendered) = kept::rendered(&span.extensions()) {
        out.extend_from_slice(&rendered.text);
        out.extend_from_slice(b"}}");
        rendered.write_request_id(request_id);
        return;
    }
    out.extend_from_slice(OPEN);
    escape(out, span.name().as_bytes());
    out.extend_from_slice(b"\"}");
}

/// Appends the request's id alone, if the span has one and none is known.
pub(super) fn write_request_id<S>(span: &SpanRef<'_, S>, request_id: &mut Vec<u8>)
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    if let Some(rendered) = kept::rendered(&span.extensions()) {
        rendered.write_request_id(request_id);
    }
}

/// Appends a span to the message, on a line of its own: `in request method=GET`.
pub(super) fn write_line<S>(span: &SpanRef<'_, S>, below: &mut Vec<u8>)
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    below.extend_from_slice(b"\\nin ");
    escape(below, span.name().as_bytes());
    if let Some(rendered) = kept::rendered(&span.extensions()) {
        members::write_text(rendered.members(), below);
    }
}

impl Rendered {
    fn write_request_id(&self, request_id: &mut Vec<u8>) {
        if let (Some(id), true) = (&self.request_id, request_id.is_empty()) {
            let id = &self.text[id.clone()];
            request_id.extend_from_slice(&id[..cut(id, REQUEST_ID_LIMIT)]);
        }
    }
}
