use tracing_core::{Event, LevelFilter, Metadata, Subscriber, span};
use tracing_subscriber::{
    layer::{Context, Filter},
    registry::LookupSpan,
};

use crate::lookup;

/// A [per-layer filter](tracing_subscriber::layer::Filter) that only accepts records with a
/// session.
///
/// Use it for a sink that is only read through OpenReplay. The filter accepts all spans, since a
/// record may get its session from a span.
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
///
/// # Spans that close
///
/// The records of `with_span_close`, of [`json()`](crate::Json::with_span_close) and of
/// [`with_session()`](crate::WithSession::with_span_close), **are also written without a session**.
/// They are not dispatched as events, so no filter sees them. The same applies to fmt's own
/// `with_span_events`.
///
/// # With other filters
///
/// - `SessionOnly.or_level(LevelFilter::ERROR)` also accepts all errors, see
///   [`or_level`](Self::or_level).
/// - [`and`](tracing_subscriber::filter::FilterExt::and) works as expected, for instance
///   `SessionOnly.and(LevelFilter::INFO)`. Records do not get a session from a span that the other
///   filter hides.
/// - [`or`](tracing_subscriber::filter::FilterExt::or) accepts **everything**, and
///   [`not`](tracing_subscriber::filter::FilterExt::not) accepts **nothing**, including spans. Both
///   decide once per callsite, and a callsite has no session.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "its name is its only value")]
pub struct SessionOnly;

impl SessionOnly {
    /// Also accepts records without a session up to a level.
    ///
    /// [Records of spans that close](SessionOnly#spans-that-close) are accepted at any level.
    ///
    /// ```
    /// use tracing_openreplay::SessionOnly;
    /// use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};
    ///
    /// let sessions_and_errors = SessionOnly.or_level(LevelFilter::ERROR);
    /// let subscriber =
    ///     tracing_subscriber::registry().with(fmt::layer().with_filter(sessions_and_errors));
    /// # drop(subscriber);
    /// ```
    #[must_use]
    pub fn or_level(self, level: LevelFilter) -> SessionOrLevel {
        SessionOrLevel { level }
    }
}

/// A per-layer filter that accepts records with a session, and other records up to a level.
///
/// Created by [`SessionOnly::or_level`].
#[derive(Clone, Copy, Debug)]
pub struct SessionOrLevel {
    level: LevelFilter,
}

impl<S> Filter<S> for SessionOrLevel
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, ctx: &Context<'_, S>) -> bool {
        *event.metadata().level() <= self.level || lookup::of_event(event, ctx).is_some()
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        lookup::remember(attributes, id, &ctx);
    }
}

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

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        lookup::remember(attributes, id, &ctx);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use openreplay_session::{SessionId, sync_scope};
    use tracing::{debug, error, info, info_span};
    use tracing_subscriber::{Layer, Registry, filter::FilterExt as _, prelude::*};

    use super::*;

    #[derive(Clone, Default)]
    struct Count(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn records_with_a_session_of_the_task_or_of_a_span_pass() {
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

    /// Returns how many of four events pass: an `INFO` and an `ERROR` outside a session, and a
    /// `DEBUG` and an `INFO` in one.
    fn passed(filter: impl Filter<Registry> + Send + Sync + 'static) -> usize {
        let count = Count::default();
        let subscriber = Registry::default().with(count.clone().with_filter(filter));
        tracing::subscriber::with_default(subscriber, || {
            info!("outside");
            error!("outside");
            let span = sync_scope(SessionId::from(1), || {
                debug!("inside");
                info_span!("request")
            });
            info!(parent: &span, "inside");
        });
        count.0.load(Ordering::Relaxed)
    }

    #[test]
    fn records_up_to_a_level_are_accepted_as_well() {
        assert_eq!(passed(SessionOnly.or_level(LevelFilter::ERROR)), 3);
        assert_eq!(passed(SessionOnly.or_level(LevelFilter::OFF)), 2);
        assert_eq!(passed(SessionOnly.or_level(LevelFilter::INFO)), 4);
    }

    #[test]
    fn other_filters_combine_as_documented() {
        assert_eq!(passed(SessionOnly.and(LevelFilter::INFO)), 1);
        assert_eq!(passed(SessionOnly.and(LevelFilter::ERROR)), 0);
        assert_eq!(passed(SessionOnly.or(LevelFilter::ERROR)), 4);
        assert_eq!(passed(SessionOnly.not()), 0);
    }
}
