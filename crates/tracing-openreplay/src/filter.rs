use tracing_core::{Event, Metadata, Subscriber, span};
use tracing_subscriber::{
    layer::{Context, Filter},
    registry::LookupSpan,
};

use crate::lookup;

/// Lets the records of sessions through and no others.
///
/// A [per-layer filter](tracing_subscriber::layer::Filter), for a sink that is read through OpenReplay only. All spans pass, since
/// a span may be what tells a record's session.
///
/// ```
/// use tracing_openreplay::SessionOnly;
/// use tracing_subscriber::{fmt, prelude::*};
///
/// let subscriber = tracing_subscriber::registry()
///     .with(fmt::layer())
///     .with(fmt::layer().with_writer(std::io::stderr).with_filter(SessionOnly));
/// # drop(subscriber);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionOnly;

impl<S> Filter<S> for SessionOnly
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, ctx: &Context<'_, S>) -> bool {
        lookup::of_event(event, ctx).is_some()
    }

    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        lookup::remember(id, &ctx);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use openreplay_session::{SessionId, sync_scope};
    use tracing::{info, info_span};
    use tracing_subscriber::{Layer, Registry, prelude::*};

    use super::*;

    #[derive(Clone, Default)]
    struct Count(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn passes_what_has_a_session_by_task_or_by_span() {
        let (all, filtered) = (Count::default(), Count::default());
        let subscriber = Registry::default()
            .with(all.clone())
            .with(filtered.clone().with_filter(SessionOnly));
        tracing::subscriber::with_default(subscriber, || {
            info!("none");
            let span = sync_scope(SessionId::from(1), || {
                info!("by the task");
                info_span!("request")
            });
            info!(parent: &span, "by the span");
        });
        assert_eq!(all.0.load(Ordering::Relaxed), 3);
        assert_eq!(filtered.0.load(Ordering::Relaxed), 2);
    }
}
