//! `json().with_session()` writes the same records as `json()`, however the two are combined.

use std::error::Error;

use openreplay_session::{sync_scope, sync_without_session};
use proptest::prelude::*;
use serde_json::Value;
use test_kit::Lines;
use tracing::{debug_span, error, field::Empty, info, info_span, subscriber::with_default};
use tracing_core::LevelFilter;
use tracing_openreplay::{Json, LayerExt as _, SessionOnly, json};
use tracing_subscriber::{Layer, Registry, fmt, prelude::*, reload};

use crate::{
    ID,
    any_event::{Any, Chain, log_any, pairs},
    clock,
};

/// Logs events of all kinds, inside and outside a session.
fn events() {
    let chain = Chain::of(&["no answer", "no connection", "refused"].map(str::to_owned)).unwrap();
    let chain: &(dyn Error + 'static) = &*chain;
    for session in [None, Some(ID)] {
        sync_scope(session.map(openreplay_session::SessionId::from), || {
            let _span = info_span!("request", user = "anna").entered();
            info!(items = 3, text = "a b", "text {}", 1);
            info!(items = 3, bytes = &b"+&"[..]);
            info!(message = Empty, items = 3);
            info!("openReplaySession.id=42");
            info!("");
            info!(message = 0.5);
            info!(message = &b"+&"[..]);
            error!(message = chain, after = 1);
            error!(error = chain, after = 1);
            error!(error = chain, after = 1, "text");
            error!(tags = 3, "text");
            error!(tags = "a b");
            error!(tags = "an error");
            error!(tags = ?Some("x"), after = 1);
            error!(tags = Empty, "text");
            info!(tags = 3, "text");
            let record = tracing_log::log::Record::builder()
                .level(tracing_log::log::Level::Error)
                .target("library")
                .args(format_args!("of log"))
                .build();
            tracing_log::format_trace(&record).unwrap();
        });
    }
}

fn to(written: &Lines) -> Json<impl Fn() -> Lines + use<>> {
    let writer = written.clone();
    json().with_clock(clock).with_writer(move || writer.clone())
}

/// Returns the output of two layers in one subscriber.
fn two(
    one: impl Layer<Registry> + Send + Sync,
    other: impl Layer<Registry> + Send + Sync,
    run: impl FnOnce(),
) {
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![one.boxed(), other.boxed()];
    with_default(Registry::default().with(layers), run);
}

fn json_of(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[track_caller]
fn assert_equal(layer: impl FnOnce(&Lines) -> Box<dyn Layer<Registry> + Send + Sync>) {
    let (plain, wrapped) = (Lines::default(), Lines::default());
    two(to(&plain), layer(&wrapped), events);
    let (plain, wrapped) = (plain.text(), wrapped.text());
    assert!(plain.lines().count() > 20);
    for (plain, wrapped) in plain.lines().zip(wrapped.lines()) {
        assert_eq!(json_of(plain), json_of(wrapped));
    }
    assert_eq!(plain, wrapped);
}

#[test]
fn alone_and_twice() {
    assert_equal(|written| to(written).with_session().boxed());
    assert_equal(|written| to(written).with_session().with_session().boxed());
    assert_equal(|written| to(written).with_session().with_tags(false).boxed());
    assert_equal(|written| to(written).with_session().as_sentry_tag().boxed());
}

#[test]
fn in_two_wrappers_with_different_options() {
    for (inner, outer) in [(true, false), (false, true), (false, false)] {
        assert_equal(|written| {
            let layer = to(written).with_session().with_tags(inner);
            layer.with_session().with_tags(outer).boxed()
        });
    }
    assert_equal(|written| {
        let layer = to(written).with_session().as_sentry_tag();
        layer.with_session().boxed()
    });
    assert_equal(|written| {
        let layer = to(written).with_session();
        layer.with_session().as_sentry_tag().with_session().boxed()
    });
}

#[test]
fn through_a_filter() {
    let filter = LevelFilter::TRACE;
    assert_equal(|written| to(written).with_filter(filter).with_session().boxed());
    assert_equal(|written| to(written).with_session().with_filter(filter).boxed());
}

#[test]
fn through_an_option() {
    assert_equal(|written| Some(to(written)).with_session().boxed());
    assert_equal(|written| Some(to(written).with_session()).boxed());
}

#[test]
fn through_a_box() {
    assert_equal(|written| to(written).boxed().with_session().boxed());
    assert_equal(|written| vec![to(written)].with_session().boxed());
}

#[test]
fn through_reload() {
    assert_equal(|written| reload::Layer::new(to(written)).0.with_session().boxed());
    assert_equal(|written| reload::Layer::new(to(written).with_session()).0.boxed());
}

#[test]
fn next_to_another_layer_that_needs_the_rewriting() {
    let other = Lines::default();
    let writer = other.clone();
    let text = fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    assert_equal(|written| text.and_then(to(written)).with_session().boxed());
    assert!(
        other
            .text()
            .contains("[openReplaySession.id=4950498349085463837] text 1")
    );
}

#[test]
fn the_session_of_a_span_that_a_filter_hides_is_kept() {
    let written = Lines::default();
    let layer = to(&written).with_filter(tracing_subscriber::filter::filter_fn(|metadata| {
        metadata.is_event()
    }));
    let all = fmt::layer().with_writer(std::io::sink);
    with_default(
        Registry::default().with(all).with(layer.with_session()),
        || {
            let span = sync_scope(openreplay_session::SessionId::from(ID), || {
                info_span!("request")
            });
            span.in_scope(|| info!("spawned"));
        },
    );
    let records = written.records();
    let id = &records[0]["openReplaySession.id"];
    assert_eq!(id, &Value::from(ID.to_string()));
}

/// The inner layer's filter hides a boundary here, the span of a connection that belongs to no
/// request.
#[test]
fn a_boundary_that_a_filter_hides_is_kept() {
    let written = Lines::default();
    let layer = to(&written).with_span_close(true);
    let layer = layer.with_filter(LevelFilter::INFO).with_session();
    let debug = fmt::layer().with_writer(std::io::sink);
    with_default(Registry::default().with(debug).with(layer), || {
        let spans = sync_scope(openreplay_session::SessionId::from(ID), || {
            let _request = info_span!("request").entered();
            let pool = debug_span!(parent: None, "pool");
            let connection = pool.in_scope(|| info_span!("connection"));
            let worker = sync_without_session(|| debug_span!("worker"));
            [connection, worker]
        });
        for span in spans {
            span.in_scope(|| {
                info!("in no session");
                info_span!("job").in_scope(|| info!("in no session"));
            });
        }
    });
    let records = written.records();
    assert_eq!(records.len(), 8, "{records:?}");
    for record in records {
        let is_request = record["message"]
            .as_str()
            .unwrap()
            .contains("request closed");
        let session = record.get("openReplaySession.id");
        assert_eq!(session.is_some(), is_request, "{record}");
    }
}

#[test]
fn the_filter_for_sessions_sees_the_same() {
    let (plain, wrapped) = (Lines::default(), Lines::default());
    two(
        to(&plain).with_filter(SessionOnly),
        to(&wrapped).with_filter(SessionOnly).with_session(),
        events,
    );
    assert_eq!(plain.text(), wrapped.text());
}

proptest! {
    #[test]
    fn for_any_event(mut event in pairs(8), tags in any::<bool>(), in_session in any::<bool>()) {
        // A second field `message` loses its type.
        let message = event.iter().position(|(name, _)| name == "message");
        let mut at = 0..;
        event.retain(|(name, _)| at.next() == message || name != "message");
        // An error in `tags` becomes text, and a float may be written as an equal one.
        let fits = |(name, value): &&mut (String, Any)| name != "message" && !matches!(value, Any::Error(_) | Any::F64(_));
        if let Some(last) = event.last_mut().filter(|last| tags && fits(last)) {
            last.0 = "tags".to_owned();
        }
        let (plain, wrapped) = (Lines::default(), Lines::default());
        two(to(&plain), to(&wrapped).with_session(), || log_any(&event, in_session));
        prop_assert_eq!(plain.text(), wrapped.text());
    }
}
