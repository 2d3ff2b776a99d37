use std::borrow::Cow;
use std::collections::HashSet;

use smallvec::SmallVec;

/// The names in an object so far. Most objects have too few for a set to pay.
#[derive(Default)]
pub(super) struct Names<'a> {
    few: SmallVec<[Cow<'a, str>; 16]>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Adds a name; returns it if it is there already.
    pub(super) fn add(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        if self.few.contains(&name) || !self.many.is_empty() && self.many.contains(&name) {
            return Some(name);
        }
        if self.few.len() < self.few.inline_size() {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        None
    }

    pub(super) fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }
}
