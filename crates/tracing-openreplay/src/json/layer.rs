use tracing_core::{Event, Subscriber, span};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

use super::{Json, record, scratch, sink, span as rendered};
use crate::{lookup, panics, with_session::mark};

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        lookup::remember(attributes, id, &ctx);
        if self.options.spans {
            rendered::created(attributes, id, &ctx);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        if self.options.spans {
            rendered::recorded(values, id, &ctx);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        panics::accept();
        let mark = mark::of(event.metadata());
        let session = match &mark {
            Some(mark) => mark.session,
            None => lookup::of_event(event, &ctx),
        };
        let innermost = if self.options.spans {
            ctx.event_span(event)
        } else {
            None
        };
        scratch::with(|scratch| {
            record::render(&self.options, event, mark, session, innermost, scratch);
            sink::write(
                &self.make_writer,
                event.metadata(),
                &scratch.parts.line,
                &self.losses,
            );
        });
    }
}
