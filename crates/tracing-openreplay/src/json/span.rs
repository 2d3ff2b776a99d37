//! A span's name and fields, rendered when they are recorded and kept in its extensions.

use tracing_core::span;
use tracing_subscriber::{layer::Context, registry::LookupSpan, registry::SpanRef};

use super::{escape::escape, fields::Fields, members, scratch};

/// `{"name":"request","fields":{"method":"GET"`
///
/// What it holds does not depend on a layer's options, so several of one subscriber share it.
struct Rendered {
    text: Vec<u8>,
    /// Where the members of `fields` begin.
    members_at: usize,
}

const OPEN: &[u8] = br#"{"name":""#;
const FIELDS: &[u8] = br#"","fields":{"#;

/// Bounds what one value of a span takes.
const VALUE_LIMIT: usize = 64 * 1024;

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

pub(super) fn recorded<S>(values: &span::Record<'_>, id: &span::Id, ctx: &Context<'_, S>)
where
    S: tracing_core::Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    if let Some(span) = ctx.span(id) {
        render(&span, |fields| values.record(fields));
    }
}

/// Calls the user's code first and takes the lock on the extensions afterwards: the code may log, or enter this very span.
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
                extensions.replace(Rendered { text, members_at });
            }
        }
    });
}

/// Appends a span to an array.
pub(super) fn write<S>(span: &SpanRef<'_, S>, out: &mut Vec<u8>)
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    if let Some(rendered) = span.extensions().get::<Rendered>() {
        out.extend_from_slice(&rendered.text);
        out.extend_from_slice(b"}}");
        return;
    }
    out.extend_from_slice(OPEN);
    escape(out, span.name().as_bytes());
    out.extend_from_slice(b"\"}");
}
