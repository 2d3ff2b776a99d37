//! Any other layer, its events marked with their session.

pub(crate) mod mark;
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
use crate::{close, lookup, panics};

/// Brings [`with_session`](Self::with_session) to every [`Layer`].
pub trait LayerExt<S>: Layer<S> + Sized
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    /// Marks the events that this layer is given with the session in which they happened.
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
    ///         tracing::info!(status = 200, "answered");
    ///         tracing::error!("out of stock");
    ///     });
    ///     tracing::info!("no session");
    /// });
    /// # let mut written = String::new();
    /// # io::Read::read_to_string(&mut reader, &mut written)?;
    /// # assert_eq!(
    /// #     written,
    /// #     " INFO [openReplaySession.id=42] answered status=200\n\
    /// #     ERROR [openReplaySession.id=42] out of stock tags=\"error\"\n INFO no session\n",
    /// # );
    /// # io::Result::Ok(())
    /// ```
    ///
    /// writes
    ///
    /// ```text
    ///  INFO [openReplaySession.id=42] answered status=200
    /// ERROR [openReplaySession.id=42] out of stock tags="error"
    ///  INFO no session
    /// ```
    ///
    /// # What changes, and what does not
    ///
    /// - `message` begins with `[openReplaySession.id=<id>] `, by which OpenReplay finds it. An
    ///   event without a message gets a message of its fields, so that its row in OpenReplay is not
    ///   empty.
    /// - An error has one more field: `tags`, with the text `error`, in a session or not. Text,
    ///   because every layer can write that, and to Elasticsearch a text is the same as a list of
    ///   one. In an event with a `tags` field of its own, ` error` is added to that field's text:
    ///   `tags=3` becomes `tags="3 error"`. See [`with_tags`](WithSession::with_tags).
    /// - All else is handed on as the macro recorded it: a number is a number, an error is that
    ///   very error, with its causes. Metadata, span and callsite are the original's, so that
    ///   filters decide as before. `log` records keep target, file and line.
    /// - A value whose `Debug` panics is cut there, and an error that would harm the layer, because
    ///   its causes have no end or one of its methods panics, is passed on as a text.
    /// - Outside of a session, what is no error passes through untouched.
    /// - [`json()`](crate::json()) writes what it writes without `with_session()`.
    ///
    /// # Order
    ///
    /// Filters work on either side of `with_session()`. In `layer.with_filter(f).with_session()`
    /// the spans that `f` hides still count: they give their session to spawned work, and with
    /// `parent: None` they are boundaries. In `layer.with_session().with_filter(f)` they do not
    /// count. A boundary exists only for layers that see its span.
    ///
    /// # Text from clients
    ///
    /// OpenReplay assigns every record with `openReplaySession.id=<id>` in its message to that
    /// session. In a session this phrase is broken wherever it stands in a message but at the front
    /// (`openReplaySessi*n.id`), so that a client's text cannot name another session. Events
    /// outside of a session, the other fields, and spans are the inner layer's: where such a
    /// layer's whole line becomes the message, as with plain text, a client's text in them can be
    /// taken for the phrase.
    fn with_session(self) -> WithSession<Self, S> {
        panics::expect_records();
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

/// A layer whose events carry their session, see [`LayerExt::with_session`].
pub struct WithSession<L, S> {
    inner: L,
    addition: Addition,
    span_close: bool,
    // as in `Filtered`: without it nobody could tell for which subscriber a layer that fits all of
    // them is wrapped
    subscriber: PhantomData<fn(S)>,
}

impl<L, S> WithSession<L, S> {
    /// Whether an error has the field `tags`, with the text `error`. Default: yes.
    ///
    /// OpenReplay's documentation marks errors by this field. Leave it out of lines that only
    /// people read: in the text formats of `fmt::layer()` every error ends in `tags="error"`.
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

    /// Whether the layer gets an event when a span closes. Default: no.
    ///
    /// Any layer can have this event, also one that has no such option of its own. For fmt's own
    /// `with_span_events`, see [`with_fmt_span_events`](Self::with_fmt_span_events). The event has
    /// the session in which the span was created, wherever it is closed. Its message is `request closed` with the span's name, and its fields are `busy_ms`,
    /// the milliseconds during which the span was entered, and `idle_ms`, the others.
    ///
    /// The layer gets the event if the filters accept the span. Filters that judge each event, such
    /// as [`SessionOnly`](crate::SessionOnly), do not see the event, so the layer gets the event
    /// outside of a session as well.
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

    /// For the layers of `sentry-tracing`: the session becomes the tag `openReplaySession.id`,
    /// which is what OpenReplay searches Sentry for.
    ///
    /// Message and errors stay as they are. Sentry groups events by their messages: with an id in
    /// each, every session would open an issue of its own.
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
    /// `sentry-tracing` makes a tag of each field of an event whose name begins with `tags.`, so
    /// that is what is added. It does so for events and issues; on a breadcrumb or a log it is an
    /// attribute of that name.
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
    /// Marks the events of [`with_span_events`] with their session as well.
    ///
    /// fmt writes these events itself: without this method, `with_session()` does not see them, and
    /// they have no session. The event of a span that closes has the session in which the span was
    /// created, wherever it is closed.
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
    /// A request's latency then is
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
        panics::accept();
        let session = lookup::of_event(event, &ctx);
        self.pass(event, session, &ctx);
    }

    fn on_new_span(&self, attrs: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        lookup::remember(attrs, id, &ctx);
        if self.span_close {
            close::created(id, &ctx);
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
        // the last closing of a span removes it from the registry, once nobody holds it
        drop(span);
        mark::unchanged(metadata, session, || self.inner.on_close(id, ctx));
    }

    // from here on as the inner layer has it

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

    // The layers around per-layer filters and `Option<L>` detect them only with this method;
    // without it, those filters silently have no effect. The trait's method is unsafe, so
    // forwarding it cannot be otherwise.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the caller's promise is handed on unchanged, and a pointer into `inner` lives as
        // long as `self`
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
