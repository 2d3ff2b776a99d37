//! The keys of fields, as a record and a message contain them.

use std::ptr;

use tracing_core::Field;

use super::escape::escape;

/// The keys of a callsite's fields by their index, or no keys if two are equal.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<Key>);

/// An escaped key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    name: &'static str,
    /// The key as in an object: `,"user":`.
    pub(super) member: Box<[u8]>,
    /// The key as in a message: ` user=`.
    pub(super) label: Box<[u8]>,
}

impl Keys {
    pub(super) fn fill(&mut self, names: impl IntoIterator<Item = &'static str>) {
        self.0.clear();
        for name in names {
            let key = Key::new(name);
            if self.0.iter().any(|other| other.member == key.member) {
                self.0.clear();
                return;
            }
            self.0.push(key);
        }
    }

    #[cfg(test)]
    pub(super) fn of_names(names: &[&'static str]) -> Self {
        let mut keys = Self::default();
        keys.fill(names.iter().copied());
        keys
    }

    /// Returns the key of a field of this callsite.
    #[inline]
    pub(super) fn of(&self, field: &Field) -> Option<&Key> {
        let key = self.0.get(field.index())?;
        // An event that was constructed without the macros can have a field of another callsite.
        ptr::eq(key.name, field.name()).then_some(key)
    }
}

impl Key {
    fn new(name: &'static str) -> Self {
        let mut member = Vec::new();
        write_key(&mut member, name);
        // The key is between `,"` and `":`.
        let key = &member[2..member.len() - 2];
        let label = [b" ", key, b"="].concat();
        Self {
            name,
            label: label.into(),
            member: member.into(),
        }
    }
}

/// Appends `,"key":` for a field with this name.
pub(super) fn write_key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    escape(out, key_of(name).as_bytes());
    out.extend_from_slice(b"\":");
}

/// Returns the key of a field. The key of `r#type` is `type`.
pub(super) fn key_of(name: &str) -> &str {
    let name = name.strip_prefix("r#").unwrap_or(name);
    // Elasticsearch rejects an empty key.
    if name.is_empty() { "_" } else { name }
}
