//! Reads the original fields of an event that `with_session()` rewrote.

use std::{error::Error, fmt};

use tracing_core::field::{Field, Visit};

use super::fields::{Fields, Kind};
use crate::mark::{self, Mark, Was};

#[derive(Debug)]
pub(super) struct Unmarked<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) mark: Mark,
}

impl Visit for Unmarked<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let at = field.index();
        if at >= self.mark.added {
            return;
        }
        match self.mark.tags.filter(|tags| tags.index == at) {
            Some(tags) => {
                let original = tags.original(value);
                match tags.was {
                    Was::Nothing => {}
                    Was::Str => self.fields.record_str(field, original),
                    Was::Literal => self.fields.text(field, Kind::Literal, original),
                    Was::Text => self.fields.text(field, Kind::Text, original),
                }
            }
            None => self.fields.record_str(field, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            return self.fields.record_debug(field, value);
        }
        let is_prefixed = mark::read_original(|| self.fields.record_debug(field, value));
        let mut causes = 0..;
        while is_prefixed
            && let Some(nth) = causes.next()
            && self.fields.own_cause(nth, value)
        {}
    }

    // All other values are unchanged.

    #[cfg(all(tracing_unstable, feature = "valuable"))]
    fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
        self.fields.record_value(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.record_f64(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.record_i64(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.record_u64(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.fields.record_i128(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.fields.record_u128(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.record_bool(field, value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.fields.record_bytes(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.fields.record_error(field, value);
    }
}
