//! Renders values of the crate `valuable` as JSON of the same structure.

use valuable::{NamedValues, Valuable, Value, Visit};

use super::{escape::escape, key::write_key, members, value};

/// The maximum depth of a structure. Elasticsearch's type `flattened` accepts 64 levels
/// (`depth_limit` of the mapping).
const DEPTH: usize = 32;

/// Returns the JSON of a list, a map, a struct, an enum or a tuple, or `None` if it is too deep or
/// has more bytes than `limit`.
pub(super) fn render(value: Value<'_>, limit: usize) -> Option<Vec<u8>> {
    let mut json = Vec::new();
    write(&mut json, value, limit, DEPTH)?;
    (json.len() <= limit).then_some(json)
}

fn write(out: &mut Vec<u8>, value: Value<'_>, limit: usize, depth: usize) -> Option<()> {
    if depth == 0 || out.len() > limit {
        return None;
    }
    let parts = |parts: Parts, of: &dyn Valuable| {
        let mut writer = Writer {
            parts,
            limit,
            depth: depth - 1,
            is_whole: true,
        };
        of.visit(&mut writer);
        writer.is_whole.then_some(writer.parts)
    };
    match value {
        Value::Structable(one) if one.definition().fields().is_named() => {
            parts(Parts::object(), &one)?.finish(out);
        }
        Value::Mappable(one) => parts(Parts::object(), &one)?.finish(out),
        Value::Structable(one) => parts(Parts::list(), &one)?.finish(out),
        Value::Tuplable(one) => parts(Parts::list(), &one)?.finish(out),
        Value::Listable(one) => parts(Parts::list(), &one)?.finish(out),
        Value::Enumerable(one) => {
            let variant = one.variant();
            let fields = if variant.is_named_fields() {
                parts(Parts::object(), &one)?
            } else {
                parts(Parts::list(), &one)?
            };
            variant_of(out, variant.name(), &fields);
        }
        value => scalar(out, value, limit),
    }
    Some(())
}

/// Writes `"Variant"` if there are no fields, and `{"Variant":…}` otherwise. A single unnamed field
/// is the value itself.
fn variant_of(out: &mut Vec<u8>, name: &str, fields: &Parts) {
    if fields.json.is_empty() {
        out.push(b'"');
        escape(out, name.as_bytes());
        out.push(b'"');
        return;
    }
    out.push(b'{');
    out.push(b'"');
    escape(out, name.as_bytes());
    out.extend_from_slice(b"\":");
    if fields.count == 1 && !fields.is_object {
        out.extend_from_slice(&fields.json);
    } else {
        fields.finish(out);
    }
    out.push(b'}');
}

/// Writes a scalar like a field of an event: numbers and bools unquoted, everything else as a
/// string.
fn scalar(out: &mut Vec<u8>, value: Value<'_>, limit: usize) {
    let text = match value {
        Value::Unit => return out.extend_from_slice(b"null"),
        Value::Bool(value) => return out.extend_from_slice(value.to_string().as_bytes()),
        Value::F32(value) => return float(out, value.into()),
        Value::F64(value) => return float(out, value),
        Value::String(text) => text.to_owned(),
        Value::Char(letter) => letter.to_string(),
        Value::Path(path) => path.display().to_string(),
        Value::Error(error) => error.to_string(),
        value => {
            // an integer
            let text = format!("{value:?}");
            if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
                return out.extend_from_slice(text.as_bytes());
            }
            text
        }
    };
    out.push(b'"');
    value::str(out, limit, &text);
    out.push(b'"');
}

fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(format!("\"{value}\"").as_bytes());
    }
}

/// The members of an object or the elements of a list.
struct Parts {
    json: Vec<u8>,
    count: usize,
    is_object: bool,
}

impl Parts {
    fn object() -> Self {
        Self {
            json: Vec::new(),
            count: 0,
            is_object: true,
        }
    }

    fn list() -> Self {
        Self {
            is_object: false,
            ..Self::object()
        }
    }

    fn finish(&self, out: &mut Vec<u8>) {
        let [open, close] = if self.is_object { *b"{}" } else { *b"[]" };
        out.push(open);
        out.extend_from_slice(&self.json);
        out.push(close);
    }
}

struct Writer {
    parts: Parts,
    limit: usize,
    depth: usize,
    is_whole: bool,
}

impl Writer {
    fn element(&mut self, value: Value<'_>) {
        if !self.parts.json.is_empty() {
            self.parts.json.push(b',');
        }
        self.is_whole =
            self.is_whole && write(&mut self.parts.json, value, self.limit, self.depth).is_some();
        self.parts.count += 1;
    }

    fn member(&mut self, key: &str, value: Value<'_>) {
        let mut member = Vec::new();
        write_key(&mut member, key);
        // Remove the leading comma.
        member.remove(0);
        self.is_whole =
            self.is_whole && write(&mut member, value, self.limit, self.depth).is_some();
        if self.is_whole {
            // If a key is repeated, the last member is kept.
            members::merge(&mut self.parts.json, &member);
            self.parts.count += 1;
        }
    }
}

impl Visit for Writer {
    fn visit_value(&mut self, value: Value<'_>) {
        self.element(value);
    }

    fn visit_named_fields(&mut self, fields: &NamedValues<'_>) {
        for (field, value) in fields.iter() {
            self.member(field.name(), *value);
        }
    }

    fn visit_unnamed_fields(&mut self, values: &[Value<'_>]) {
        for value in values {
            self.element(*value);
        }
    }

    fn visit_entry(&mut self, key: Value<'_>, value: Value<'_>) {
        match key {
            Value::String(key) => self.member(key, value),
            key => self.member(&format!("{key:?}"), value),
        }
    }
}
