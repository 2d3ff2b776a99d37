//! Writes a span into a record.

use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::{
    escape::escape, options::Options, rendered::Rendered, scratch::Parts, site::SPAN_OPEN,
};
use crate::kept;

/// Appends the parts of a record that come from a span: an element of `spans`, a line of the
/// message, and the request's id if no inner span had one.
pub(super) fn write<S>(options: &Options, span: &SpanRef<'_, S>, parts: &mut Parts)
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let write = |rendered: Option<&Rendered>, parts: &mut Parts| {
        let rendered = rendered.filter(|rendered| !rendered.is_empty());
        write_rendered(options, span.name(), rendered, parts);
    };
    let read = kept::read(span, |kept| write(kept.map(|kept| &kept.rendered), parts));
    if read.is_none() {
        write(None, parts);
    }
}

fn write_rendered(options: &Options, name: &str, rendered: Option<&Rendered>, parts: &mut Parts) {
    if options.spans {
        let start = parts.spans.len();
        write_element(name, rendered, &mut parts.spans);
        parts.spans_at.push(start..parts.spans.len());
    }
    if options.span_fields_in_message {
        parts.lines.extend_from_slice(b"\\nin ");
        escape(&mut parts.lines, name.as_bytes());
        if let Some(rendered) = rendered {
            rendered.write_line(&mut parts.lines);
        }
    }
    if let Some(rendered) = rendered {
        rendered.write_request_id(&mut parts.request_id);
    }
}

fn write_element(name: &str, rendered: Option<&Rendered>, out: &mut Vec<u8>) {
    if let Some(rendered) = rendered {
        out.extend_from_slice(&rendered.text);
        out.extend_from_slice(b"}}");
    } else {
        out.extend_from_slice(SPAN_OPEN);
        escape(out, name.as_bytes());
        out.extend_from_slice(b"\"}");
    }
}
