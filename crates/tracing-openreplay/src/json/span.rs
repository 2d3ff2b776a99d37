//! A span's name and fields, rendered when they are recorded and kept in its extensions.

use std::ops::Range;

use tracing_core::span;
use tracing_subscriber::{layer::Context, registry::LookupSpan, registry::SpanRef};

use super::{
    escape::{cut, escape},
    fields::Fields,
    members, scratch,
};

/// `{"name":"request","fields":{"method":"GET"`
///
/// What it holds does not depend on a layer's options, so several of one subscriber share it.
struct Rendered {
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
const REQUEST_ID: &[u8] = br#""request_id""#;
pub(super) const REQUEST_ID_LIMIT: usize = 256;

/// Whether a span is rendered even if a layer does not write spans.
pub(super) fn is_request(name: &str) -> bool {
    name == REQUEST
}

pub(super) fn created<S>(attributes: &span::Attributes<'_>, id: &span::Id, ctx: &Context<'_, S>)
where
    S: tracing_core::Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    if attributes.is_empty() {
        return;
    }
    let Some(span) = ctx.span(id) else {
        return;
    };
    render(&span, |fields| attributes.record(fields));
}

pub(super) fn recorded<S>(values: &span::Record<'_>, span: &SpanRef<'_, S>)
where
    S: tracing_core::Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    render(span, |fields| values.record(fields));
}

/// Calls the user's code first and takes the lock on the extensions afterwards: the code may log,
/// or enter this very span.
fn render<S>(span: &SpanRef<'_, S>, record: impl FnOnce(&mut Fields<'_>))
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    scratch::with(|scratch| {
        record(&mut Fields::of_span(&mut scratch.parts.fields, VALUE_LIMIT));
        if scratch.parts.fields.is_empty() {
            return;
        }
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Rendered>() {
            Some(rendered) => {
                let mut members = rendered.text.split_off(rendered.members_at);
                members::merge(&mut members, &scratch.parts.fields);
                rendered.text.append(&mut members);
                rendered.find_request_id(span.name());
            }
            None => {
                let mut text = Vec::with_capacity(
                    OPEN.len() + span.name().len() + FIELDS.len() + scratch.parts.fields.len(),
                );
                text.extend_from_slice(OPEN);
                escape(&mut text, span.name().as_bytes());
                text.extend_from_slice(FIELDS);
                let members_at = text.len();
                text.extend_from_slice(&scratch.parts.fields);
                let mut rendered = Rendered {
                    text,
                    members_at,
                    request_id: None,
                };
                rendered.find_request_id(span.name());
                extensions.replace(rendered);
            }
        }
    });
}

impl Rendered {
    fn find_request_id(&mut self, name: &str) {
        if is_request(name) {
            let value = members::value_of(&self.text[self.members_at..], REQUEST_ID);
            self.request_id =
                value.map(|value| self.members_at + value.start..self.members_at + value.end);
        }
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
    if let Some(rendered) = span.extensions().get::<Rendered>() {
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
    if let Some(rendered) = span.extensions().get::<Rendered>() {
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
    if let Some(rendered) = span.extensions().get::<Rendered>() {
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
