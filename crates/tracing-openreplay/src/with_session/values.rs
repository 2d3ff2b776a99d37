//! Provides all values of an event at once, as they were recorded.
//!
//! An event passes its values to a visitor one by one, and each reference is only valid during that
//! call. The calls are therefore nested: while the visitor holds one reference, the event is
//! visited again for the next. When all references are held, the innermost call continues with all
//! values. Nothing is copied to the heap, and errors are passed on themselves, unless reading them
//! would harm the layer. The number of visits grows with the square of the number of references, at
//! a few nanoseconds each.

use std::{error::Error, fmt};

use smallvec::SmallVec;
use tracing_core::{
    Event, Field,
    field::{DebugValue, Value, Visit, debug},
};

use crate::{
    causes::{self, OneLine},
    text::Contained,
};

/// The maximum number of fields whose values are stored without allocating.
pub(super) const INLINE: usize = 16;

/// The values of an event by the index of their fields, with `None` for empty fields.
pub(super) type Values<'a> = SmallVec<[Option<&'a Recorded<'a>>; INLINE]>;

/// A recorded value.
pub(super) enum Recorded<'a> {
    F64(f64),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    Bool(bool),
    Str(&'a str),
    Bytes(&'a [u8]),
    Error(&'a (dyn Error + 'static)),
    /// An error with a method that panics, or with an endless chain of causes, which is passed on
    /// as text.
    Unreadable(&'a (dyn Error + 'static), DebugValue<OneLine<'a>>),
    #[cfg(all(tracing_unstable, feature = "valuable"))]
    Valuable(valuable::Value<'a>),
    Debug(DebugValue<Contained<'a>>),
}

impl Recorded<'_> {
    /// Returns the value to record in the rewritten event.
    pub(super) fn as_value(&self) -> &dyn Value {
        match self {
            Self::F64(value) => value,
            Self::I64(value) => value,
            Self::U64(value) => value,
            Self::I128(value) => value,
            Self::U128(value) => value,
            Self::Bool(value) => value,
            Self::Str(value) => value,
            Self::Bytes(value) => value,
            Self::Error(value) => value,
            Self::Unreadable(_, text) => text,
            #[cfg(all(tracing_unstable, feature = "valuable"))]
            Self::Valuable(value) => value,
            Self::Debug(value) => value,
        }
    }
}

impl<'a> Recorded<'a> {
    pub(super) fn as_error(&self) -> Option<&'a (dyn Error + 'static)> {
        match self {
            Self::Error(error) | Self::Unreadable(error, _) => Some(*error),
            _ => None,
        }
    }
}

/// Calls `then` with all values of the event.
pub(super) fn hold(event: &Event<'_>, then: &mut dyn FnMut(&Values<'_>)) {
    let mut owned = Owned::default();
    event.record(&mut owned);
    let all = Hold {
        event,
        owned: &owned,
        held: None,
        depth: 0,
        passed: 0,
        then,
    };
    all.go_on();
}

/// The first visit, which stores the values that are not references, and counts the references.
#[derive(Default)]
struct Owned {
    values: SmallVec<[(usize, Recorded<'static>); INLINE]>,
    references: usize,
}

impl Owned {
    fn keep(&mut self, field: &Field, value: Recorded<'static>) {
        self.values.push((field.index(), value));
    }
}

impl Visit for Owned {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, Recorded::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, Recorded::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, Recorded::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.keep(field, Recorded::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.keep(field, Recorded::U128(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, Recorded::Bool(value));
    }

    fn record_str(&mut self, _: &Field, _: &str) {
        self.references += 1;
    }

    fn record_bytes(&mut self, _: &Field, _: &[u8]) {
        self.references += 1;
    }

    fn record_error(&mut self, _: &Field, _: &(dyn Error + 'static)) {
        self.references += 1;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {
        self.references += 1;
    }
}

/// A reference, and the references held before it.
struct Held<'a> {
    index: usize,
    value: Recorded<'a>,
    before: Option<&'a Held<'a>>,
}

/// A visit that finds the next reference.
struct Hold<'a> {
    event: &'a Event<'a>,
    owned: &'a Owned,
    held: Option<&'a Held<'a>>,
    /// The number of references that are held.
    depth: usize,
    /// The number of references that this visit has passed.
    passed: usize,
    then: &'a mut dyn FnMut(&Values<'_>),
}

impl Hold<'_> {
    fn go_on(mut self) {
        if self.depth < self.owned.references {
            let event = self.event;
            event.record(&mut self);
        } else {
            self.finish();
        }
    }

    fn hold<'v>(&mut self, field: &Field, value: impl FnOnce() -> Recorded<'v>) {
        let wanted = self.passed == self.depth;
        self.passed += 1;
        if wanted {
            let held = Held {
                index: field.index(),
                value: value(),
                before: self.held,
            };
            let next = Hold {
                event: self.event,
                owned: self.owned,
                held: Some(&held),
                depth: self.depth + 1,
                passed: 0,
                then: self.then,
            };
            next.go_on();
        }
    }

    fn finish(self) {
        let mut values = Values::from_elem(None, self.event.metadata().fields().len());
        let mut set = |index: usize, value| {
            // The index is only out of range if the event was constructed without the macros.
            if let Some(slot) = values.get_mut(index) {
                *slot = Some(value);
            }
        };
        for (index, value) in &self.owned.values {
            set(*index, value);
        }
        let mut next = self.held;
        while let Some(held) = next {
            set(held.index, &held.value);
            next = held.before;
        }
        (self.then)(&values);
    }
}

impl Visit for Hold<'_> {
    // The first visit has stored these values.
    fn record_f64(&mut self, _: &Field, _: f64) {}
    fn record_i64(&mut self, _: &Field, _: i64) {}
    fn record_u64(&mut self, _: &Field, _: u64) {}
    fn record_i128(&mut self, _: &Field, _: i128) {}
    fn record_u128(&mut self, _: &Field, _: u128) {}
    fn record_bool(&mut self, _: &Field, _: bool) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        self.hold(field, || Recorded::Str(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.hold(field, || Recorded::Bytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.hold(field, || {
            if causes::is_readable(value) {
                Recorded::Error(value)
            } else {
                Recorded::Unreadable(value, debug(OneLine(value)))
            }
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.hold(field, || Recorded::Debug(debug(Contained(value))));
    }

    #[cfg(all(tracing_unstable, feature = "valuable"))]
    fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
        self.hold(field, || Recorded::Valuable(value));
    }
}
