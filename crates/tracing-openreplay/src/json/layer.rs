use openreplay_session::SessionId;
use tracing_core::{Event, Subscriber, span};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

#[cfg(feature = "opentelemetry")]
use super::trace;
use super::{Json, record, rendered, scratch, sink};
use crate::{
    close, kept, lookup,
    mark::{self, Mark},
    panic_stage,
    timing::Timing,
};

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let is_to_remember = lookup::is_to_remember();
        let is_read =
            !attributes.is_empty() && self.options.reads_span(attributes.metadata().name());
        let is_timed = self.options.span_close;
        if (is_to_remember || is_read || is_timed)
            && let Some(span) = ctx.span(id)
        {
            kept::add(&span, |kept| {
                if is_to_remember {
                    kept.remembered = lookup::of_new_span(attributes, &span);
                }
                if is_read {
                    rendered::created(attributes, &self.options, &mut kept.rendered);
                }
                kept.timing = is_timed.then(Timing::start);
            });
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id)
            && self.options.reads_span(span.name())
        {
            kept::add(&span, |kept| {
                rendered::recorded(values, span.metadata(), &mut kept.rendered);
            });
        }
    }

    fn on_enter(&self, id: &span::Id, ctx: Context<'_, S>) {
        #[cfg(feature = "opentelemetry")]
        trace::prepare();
        if self.options.span_close {
            close::entered(id, &ctx);
        }
    }

    fn on_exit(&self, id: &span::Id, ctx: Context<'_, S>) {
        if self.options.span_close {
            close::exited(id, &ctx);
        }
    }

    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        if self.options.span_close
            && let Some(span) = ctx.span(&id)
        {
            let session = lookup::of_span(&span);
            close::closed(&span, |event| self.write(event, None, session, &ctx));
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        panic_stage::received_by_json();
        let mark = mark::of(event.metadata());
        let session = lookup::of_event(event, &ctx);
        self.write(event, mark, session, &ctx);
    }
}

impl<W> Json<W>
where
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn write<S>(
        &self,
        event: &Event<'_>,
        mark: Option<Mark>,
        session: Option<SessionId>,
        ctx: &Context<'_, S>,
    ) where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        scratch::with(|scratch| {
            record::render(&self.options, event, mark, session, ctx, scratch);
            sink::write(
                &self.make_writer,
                event.metadata(),
                &scratch.parts.line,
                &self.state,
            );
        });
    }
}
