//! Adds the session to the events of any other layer.

mod message;
mod metadata;
mod rewrite;
mod span_events;
mod tags;
mod values;

use std::{any::TypeId, fmt, marker::PhantomData};

use openreplay_session::SessionId;
use tracing_core::{Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber, span};
use tracing_subscriber::{
    Layer,
    fmt::{self as tracing_fmt, FormatEvent, FormatFields, MakeWriter},
    layer::Context,
    registry::LookupSpan,
};

use self::metadata::Addition;
pub use self::span_events::FmtSpanEvents;
use crate::{close, kept, lookup, mark, panic_stage, timing::Timing};

/// An extension trait that adds [`with_session`](Self::with_session) to every [`Layer`].
pub trait LayerExt<S>: Layer<S> + Sized
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    /// Wraps this layer so that its events carry their session.
    ///
    /// ```
    /// use openreplay_session::{SessionId, sync_scope};
    /// use tracing_openreplay::LayerExt as _;
    /// use tracing_subscriber::{fmt, prelude::*};
    /// # use std::{io, sync::Mutex};
    /// # let (mut reader, writer) = io::pipe()?;
    /// # let make_writer = Mutex::new(writer);
    ///
    /// let subscriber = tracing_subscriber::registry().with(
    ///     fmt::layer()
    ///         .without_time()
    ///         .with_target(false)
    /// #       .with_ansi(false)
    /// #       .with_writer(make_writer)
    ///         .with_session(),
    /// );
    ///
    /// tracing::subscriber::with_default(subscriber, || {
    ///     sync_scope(SessionId::from(42), || {
    ///         tracing::info!(status = 200, "responded");
    ///         tracing::error!("out of stock");
    ///     });
    ///     tracing::info!("no session");
    /// });
    /// # let mut written = String::new();
    /// # io::Read::read_to_string(&mut reader, &mut written)?;
    /// # assert_eq!(
    /// #     written,
    /// #     " INFO [openReplaySession.id=42] responded status=200\n\
    /// #     ERROR [openReplaySession.id=42] out of stock tags=\"error\"\n INFO no session\n",
    /// # );
    /// # io::Result::Ok(())
    /// ```
    ///
    /// This writes
    ///
    /// ```text
    ///  INFO [openReplaySession.id=42] responded status=200
    /// ERROR [openReplaySession.id=42] out of stock tags="error"
    ///  INFO no session
    /// ```
    ///
    /// # What changes
    ///
    /// - In a session, `message` begins with `[openReplaySession.id=<id>] `, which OpenReplay
    ///   searches for. An event without a message gets one that consists of its fields, so that its
    ///   row in OpenReplay is not empty.
    /// - An error has an additional field `tags` with the string `error`, inside and outside a
    ///   session. Every layer can write a string, and Elasticsearch treats it like a list with one
    ///   element. If the event has its own field `tags`, ` error` is appended to the value:
    ///   `tags=3` becomes `tags="3 error"`. See [`with_tags`](WithSession::with_tags).
    /// - If the `Debug` implementation of a value panics or fails, the value is cut at that point.
    ///   If an error has an endless chain of causes or a method that panics, it is passed on as
    ///   text.
    ///
    /// # What does not change
    ///
    /// - All other values are passed on as they were recorded: a number remains a number, and an
    ///   error remains the same error, with its causes.
    /// - Metadata, span and callsite are those of the original event, so filters decide as before.
    ///   `log` records keep their target, file and line.
    /// - Events outside a session do not change, except for errors.
    /// - The output of [`json()`](crate::json()) is the same as without `with_session()`.
    ///
    /// # Order
    ///
    /// Filters can be on either side of `with_session()`. In `layer.with_filter(f).with_session()`,
    /// spans that `f` hides still provide the session of spawned work, and are still boundaries if
    /// they have `parent: None`. In `layer.with_session().with_filter(f)`, they are ignored. A
    /// boundary only exists for layers that see its span.
    ///
    /// # Text from clients
    ///
    /// OpenReplay assigns every record with `openReplaySession.id=<id>` in its message to that
    /// session. In a session, this phrase is therefore broken (`openReplaySessi*n.id`) anywhere in
    /// the message except in the prefix, so that text from a client cannot name another session.
    ///
    /// The inner layer writes all other fields, spans, and events outside a session unchanged. If
    /// the whole line of the inner layer becomes the message, as with plain text, the phrase in any
    /// of these still assigns the record to a session of the client's choice.
    fn with_session(self) -> WithSession<Self, S> {
        panic_stage::expect_records();
        WithSession {
            inner: self,
            addition: Addition::PrefixAndTags,
            span_close: false,
            subscriber: PhantomData,
        }
    }
}

impl<S, L> LayerExt<S> for L
where
    L: Layer<S>,
    S: Subscriber + for<'a> LookupSpan<'a>,
{
}

/// A layer whose events carry their session.
///
/// Created by [`LayerExt::with_session`].
pub struct WithSession<L, S> {
    inner: L,
    addition: Addition,
    span_close: bool,
    // As in `Filtered`, this lets the compiler infer the subscriber of a layer that supports any
    // subscriber.
    subscriber: PhantomData<fn(S)>,
}

impl<L, S> WithSession<L, S> {
    /// Sets whether errors have the field `tags` with the string `error`. Default: yes.
    ///
    /// OpenReplay's documentation uses this field to mark errors. In the text formats of
    /// `fmt::layer()`, every error ends with `tags="error"`, so disable the field if only people
    /// read the lines. With [`as_sentry_tag`](Self::as_sentry_tag), errors do not have the field.
    ///
    /// ```
    /// use tracing_openreplay::LayerExt as _;
    /// use tracing_subscriber::{fmt, prelude::*};
    ///
    /// tracing_subscriber::registry().with(fmt::layer().with_session().with_tags(false));
    /// ```
    #[must_use]
    pub fn with_tags(mut self, tags: bool) -> Self {
        self.addition = match self.addition {
            Addition::SentryTag => Addition::SentryTag,
            _ if tags => Addition::PrefixAndTags,
            _ => Addition::Prefix,
        };
        self
    }

    /// Sets whether the layer receives an event when a span closes. Default: no.
    ///
    /// This works with any layer. For fmt's own `with_span_events`, see
    /// [`with_fmt_span_events`](Self::with_fmt_span_events).
    ///
    /// The event belongs to the session in which the span was created, whichever task closes the
    /// span. Its message is the name of the span and `closed`, such as `request closed`. Its fields
    /// are `busy_ms`, the milliseconds during which the span was entered, and `idle_ms`, the
    /// remaining milliseconds.
    ///
    /// The layer receives the event if the filters accept the span. Filters that decide for each
    /// event, such as [`SessionOnly`](crate::SessionOnly), do not see the event, so the layer also
    /// receives it outside a session.
    ///
    /// ```
    /// use tracing_openreplay::LayerExt as _;
    /// use tracing_subscriber::{fmt, prelude::*};
    ///
    /// tracing_subscriber::registry().with(fmt::layer().with_session().with_span_close(true));
    /// ```
    #[must_use]
    pub fn with_span_close(mut self, span_close: bool) -> Self {
        self.span_close = span_close;
        self
    }

    /// Adds the session as the tag `openReplaySession.id` instead of a prefix, for the layers of
    /// `sentry-tracing`.
    ///
    /// OpenReplay searches Sentry for this tag. Messages and errors do not change: Sentry groups
    /// events by their messages, so with an id in each message, every session would open its own
    /// issue.
    ///
    /// ```
    /// use tracing_openreplay::LayerExt as _;
    /// use tracing_subscriber::prelude::*;
    ///
    /// # fn of_sentry() -> tracing_subscriber::fmt::Layer<tracing_subscriber::Registry> { tracing_subscriber::fmt::layer() }
    /// # let error_layer = of_sentry();
    /// // let error_layer = sentry_tracing::ErrorLayer::new();
    /// tracing_subscriber::registry().with(error_layer.with_session().as_sentry_tag());
    /// ```
    ///
    /// The session is added as a field with the prefix `tags.`, because `sentry-tracing` converts
    /// such fields of events and issues to tags. In breadcrumbs and logs, the field is an attribute
    /// of that name.
    #[must_use]
    pub fn as_sentry_tag(mut self) -> Self {
        self.addition = Addition::SentryTag;
        self
    }
}

impl<S, N, E, W> WithSession<tracing_fmt::Layer<S, N, E, W>, S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    E: FormatEvent<S, N> + 'static,
    W: for<'a> MakeWriter<'a> + 'static,
{
    /// Adds the session to the events of fmt's own [`with_span_events`].
    ///
    /// fmt formats these events itself, so without this method they bypass `with_session()` and
    /// have no session. The event of a span that closes belongs to the session in which the span
    /// was created, whichever task closes the span.
    ///
    /// ```
    /// use tracing_openreplay::LayerExt as _;
    /// use tracing_subscriber::{fmt::{self, format::FmtSpan}, prelude::*};
    ///
    /// tracing_subscriber::registry().with(
    ///     fmt::layer()
    ///         .with_span_events(FmtSpan::CLOSE)
    ///         .with_session()
    ///         .with_fmt_span_events(),
    /// );
    /// ```
    ///
    /// When a request's span closes, this writes
    ///
    /// ```text
    ///  INFO request{path="/cart"}: [openReplaySession.id=42] close time.busy=1.52ms time.idle=8.71µs
    /// ```
    ///
    /// [`with_span_events`]: tracing_subscriber::fmt::Layer::with_span_events
    #[must_use]
    pub fn with_fmt_span_events(
        self,
    ) -> WithSession<tracing_fmt::Layer<S, N, FmtSpanEvents<E>, W>, S> {
        WithSession {
            inner: self.inner.map_event_format(FmtSpanEvents),
            addition: self.addition,
            span_close: self.span_close,
            subscriber: PhantomData,
        }
    }
}

impl<S, L> WithSession<L, S>
where
    L: Layer<S>,
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn pass(&self, event: &Event<'_>, session: Option<SessionId>, ctx: &Context<'_, S>) {
        let hand_on = |event: &Event<'_>| self.inner.on_event(event, ctx.clone());
        match rewrite::plan(event, session.as_ref(), self.addition) {
            Some(to) => rewrite::rewrite(event, session.as_ref(), to, &mut { hand_on }),
            None => mark::unchanged(event.metadata(), session, || hand_on(event)),
        }
    }
}

impl<S, L> Layer<S> for WithSession<L, S>
where
    L: Layer<S>,
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let session = lookup::of_event(event, &ctx);
        panic_stage::passed(|| self.pass(event, session, &ctx));
    }

    fn on_new_span(&self, attrs: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        lookup::remember(attrs, id, &ctx);
        if self.span_close
            && let Some(span) = ctx.span(id)
        {
            kept::add(&span, |kept| kept.timing = Some(Timing::start()));
        }
        self.inner.on_new_span(attrs, id, ctx);
    }

    fn on_enter(&self, id: &span::Id, ctx: Context<'_, S>) {
        if self.span_close {
            close::entered(id, &ctx);
        }
        self.inner.on_enter(id, ctx);
    }

    fn on_exit(&self, id: &span::Id, ctx: Context<'_, S>) {
        if self.span_close {
            close::exited(id, &ctx);
        }
        self.inner.on_exit(id, ctx);
    }

    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(&id) else {
            return self.inner.on_close(id, ctx);
        };
        let session = lookup::of_span(&span);
        if self.span_close {
            close::closed(&span, |event| self.pass(event, session, &ctx));
        }
        let metadata = span.metadata();
        // The registry removes a closed span only after all references to it have been dropped.
        drop(span);
        mark::unchanged(metadata, session, || self.inner.on_close(id, ctx));
    }

    // All other methods are forwarded to the inner layer.

    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.inner.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.inner.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.inner.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        self.inner.enabled(metadata, ctx)
    }

    fn event_enabled(&self, event: &Event<'_>, ctx: Context<'_, S>) -> bool {
        self.inner.event_enabled(event, ctx)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.inner.max_level_hint()
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        self.inner.on_record(id, values, ctx);
    }

    fn on_follows_from(&self, id: &span::Id, follows: &span::Id, ctx: Context<'_, S>) {
        self.inner.on_follows_from(id, follows, ctx);
    }

    fn on_id_change(&self, old: &span::Id, new: &span::Id, ctx: Context<'_, S>) {
        self.inner.on_id_change(old, new, ctx);
    }

    // Outer layers detect per-layer filters and `Option<L>` only with this method. If it were not
    // forwarded, those filters would silently have no effect. The trait's method is unsafe, so this
    // implementation must be unsafe as well.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the caller upholds the contract of this method, which is that of `inner`, and a
        // pointer into `inner` is valid as long as `self`.
        unsafe { self.inner.downcast_raw(id) }
    }
}

impl<L: Clone, S> Clone for WithSession<L, S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            ..*self
        }
    }
}

impl<L: fmt::Debug, S> fmt::Debug for WithSession<L, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithSession")
            .field("inner", &self.inner)
            .field("addition", &self.addition)
            .field("span_close", &self.span_close)
            .finish()
    }
}
