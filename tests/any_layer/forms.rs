//! The ways in which a layer stands in people's code.

use tracing::{level_filters::LevelFilter, subscriber::with_default};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{EnvFilter, Registry, filter::filter_fn, prelude::*, reload};

use crate::{BoxedLayer, Seen, in_turn, request, with_layer};

type Form = fn(BoxedLayer) -> BoxedLayer;

/// Checks that a layer sees `all` in each of its forms, and from the second on in those that let
/// warnings through.
///
/// `capture` runs its argument with a layer, and tells what that layer has seen.
pub(crate) fn in_every_form(all: &[Seen], capture: impl Fn(&dyn Fn(BoxedLayer)) -> Vec<Seen>) {
    let whole: [(&str, Form); 7] = [
        ("plain", |layer| layer.with_session().boxed()),
        ("Some", |layer| Some(layer).with_session().boxed()),
        ("Some around", |layer| Some(layer.with_session()).boxed()),
        ("Vec", |layer| vec![layer].with_session().boxed()),
        ("Vec around", |layer| vec![layer.with_session()].boxed()),
        ("reload", |layer| {
            reload::Layer::new(layer).0.with_session().boxed()
        }),
        ("reload around", |layer| {
            reload::Layer::new(layer.with_session()).0.boxed()
        }),
    ];
    for (form, wrap) in whole {
        let seen = capture(&|layer| {
            in_turn(|| with_default(Registry::default().with(wrap(layer)), request));
        });
        assert_eq!(seen, all, "{form}");
    }

    let filtered: [(&str, Form); 6] = [
        ("filter", |layer| {
            layer.with_filter(LevelFilter::WARN).with_session().boxed()
        }),
        ("filter around", |layer| {
            layer.with_session().with_filter(LevelFilter::WARN).boxed()
        }),
        ("RUST_LOG", |layer| {
            layer
                .with_filter(EnvFilter::new("warn"))
                .with_session()
                .boxed()
        }),
        ("RUST_LOG around", |layer| {
            layer
                .with_session()
                .with_filter(EnvFilter::new("warn"))
                .boxed()
        }),
        ("function", |layer| {
            let warnings = filter_fn(|metadata| *metadata.level() <= tracing::Level::WARN);
            layer.with_filter(warnings).with_session().boxed()
        }),
        ("reloaded", |layer| {
            let (filter, handle) = reload::Layer::new(LevelFilter::OFF);
            let layer = layer.with_filter(filter).with_session().boxed();
            handle.reload(LevelFilter::WARN).unwrap();
            layer
        }),
    ];
    for (form, wrap) in filtered {
        let seen = capture(&|layer| {
            in_turn(|| with_default(Registry::default().with(wrap(layer)), request));
        });
        assert_eq!(seen, all[1..], "{form}");
    }

    let none = capture(&|layer| with_layer(Some(layer).filter(|_| false).with_session(), request));
    assert_eq!(none, []);
}
