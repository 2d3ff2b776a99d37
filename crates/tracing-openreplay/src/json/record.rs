//! Renders a record and joins its parts.

use openreplay_record::{field, phrase};
use openreplay_session::SessionId;
use tracing_core::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

#[cfg(feature = "opentelemetry")]
use super::trace;
use super::{
    escape::{CUT, cut, escape},
    fields::{Fields, Message},
    key::Keys,
    member::member,
    members,
    options::Options,
    scratch::{Parts, Scratch},
    site::{Site, Sites},
    span,
    unmarked::Unmarked,
};
use crate::mark::Mark;

const TAGS: &[u8] = member!(field::TAGS, "[\"error\"]");
const REQUEST_ID: &[u8] = member!(field::REQUEST_ID, "\"");
const ID: &[u8] = member!(field::SESSION_ID, "\"");
const FIELDS: &[u8] = member!(field::FIELDS, "{");
const SPANS: &[u8] = member!(field::SPANS, "[");

/// The maximum length of the constant text after a record's message.
const FRAME: usize =
    TAGS.len() + ID.len() + r#""""#.len() + FIELDS.len() + SPANS.len() + "}]}\n".len();

/// Renders an event into `scratch.parts.line`.
pub(super) fn render<S>(
    options: &Options,
    event: &Event<'_>,
    mark: Option<Mark>,
    session: Option<SessionId>,
    ctx: &Context<'_, S>,
    scratch: &mut Scratch,
) where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    spans(options, ctx.event_span(event), &mut scratch.parts);
    let now = options.now();
    let Scratch {
        stamp,
        sites,
        parts,
    } = scratch;
    stamp.write(&mut parts.line, now);
    let level = *event.metadata().level();
    let id = session.as_ref().map(SessionId::as_bytes);
    begin_message(level, id, &mut parts.line);
    let start = parts.line.len();
    options.extra.write(session.as_ref(), now, &mut parts.extra);
    #[cfg(feature = "opentelemetry")]
    if trace::is_active(event, ctx) {
        trace::write(&mut parts.extra);
    }
    request_id(parts);

    let is_log = event.metadata().target() == "log" && event.is_log();
    let site = site(options, event, is_log, sites);
    let from = Source {
        event,
        mark,
        is_log,
        keys: &site.keys,
    };
    message(options, &from, parts);
    let around = FRAME
        + id.map_or(0, <[u8]>::len)
        + site.place.len()
        + options.constant.len()
        + parts.extra.len();
    let room = options.record_limit.saturating_sub(start + around);
    shorten(room, start, parts);
    phrase::break_in(&mut parts.line[start..]);
    end_message(level, id, &mut parts.line);
    parts.line.extend_from_slice(&site.place);
    parts.line.extend_from_slice(&options.constant);
    parts.line.extend_from_slice(&parts.extra);
    join(parts);
}

fn spans<S>(options: &Options, innermost: Option<SpanRef<'_, S>>, parts: &mut Parts)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    // `scope` would look up the innermost span again.
    let mut next = innermost;
    while let Some(span) = next {
        span::write(options, &span, parts);
        next = span.parent();
    }
}

/// Writes the level, and the message up to the end of the prefix, which OpenReplay searches for.
#[inline]
fn begin_message(level: Level, id: Option<&[u8]>, line: &mut Vec<u8>) {
    line.extend_from_slice(level_and_message(level));
    if let Some(id) = id {
        line.extend_from_slice(phrase::PREFIX.as_bytes());
        line.extend_from_slice(id);
        line.extend_from_slice(phrase::PREFIX_END.as_bytes());
    }
}

/// Returns the member `level` and the beginning of the message. Appending one piece is faster than
/// appending four. OpenReplay has four levels, and reads any other word as `info`.
fn level_and_message(level: Level) -> &'static [u8] {
    match level {
        Level::ERROR => member!(field::LEVEL, "\"error\",\"message\":\""),
        Level::WARN => member!(field::LEVEL, "\"warning\",\"message\":\""),
        Level::INFO => member!(field::LEVEL, "\"info\",\"message\":\""),
        Level::DEBUG | Level::TRACE => member!(field::LEVEL, "\"debug\",\"message\":\""),
    }
}

#[inline]
fn request_id(parts: &mut Parts) {
    if !parts.request_id.is_empty() {
        parts.extra.extend_from_slice(REQUEST_ID);
        parts.extra.extend_from_slice(&parts.request_id);
        parts.extra.push(b'"');
    }
}

#[inline]
fn site<'s>(options: &Options, event: &Event<'_>, is_log: bool, sites: &'s mut Sites) -> &'s Site {
    if is_log && let Some(metadata) = event.normalized_metadata() {
        sites.passing(options, &metadata)
    } else {
        sites.of(options, event.metadata())
    }
}

/// Writes the message with its fields, and the members of `fields`.
fn message(options: &Options, from: &Source<'_>, parts: &mut Parts) {
    let start = parts.line.len();
    let limit = options.record_limit;
    from.record(options.fields_in_message, limit, parts);
    if parts.line.len() == start && !options.fields_in_message {
        // The event has no message, so its fields are the message.
        for part in [&mut parts.text, &mut parts.below, &mut parts.fields] {
            part.clear();
        }
        from.record(true, limit, parts);
    }
    let Parts {
        line,
        text,
        below,
        lines,
        ..
    } = parts;
    // Each part begins with a separator, which is skipped if the part is the first.
    for (part, separator) in [(&*text, " "), (&*below, "\\n")] {
        let skipped = if line.len() == start {
            separator.len()
        } else {
            0
        };
        line.extend_from_slice(part.get(skipped..).unwrap_or_default());
    }
    if line.len() == start {
        escape(line, from.event.metadata().name().as_bytes());
    }
    line.extend_from_slice(lines);
}

/// An event and the properties that determine how it is read.
struct Source<'a> {
    event: &'a Event<'a>,
    mark: Option<Mark>,
    is_log: bool,
    keys: &'a Keys,
}

impl Source<'_> {
    fn record(&self, with_fields: bool, limit: usize, parts: &mut Parts) {
        let message = Message {
            message: &mut parts.line,
            text: &mut parts.text,
            below: &mut parts.below,
            with_fields,
            is_log: self.is_log,
            found: false,
            limit,
        };
        let fields = Fields::of_event(&mut parts.fields, self.keys, limit, message);
        match self.mark {
            Some(mark) => self.event.record(&mut Unmarked { fields, mark }),
            None => self.event.record(&mut { fields }),
        }
    }
}

/// Shortens the message, fields and spans to the available length. The fields and the spans each
/// use up to a quarter, and the message uses the rest.
fn shorten(room: usize, start: usize, parts: &mut Parts) {
    let message = parts.line.len() - start;
    let spans = parts.spans.len() + parts.spans_at.len();
    if message + parts.fields.len() + spans <= room {
        return;
    }
    let quarter = room / 4;
    parts
        .fields
        .truncate(members::fitting(&parts.fields, quarter));
    let mut taken = 0;
    let kept = parts.spans_at.iter().rev().take_while(|span| {
        let fits = taken + span.len() < quarter;
        taken += if fits { span.len() + 1 } else { 0 };
        fits
    });
    let dropped = parts.spans_at.len() - kept.count();
    parts.spans_at.drain(..dropped);

    let room = room.saturating_sub(parts.fields.len() + taken + CUT.len());
    let length = cut(&parts.line[start..], room);
    parts.line.truncate(start + length);
    parts.line.extend_from_slice(CUT.as_bytes());
}

/// Writes the end of the message, the tags and the session's id.
#[inline]
fn end_message(level: Level, id: Option<&[u8]>, line: &mut Vec<u8>) {
    line.push(b'"');
    if level == Level::ERROR {
        line.extend_from_slice(TAGS);
    }
    if let Some(id) = id {
        line.extend_from_slice(ID);
        line.extend_from_slice(id);
        line.push(b'"');
    }
}

/// Appends the fields and the spans to the record.
fn join(parts: &mut Parts) {
    let Parts {
        line,
        fields,
        spans,
        spans_at,
        ..
    } = parts;
    if !fields.is_empty() {
        line.extend_from_slice(FIELDS);
        line.extend_from_slice(fields);
        line.push(b'}');
    }
    let mut before = SPANS;
    for span in spans_at.iter().rev() {
        line.extend_from_slice(before);
        line.extend_from_slice(&spans[span.clone()]);
        before = b",";
    }
    if !spans_at.is_empty() {
        line.push(b']');
    }
    line.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use openreplay_record::Level as RecordLevel;

    use super::*;

    #[test]
    fn a_level_has_the_name_that_openreplay_knows() {
        let rows = [
            (Level::ERROR, RecordLevel::Error),
            (Level::WARN, RecordLevel::Warning),
            (Level::INFO, RecordLevel::Info),
            (Level::DEBUG, RecordLevel::Debug),
            (Level::TRACE, RecordLevel::Debug),
        ];
        for (level, word) in rows {
            let expected = format!(",\"{}\":\"{word}\",\"{}\":\"", field::LEVEL, field::MESSAGE);
            assert_eq!(level_and_message(level), expected.as_bytes());
        }
    }
}
