//! An event's message and fields, or a span's fields: each value is rendered once.

#[cfg(all(tracing_unstable, feature = "valuable"))]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{error::Error, fmt};

use tracing_core::field::{Field, Visit};

#[cfg(all(tracing_unstable, feature = "valuable"))]
use super::structure;
use super::{
    members::{self, Member, Members},
    site::{Keys, SpanSite},
    value,
};
use crate::{causes, with_session::mark};

/// Writes fields as the members of a JSON object, and, for an event, its message.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    members: Members<'a>,
    message: Option<Message<'a>>,
    line: Option<Line<'a>>,
    /// Bounds what one value can take.
    limit: usize,
}

/// Where an event's message goes.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The field `message`, to which the rest is added later on.
    pub(super) message: &'a mut Vec<u8>,
    /// ` key=value`, on the message's last line.
    pub(super) text: &'a mut Vec<u8>,
    /// What has lines of its own: causes of errors, values with line breaks.
    pub(super) below: &'a mut Vec<u8>,
    /// Whether the fields are in the message at all.
    pub(super) with_fields: bool,
    /// Whether this is a record of the crate `log`, whose place comes as fields.
    pub(super) is_log: bool,
    pub(super) found: bool,
    pub(super) limit: usize,
}

/// A span's fields, as a message has them.
#[derive(Debug)]
struct Line<'a> {
    line: &'a mut Vec<u8>,
    /// Whether a key was not known: it may have been written before.
    is_incomplete: bool,
}

impl Line<'_> {
    /// Appends a field, whose value is one of JSON.
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

/// How a value looks in JSON and in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A number or a bool: the same in both.
    Literal,
    /// A string: quoted in a message only where it would be misread.
    Str,
    /// The text of a `Debug` or `Display`: never quoted in a message.
    Text,
}

impl<'a> Fields<'a> {
    /// `line` gets each field as ` key=value`, and is left empty where a key may come twice.
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

    /// Returns whether a span's field with the id of the request was written.
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

    /// Renders one value, where it belongs. `render` returns whether it wrote a line break.
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

    /// A text of this kind, whatever is in it.
    pub(super) fn text(&mut self, field: &Field, kind: Kind, text: &str) {
        let limit = self.limit;
        self.put(field, kind, |out| value::display(out, limit, &text));
    }

    /// Appends the nth cause of the error that is the message, which `value` writes. Returns
    /// whether there was one.
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
    /// A list, a map and the like: JSON among the fields, text in the message.
    fn structure(&mut self, field: &Field, value: valuable::Value<'_>) {
        let render = || structure::render(value, members::VALUE_LIMIT);
        let json = catch_unwind(AssertUnwindSafe(render)).unwrap_or_default();
        let name = field.name();
        let is_field = match &mut self.message {
            // the message is looked at once more, as a text
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
    /// Whether this field is the message: the first one of that name. A further one is a field like
    /// any other.
    fn takes(&mut self, name: &str) -> bool {
        let takes = !self.found && name == "message";
        self.found |= takes;
        takes
    }

    fn skips(&self, name: &str) -> bool {
        self.is_log && name.starts_with("log.")
    }

    /// The values left out here would make the record too long: it is marked as cut.
    fn has_room(&self) -> bool {
        self.with_fields && self.text.len() + self.below.len() <= self.limit
    }

    /// Appends a field, escaped already.
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

    /// Appends a cause of the error in a field, on a line of its own.
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
