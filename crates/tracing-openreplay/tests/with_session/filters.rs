use std::sync::{Arc, Mutex};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber, error, info, info_span, span,
    subscriber::{Interest, with_default},
    warn,
};
use tracing_openreplay::{LayerExt as _, SessionOnly};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, filter_fn},
    layer::Context,
    prelude::*,
    reload,
};

use crate::{Sink, in_session, text};

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

fn three_levels() {
    in_session(42, || {
        info!("i");
        warn!("w");
        error!("e");
    });
}

const ALL: &str = " INFO [openReplaySession.id=42] i\n WARN [openReplaySession.id=42] w\nERROR [openReplaySession.id=42] e tags=\"error\"\n";
const WARNINGS: &str =
    " WARN [openReplaySession.id=42] w\nERROR [openReplaySession.id=42] e tags=\"error\"\n";

/// Asserts that the layer has only warnings, and that a layer without a filter has all records.
macro_rules! filters_for_itself {
    ($($sink:ident: $layer:expr;)*) => { $({
        let ($sink, all) = (&Sink::default(), Sink::default());
        let subscriber = Registry::default().with($layer).with(text(&all).with_session());
        only_warnings_next_to_all(subscriber, $sink, &all, stringify!($layer));

        let ($sink, all) = (&Sink::default(), Sink::default());
        let subscriber = Registry::default().with(text(&all).with_session()).with($layer);
        only_warnings_next_to_all(subscriber, $sink, &all, concat!(stringify!($layer), " comes second"));
    })* };
}

fn only_warnings_next_to_all(
    subscriber: impl Subscriber + Send + Sync,
    some: &Sink,
    all: &Sink,
    row: &str,
) {
    // Subscribers of other tests raise the maximum level of the process, so a wrong hint would not
    // change the output.
    assert_eq!(subscriber.max_level_hint(), None, "{row}");
    with_default(subscriber, three_levels);
    assert_eq!(some.text(), WARNINGS, "{row}");
    assert_eq!(all.text(), ALL, "{row}");
}

#[test]
fn a_filter_of_one_layer_does_not_affect_others() {
    filters_for_itself! {
        sink: text(sink).with_filter(LevelFilter::WARN).with_session();
        sink: text(sink).with_session().with_filter(LevelFilter::WARN);
        sink: text(sink).with_filter(EnvFilter::new("warn")).with_session();
        sink: text(sink).with_session().with_filter(EnvFilter::new("warn"));
        sink: text(sink).with_filter(filter_fn(|metadata| *metadata.level() <= Level::WARN)).with_session();
        sink: text(sink).boxed().with_filter(LevelFilter::WARN).boxed().with_session().boxed();
        sink: Some(text(sink).with_filter(LevelFilter::WARN)).with_session();
        sink: vec![text(sink).with_filter(LevelFilter::WARN)].with_session();
        sink: vec![text(sink).with_session().with_filter(LevelFilter::WARN)];
    }
}

#[test]
fn only_filters_determine_the_maximum_level() {
    let sink = Sink::default();
    let subscriber = Registry::default()
        .with(text(&sink).with_filter(LevelFilter::WARN).with_session())
        .with(text(&sink).with_session().with_filter(LevelFilter::ERROR));
    assert_eq!(subscriber.max_level_hint(), Some(LevelFilter::WARN));
}

#[test]
fn the_filter_for_sessions_accepts_marked_events() {
    let sink = Sink::default();
    let layer = text(&sink).with_session().with_filter(SessionOnly);
    with_default(Registry::default().with(layer), || {
        info!("no session");
        in_session(42, || info!("i"));
    });
    assert_eq!(sink.text(), " INFO [openReplaySession.id=42] i\n");
}

#[test]
fn a_layer_can_be_none_boxed_or_a_list() {
    let with = |layer: &dyn Fn(&Sink) -> BoxedLayer| {
        let (sink, other) = (Sink::default(), Sink::default());
        let subscriber = Registry::default().with(layer(&sink).and_then(text(&other)));
        with_default(subscriber, three_levels);
        assert_eq!(other.text(), " INFO i\n WARN w\nERROR e\n");
        sink.text()
    };
    assert_eq!(with(&|sink| Some(text(sink)).with_session().boxed()), ALL);
    assert_eq!(with(&|_| None::<BoxedLayer>.with_session().boxed()), "");
    assert_eq!(with(&|sink| Some(text(sink).with_session()).boxed()), ALL);
    assert_eq!(with(&|sink| text(sink).boxed().with_session().boxed()), ALL);
    assert_eq!(
        with(&|sink| {
            let errors = text(sink).with_filter(LevelFilter::ERROR).boxed();
            vec![errors, text(sink).with_filter(LevelFilter::WARN).boxed()]
                .with_session()
                .boxed()
        }),
        " WARN [openReplaySession.id=42] w\n".to_owned()
            + &"ERROR [openReplaySession.id=42] e tags=\"error\"\n".repeat(2),
    );
}

#[test]
fn a_layer_that_is_none_enables_nothing() {
    let subscriber = Registry::default().with(None::<BoxedLayer>.with_session());
    let bare = Registry::default().with(None::<BoxedLayer>);
    assert_eq!(subscriber.max_level_hint(), bare.max_level_hint());
}

#[test]
fn a_reload_takes_effect() {
    let sink = Sink::default();
    let (filter, handle) = reload::Layer::new(LevelFilter::ERROR);
    let (layer, layer_handle) = reload::Layer::new(text(&sink).boxed());
    let subscriber = Registry::default().with(layer.with_session().with_filter(filter));
    with_default(subscriber, || {
        three_levels();
        handle.reload(LevelFilter::WARN).unwrap();
        three_levels();
        layer_handle
            .reload(tracing_subscriber::layer::Identity::new().boxed())
            .unwrap();
        three_levels();
    });
    assert_eq!(
        sink.text(),
        "ERROR [openReplaySession.id=42] e tags=\"error\"\n".to_owned() + WARNINGS
    );
}

#[test]
fn every_callback_is_forwarded_to_the_inner_layer() {
    let calls = Calls::default();
    let changes_id = ChangesId(calls.clone().with_session());
    let subscriber = Registry::default()
        .with(calls.clone().with_session())
        .with(changes_id);
    with_default(subscriber, || {
        let first = info_span!("first", late = tracing::field::Empty);
        first.record("late", 1);
        first.follows_from(info_span!("second").id());
        first.in_scope(|| info!("x"));
    });
    let seen = calls.0.lock().unwrap();
    let missing: Vec<_> = Calls::ALL
        .iter()
        .filter(|name| !seen.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {seen:?}");
}

/// A layer that reports a changed id to the inner layer, which the registry never does.
struct ChangesId<L>(L);

impl<S: Subscriber, L: Layer<S>> Layer<S> for ChangesId<L> {
    fn on_event(&self, _: &Event<'_>, ctx: Context<'_, S>) {
        self.0
            .on_id_change(&span::Id::from_u64(1), &span::Id::from_u64(2), ctx);
    }
}

/// A layer that records its calls.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<&'static str>>>);

impl Calls {
    const ALL: [&'static str; 14] = [
        "on_register_dispatch",
        "on_layer",
        "register_callsite",
        "enabled",
        "event_enabled",
        "max_level_hint",
        "on_new_span",
        "on_record",
        "on_follows_from",
        "on_event",
        "on_enter",
        "on_exit",
        "on_close",
        "on_id_change",
    ];

    fn note(&self, name: &'static str) {
        self.0.lock().unwrap().push(name);
    }
}

impl<S: Subscriber> Layer<S> for Calls {
    fn on_register_dispatch(&self, _: &Dispatch) {
        self.note("on_register_dispatch");
    }

    fn on_layer(&mut self, _: &mut S) {
        self.note("on_layer");
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        self.note("register_callsite");
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.note("enabled");
        true
    }

    fn event_enabled(&self, _: &Event<'_>, _: Context<'_, S>) -> bool {
        self.note("event_enabled");
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.note("max_level_hint");
        None
    }

    fn on_new_span(&self, _: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.note("on_new_span");
    }

    fn on_record(&self, _: &span::Id, _: &span::Record<'_>, _: Context<'_, S>) {
        self.note("on_record");
    }

    fn on_follows_from(&self, _: &span::Id, _: &span::Id, _: Context<'_, S>) {
        self.note("on_follows_from");
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.note("on_event");
    }

    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        self.note("on_enter");
    }

    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        self.note("on_exit");
    }

    fn on_close(&self, _: span::Id, _: Context<'_, S>) {
        self.note("on_close");
    }

    fn on_id_change(&self, _: &span::Id, _: &span::Id, _: Context<'_, S>) {
        self.note("on_id_change");
    }
}
