//! Renders the message and fields of an event, or the fields of a span. Each value is rendered
//! once.

#[cfg(all(tracing_unstable, feature = "valuable"))]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{error::Error, fmt};

use tracing_core::field::{Field, Visit};

#[cfg(all(tracing_unstable, feature = "valuable"))]
use super::structure;
use super::{
    key::Keys,
    members::{self, Member, Members},
    site::SpanSite,
    value,
};
use crate::{causes, mark};

/// A visitor that writes fields as the members of a JSON object and, for an event, its message.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    members: Members<'a>,
    message: Option<Message<'a>>,
    line: Option<Line<'a>>,
    /// The maximum length of a value.
    limit: usize,
}

/// The buffers of an event's message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The field `message`, to which the other parts are appended later.
    pub(super) message: &'a mut Vec<u8>,
    /// The fields on the first line of the message, as ` key=value`.
    pub(super) text: &'a mut Vec<u8>,
    /// The causes of errors and the values with line breaks, on separate lines.
    pub(super) below: &'a mut Vec<u8>,
    /// Whether the message contains the fields.
    pub(super) with_fields: bool,
    /// Whether this is a record of the crate `log`, which has its source location in fields.
    pub(super) is_log: bool,
    pub(super) found: bool,
    pub(super) limit: usize,
}

/// The fields of a span, as in a message.
#[derive(Debug)]
struct Line<'a> {
    line: &'a mut Vec<u8>,
    /// Whether a key was unknown, so that it may have been written before.
    is_incomplete: bool,
}

impl Line<'_> {
    /// Appends a field with a JSON value.
    fn field(&mut self, label: Option<&[u8]>, value: &[u8]) {
        if let Some(label) = label {
            self.line.extend_from_slice(label);
            members::write_value(self.line, value);
        } else {
            self.is_incomplete = true;
        }
    }
}

const OWN_CAUSE: &[u8] = b"\\ncaused by: ";

/// The kind of a value, which determines its quotes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A number or a bool, which is never quoted.
    Literal,
    /// A string, which is only quoted in a message if it is ambiguous.
    Str,
    /// The output of `Debug` or `Display`, which is never quoted in a message.
    Text,
}

impl<'a> Fields<'a> {
    /// Creates a visitor for a span. Each field is also appended to `line` as ` key=value`, but
    /// `line` is cleared if a key may be repeated.
    pub(super) fn of_span(
        json: &'a mut Vec<u8>,
        line: Option<&'a mut Vec<u8>>,
        site: &'a SpanSite,
        limit: usize,
    ) -> Self {
        Self {
            members: Members::watching(json, &site.keys, site.request_id),
            message: None,
            line: line.map(|line| Line {
                line,
                is_incomplete: false,
            }),
            limit,
        }
    }

    /// Completes the fields of a span. Returns whether the field with the request's id was written.
    pub(super) fn finish(self) -> bool {
        if let Some(line) = self.line.filter(|line| line.is_incomplete) {
            line.line.clear();
        }
        self.members.saw_watched()
    }

    pub(super) fn of_event(
        json: &'a mut Vec<u8>,
        keys: &'a Keys,
        limit: usize,
        message: Message<'a>,
    ) -> Self {
        Self {
            members: Members::with_keys(json, keys),
            message: Some(message),
            line: None,
            limit,
        }
    }

    /// Renders a value into the message or the members. `render` returns whether it wrote a line
    /// break.
    fn put(&mut self, field: &Field, kind: Kind, render: impl FnOnce(&mut Vec<u8>) -> bool) {
        let name = field.name();
        if let Some(message) = &mut self.message {
            if message.takes(name) {
                render(message.message);
                return;
            }
            if message.skips(name) {
                return;
            }
        }
        let member = self.members.push(field, kind != Kind::Literal, render);
        if let Some(message) = &mut self.message {
            message.field(&member, kind, member.value(), member.answer);
        }
        let (label, at) = (member.label(), member.at());
        member.finish();
        if let Some(line) = &mut self.line {
            line.field(label, self.members.since(at));
        }
    }

    fn literal(&mut self, field: &Field, text: &str) {
        self.put(field, Kind::Literal, |out| {
            out.extend_from_slice(text.as_bytes());
            false
        });
    }

    /// Writes a text as a value of this kind.
    pub(super) fn text(&mut self, field: &Field, kind: Kind, text: &str) {
        let limit = self.limit;
        self.put(field, kind, |out| value::display(out, limit, &text));
    }

    /// Appends the nth cause of the error that is the message, which `value` writes. Returns
    /// whether there is such a cause.
    pub(super) fn own_cause(&mut self, nth: usize, value: &dyn fmt::Debug) -> bool {
        let Some(message) = &mut self.message else {
            return false;
        };
        let start = message.below.len();
        message.below.extend_from_slice(OWN_CAUSE);
        let is_cause = mark::read_cause(nth, || {
            value::debug(message.below, self.limit, value);
        });
        if !is_cause {
            message.below.truncate(start);
        }
        is_cause
    }
}

#[cfg(all(tracing_unstable, feature = "valuable"))]
impl Fields<'_> {
    /// Writes a list, a map or the like, as JSON in `fields` and as text in the message.
    fn structure(&mut self, field: &Field, value: valuable::Value<'_>) {
        let render = || structure::render(value, members::VALUE_LIMIT);
        let json = catch_unwind(AssertUnwindSafe(render)).unwrap_or_default();
        let name = field.name();
        let is_field = match &mut self.message {
            // If the value is the message, it is written as text below.
            Some(message) => (message.found || name != "message") && !message.skips(name),
            None => true,
        };
        let Some(json) = json.filter(|_| is_field) else {
            return self.record_debug(field, &value);
        };
        let mut text = Vec::new();
        let has_lines = value::debug(&mut text, self.limit, &value);
        let member = self
            .members
            .push(field, false, |out| out.extend_from_slice(&json));
        if let Some(message) = &mut self.message {
            message.field(&member, Kind::Text, &text, has_lines);
        }
        let (label, at) = (member.label(), member.at());
        member.finish();
        if let Some(line) = &mut self.line {
            line.field(label, self.members.since(at));
        }
    }
}

impl Visit for Fields<'_> {
    #[cfg(all(tracing_unstable, feature = "valuable"))]
    fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
        use valuable::Value;

        match value {
            Value::Bool(value) => self.record_bool(field, value),
            Value::F32(value) => self.record_f64(field, value.into()),
            Value::F64(value) => self.record_f64(field, value),
            Value::I64(value) => self.record_i64(field, value),
            Value::U64(value) => self.record_u64(field, value),
            Value::I128(value) => self.record_i128(field, value),
            Value::U128(value) => self.record_u128(field, value),
            Value::String(value) => self.record_str(field, value),
            Value::Error(value) => self.record_error(field, value),
            value => match (value.as_i64(), value.as_u64()) {
                (Some(value), _) => self.record_i64(field, value),
                (_, Some(value)) => self.record_u64(field, value),
                _ => self.structure(field, value),
            },
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.literal(field, itoa::Buffer::new().format(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.literal(field, itoa::Buffer::new().format(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.text(field, Kind::Text, itoa::Buffer::new().format(value)),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match (u64::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => self.record_u64(field, value),
            (_, Ok(value)) => self.record_i64(field, value),
            _ => self.text(field, Kind::Text, itoa::Buffer::new().format(value)),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.literal(field, zmij::Buffer::new().format_finite(value));
        } else if value.is_nan() {
            self.text(field, Kind::Text, "NaN");
        } else {
            self.text(field, Kind::Text, if value > 0.0 { "inf" } else { "-inf" });
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.literal(field, if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let limit = self.limit;
        self.put(field, Kind::Str, |out| {
            value::str(out, limit, value);
            false
        });
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let limit = self.limit;
        self.put(field, Kind::Text, |out| {
            value::bytes(out, limit, value);
            false
        });
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let limit = self.limit;
        let name = field.name();
        if let Some(message) = &mut self.message {
            if message.takes(name) {
                value::display(message.message, limit, error);
                message.own_causes(error, limit);
                return;
            }
            if message.skips(name) {
                return;
            }
        }
        let mut message = self.message.as_mut();
        let mut member = self
            .members
            .push(field, true, |out| value::display(out, limit, error));
        if let Some(message) = &mut message {
            message.field(&member, Kind::Text, member.value(), member.answer);
        }
        for cause in causes::of(error) {
            let at = member.append(b": ", |out| value::display(out, limit, &cause));
            if let Some(message) = &mut message {
                message.cause(member.key(), &member.value()[at..]);
            }
        }
        let (label, at) = (member.label(), member.at());
        member.finish();
        if let Some(line) = &mut self.line {
            line.field(label, self.members.since(at));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let limit = self.limit;
        self.put(field, Kind::Text, |out| value::debug(out, limit, value));
    }
}

impl Message<'_> {
    /// Returns whether this field is the message, which is the first field `message`. Further
    /// fields of this name are ordinary fields.
    fn takes(&mut self, name: &str) -> bool {
        let takes = !self.found && name == "message";
        self.found |= takes;
        takes
    }

    fn skips(&self, name: &str) -> bool {
        self.is_log && name.starts_with("log.")
    }

    /// Returns whether the message has room for another field. If not, the record exceeds its limit
    /// and is marked as cut.
    fn has_room(&self) -> bool {
        self.with_fields && self.text.len() + self.below.len() <= self.limit
    }

    /// Appends an escaped field.
    fn field<R>(&mut self, member: &Member<'_, '_, R>, kind: Kind, value: &[u8], has_lines: bool) {
        if !self.has_room() {
            return;
        }
        let out = if has_lines {
            self.below.extend_from_slice(b"\\n");
            &mut *self.below
        } else {
            &mut *self.text
        };
        match member.label() {
            Some(label) => out.extend_from_slice(&label[usize::from(has_lines)..]),
            None => {
                if !has_lines {
                    out.push(b' ');
                }
                out.extend_from_slice(member.key());
                out.push(b'=');
            }
        }
        if kind == Kind::Str {
            members::write_str(out, value);
        } else {
            out.extend_from_slice(value);
        }
    }

    /// Appends a cause of the error in a field, on a separate line.
    fn cause(&mut self, key: &[u8], text: &[u8]) {
        if self.has_room() {
            self.below.extend_from_slice(b"\\n");
            self.below.extend_from_slice(key);
            self.below.extend_from_slice(b" caused by: ");
            self.below.extend_from_slice(text);
        }
    }

    /// Appends the causes of the error that is the message.
    fn own_causes(&mut self, error: &(dyn Error + 'static), limit: usize) {
        for cause in causes::of(error) {
            self.below.extend_from_slice(OWN_CAUSE);
            value::display(self.below, limit, &cause);
        }
    }
}
