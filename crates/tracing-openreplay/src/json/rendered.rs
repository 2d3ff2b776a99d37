//! The name and fields of a span, rendered when they are recorded and stored in its extensions.

use std::ops::Range;

use tracing_core::{Metadata, span};

use super::{escape::cut, fields::Fields, members, options::Options, request, scratch};

/// The rendered span, which several layers of one subscriber share. It is the same for all of them,
/// except that `line` is only rendered if one of them writes spans in the message.
#[derive(Default)]
pub(crate) struct Rendered {
    /// The beginning of the span, such as `{"name":"request","fields":{"method":"GET"`. Empty if no
    /// field was recorded.
    pub(super) text: Vec<u8>,
    /// The position of the members of `fields` in `text`.
    members_at: usize,
    /// The position of the request's id in `text`.
    request_id: Option<Range<usize>>,
    /// The fields for the message, such as ` method=GET`. Empty if no layer writes spans in the
    /// message.
    line: Vec<u8>,
}

/// The maximum capacity that is kept for another span.
const KEPT: usize = 1024;

/// The maximum length of a value of a span.
const VALUE_LIMIT: usize = 64 * 1024;

/// Renders the fields of a new span. `into` must be empty.
pub(super) fn created(attributes: &span::Attributes<'_>, options: &Options, into: &mut Rendered) {
    let with_line = options.span_fields_in_message;
    into.fill(attributes.metadata(), with_line, |fields| {
        attributes.record(fields);
    });
}

/// Renders fields that are recorded later. `into` must be empty.
pub(super) fn recorded(
    values: &span::Record<'_>,
    metadata: &'static Metadata<'static>,
    into: &mut Rendered,
) {
    into.fill(metadata, false, |fields| values.record(fields));
}

impl Rendered {
    fn fill(
        &mut self,
        metadata: &'static Metadata<'static>,
        with_line: bool,
        record: impl FnOnce(&mut Fields<'_>),
    ) {
        scratch::with_sites(|sites| {
            let site = sites.of_span(metadata);
            self.text.extend_from_slice(&site.head);
            self.members_at = self.text.len();
            let line = with_line.then_some(&mut self.line);
            let mut fields = Fields::of_span(&mut self.text, line, site, VALUE_LIMIT);
            record(&mut fields);
            let has_request_id = fields.finish();
            if self.members().is_empty() {
                self.text.clear();
            } else if has_request_id {
                self.find_request_id();
            }
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds new values, which replace those with the same key.
    pub(crate) fn merge(&mut self, new: &Self) {
        if new.is_empty() {
            return;
        }
        if self.is_empty() {
            self.text.extend_from_slice(&new.text);
            self.members_at = new.members_at;
        } else {
            let mut members = self.text.split_off(self.members_at);
            members::merge(&mut members, new.members());
            self.text.append(&mut members);
        }
        if self.request_id.is_some() || new.request_id.is_some() {
            self.find_request_id();
        }
        if !self.line.is_empty() || !new.line.is_empty() {
            self.line.clear();
            members::write_text(&self.text[self.members_at..], &mut self.line);
        }
    }

    /// Removes all contents. Returns whether the memory is small enough to be kept.
    pub(crate) fn clear(&mut self) -> bool {
        self.text.clear();
        self.line.clear();
        self.request_id = None;
        self.text.capacity().max(self.line.capacity()) <= KEPT
    }

    fn find_request_id(&mut self) {
        let value = members::scalar_of(self.members(), request::QUOTED_ID);
        self.request_id =
            value.map(|value| self.members_at + value.start..self.members_at + value.end);
    }

    fn members(&self) -> &[u8] {
        &self.text[self.members_at..]
    }

    pub(super) fn write_request_id(&self, request_id: &mut Vec<u8>) {
        if let (Some(id), true) = (&self.request_id, request_id.is_empty()) {
            let id = &self.text[id.clone()];
            request_id.extend_from_slice(&id[..cut(id, request::ID_LIMIT)]);
        }
    }

    /// Appends the fields as ` key=value`.
    pub(super) fn write_line(&self, out: &mut Vec<u8>) {
        if self.line.is_empty() {
            members::write_text(self.members(), out);
        } else {
            out.extend_from_slice(&self.line);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::{callsite::DefaultCallsite, field::Visit as _};
    use tracing_core::{Kind, Level, metadata};

    use super::*;

    static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = metadata! {
        name: "span",
        target: "target",
        level: Level::INFO,
        fields: &["a", "b"],
        callsite: &CALLSITE,
        kind: Kind::SPAN
    };

    #[test]
    fn a_field_that_is_recorded_twice_is_in_the_line_once() {
        let field = |name| METADATA.fields().field(name).unwrap();
        for with_line in [false, true] {
            let mut rendered = Rendered::default();
            rendered.fill(&METADATA, with_line, |fields| {
                fields.record_str(&field("a"), "x");
                fields.record_str(&field("b"), "y z");
                fields.record_u64(&field("a"), 3);
            });
            let mut line = Vec::new();
            rendered.write_line(&mut line);
            assert_eq!(
                str::from_utf8(&line).unwrap(),
                " b=\"y z\" a=3".replace('"', "\\\"")
            );
        }
    }
}
