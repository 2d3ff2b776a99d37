//! Adds the session to the events that a fmt layer itself creates for spans.
//!
//! fmt formats these events inside its own `on_close` and does not pass them to the wrapping layer,
//! so only its event format receives them.

use std::fmt;

use openreplay_record::phrase;
use openreplay_session::SessionId;
use smallvec::SmallVec;
use tracing_core::{
    Event, Field, Subscriber,
    field::{Value, Visit, display},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::lookup;

/// An event format that adds the session to a fmt layer's own events of spans.
///
/// Created by [`WithSession::with_fmt_span_events`](crate::WithSession::with_fmt_span_events).
#[derive(Clone, Debug)]
pub struct FmtSpanEvents<E>(pub(super) E);

impl<S, N, E> FormatEvent<S, N> for FmtSpanEvents<E>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    E: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // Events that were dispatched have already been marked.
        let session = (event.metadata().is_span())
            .then(|| lookup::of_record(event.metadata(), || ctx.parent_span()))
            .flatten();
        match session {
            Some(session) => {
                let texts = Texts::of(event, &session);
                texts.pass(event, |event| self.0.format_event(ctx, writer, event))
            }
            None => self.0.format_event(ctx, writer, event),
        }
    }
}

/// The maximum number of fields of such an event. fmt's events have three.
const FIELDS: usize = 8;

/// The values of an event as text, with the session as a prefix of the message.
struct Texts {
    prefix: String,
    values: SmallVec<[(Field, String); FIELDS]>,
}

impl Texts {
    fn of(event: &Event<'_>, session: &SessionId) -> Self {
        let mut texts = Self {
            prefix: phrase::prefix(session),
            values: SmallVec::new(),
        };
        event.record(&mut texts);
        texts
    }

    /// Calls `then` with an event that has these values.
    fn pass<R>(&self, event: &Event<'_>, then: impl FnOnce(&Event<'_>) -> R) -> R {
        let shown: SmallVec<[_; FIELDS]> =
            (self.values.iter().map(|(_, text)| display(text))).collect();
        let Some((first, _)) = self.values.first() else {
            return then(event);
        };
        let mut all: [(&Field, Option<&dyn Value>); FIELDS] = [(first, None); FIELDS];
        for ((slot, (field, _)), text) in all.iter_mut().zip(&self.values).zip(&shown) {
            *slot = (field, Some(text));
        }
        let metadata = event.metadata();
        let values = metadata.fields().value_set(&all);
        then(&Event::new_child_of(
            event.parent().cloned(),
            metadata,
            &values,
        ))
    }

    fn push(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = value.to_string();
        // The method may have been called twice.
        if field.name() == "message" && !text.starts_with(&self.prefix) {
            text.insert_str(0, &self.prefix);
        }
        self.values.push((field.clone(), text));
    }
}

impl Visit for Texts {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format_args!("{value:?}"));
    }
}
