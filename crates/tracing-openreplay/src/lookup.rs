//! How a record finds its session.
//!
//! The session of the running task comes first. Where there is none, the nearest enclosing span that was created in a
//! session gives it, so that work which left the task with `in_current_span` keeps its session without any code of ours.
//!
//! A span remembers its session only where its ancestors do not say the same already: once per request as a rule, so
//! that nested spans cost no allocation. Several layers of one subscriber may call [`remember`] for the same span.

use std::sync::atomic::{AtomicUsize, Ordering};

use openreplay_session::SessionId;
use tracing_core::{Event, span};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

/// In the extensions of a span: the session in which it was created.
struct CreatedIn(SessionId);

/// How many spans remember a session at this moment. While none does, no record has to look through its spans.
static REMEMBERED: AtomicUsize = AtomicUsize::new(0);

impl CreatedIn {
    fn new(session: SessionId) -> Self {
        // whoever comes by the span does so after this, and by some other synchronization
        REMEMBERED.fetch_add(1, Ordering::Relaxed);
        Self(session)
    }
}

impl Drop for CreatedIn {
    fn drop(&mut self) {
        REMEMBERED.fetch_sub(1, Ordering::Relaxed);
    }
}

/// To be called from `on_new_span`: notes the current session in the new span.
pub(crate) fn remember<S>(id: &span::Id, ctx: &Context<'_, S>)
where
    S: for<'lookup> LookupSpan<'lookup> + tracing_core::Subscriber,
{
    let Some(session) = openreplay_session::current() else {
        return;
    };
    let Some(span) = ctx.span(id) else {
        return;
    };
    if of_span(&span) != Some(session) {
        span.extensions_mut().replace(CreatedIn::new(session));
    }
}

/// The session of a record.
pub(crate) fn of_event<S>(event: &Event<'_>, ctx: &Context<'_, S>) -> Option<SessionId>
where
    S: for<'lookup> LookupSpan<'lookup> + tracing_core::Subscriber,
{
    openreplay_session::current().or_else(|| {
        if REMEMBERED.load(Ordering::Relaxed) == 0 {
            return None;
        }
        of_span(&ctx.event_span(event)?)
    })
}

/// The session of the nearest span, from this one outwards, that was created in one.
fn of_span<S>(span: &SpanRef<'_, S>) -> Option<SessionId>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let remembered = |span: &SpanRef<'_, S>| Some(span.extensions().get::<CreatedIn>()?.0);
    // `scope()` would look the first span up once more, at a tenth of what a record costs
    let mut session = remembered(span);
    let mut parent = span.parent();
    while let (None, Some(span)) = (session, &parent) {
        session = remembered(span);
        parent = span.parent();
    }
    session
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use openreplay_session::sync_scope;
    use tracing::{info, info_span, span::Attributes};
    use tracing_core::{LevelFilter, Subscriber};
    use tracing_subscriber::{Layer, Registry, filter::filter_fn, prelude::*};

    use super::*;

    /// Notes the session of every event, and how many spans had to remember one.
    #[derive(Clone, Default)]
    struct Probe(Arc<Mutex<Vec<Option<SessionId>>>>);

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Probe {
        fn on_new_span(&self, _: &Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
            remember(id, &ctx);
        }

        fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
            self.0.lock().unwrap().push(of_event(event, &ctx));
        }
    }

    /// The sessions of the events that happen in `run`, of which only those spans are seen that are not named `hidden`.
    fn sessions(run: impl FnOnce()) -> Vec<Option<SessionId>> {
        let probe = Probe::default();
        let visible = filter_fn(|metadata| metadata.name() != "hidden");
        let subscriber = Registry::default()
            .with(Probe::default().with_filter(LevelFilter::INFO))
            .with(probe.clone().with_filter(visible));
        tracing::subscriber::with_default(subscriber, run);
        let seen = probe.0.lock().unwrap();
        seen.clone()
    }

    fn id(number: u64) -> SessionId {
        SessionId::from(number)
    }

    #[test]
    fn the_task_comes_before_the_spans() {
        let seen = sessions(|| {
            let span = sync_scope(id(1), || info_span!("of one"));
            sync_scope(id(2), || span.in_scope(|| info!("x")));
        });
        assert_eq!(seen, [Some(id(2))]);
    }

    #[test]
    fn the_nearest_span_made_in_a_session_gives_it() {
        let seen = sessions(|| {
            let _root = info_span!("outside").entered();
            info!("no session yet");
            let one = sync_scope(id(1), || info_span!("of one"));
            let _one = one.clone().entered();
            info!("one");
            let nested = info_span!("nested outside of the task");
            nested.in_scope(|| info!("one"));
            let two = sync_scope(id(2), || info_span!("of two"));
            two.in_scope(|| info!("two"));
            let back = two.in_scope(|| sync_scope(id(1), || info_span!("of one again")));
            back.in_scope(|| info!("one, not two"));
        });
        assert_eq!(
            seen,
            [None, Some(id(1)), Some(id(1)), Some(id(2)), Some(id(1))]
        );
    }

    #[test]
    fn an_explicit_parent_decides_and_no_parent_is_no_session() {
        let seen = sessions(|| {
            let one = sync_scope(id(1), || info_span!("of one"));
            let two = sync_scope(id(2), || info_span!("of two"));
            let _one = one.entered();
            info!(parent: &two, "two");
            info!(parent: None, "none");
        });
        assert_eq!(seen, [Some(id(2)), None]);
    }

    #[test]
    fn a_span_that_a_filter_hides_neither_gives_a_session_nor_takes_one_away() {
        let seen = sessions(|| {
            let hidden = sync_scope(id(1), || info_span!("hidden"));
            let _hidden = hidden.entered();
            info!("none");
            let two = sync_scope(id(2), || info_span!("of two"));
            let _two = two.entered();
            info_span!("hidden").in_scope(|| info!("two"));
        });
        assert_eq!(seen, [None, Some(id(2))]);
    }

    #[test]
    fn only_the_outermost_span_of_a_session_remembers_it() {
        let subscriber = Registry::default()
            .with(Probe::default())
            .with(Probe::default());
        tracing::subscriber::with_default(subscriber, || {
            sync_scope(id(1), || {
                let outer = info_span!("outer").entered();
                let inner = info_span!("inner").entered();
                assert!(remembers(outer.id().as_ref()));
                assert!(!remembers(inner.id().as_ref()));
            });
        });
    }

    fn remembers(id: Option<&span::Id>) -> bool {
        tracing::dispatcher::get_default(|dispatch| {
            let registry = dispatch.downcast_ref::<Registry>().unwrap();
            let span = registry.span(id.unwrap()).unwrap();
            span.extensions().get::<CreatedIn>().is_some()
        })
    }
}
