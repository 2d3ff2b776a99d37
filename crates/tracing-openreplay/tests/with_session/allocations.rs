use std::io;

use allocation_counter::measure;
use tracing::{error, info, info_span, subscriber::with_default};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Layer, Registry, fmt, prelude::*};

use crate::in_session;

/// Returns the allocations of a hundred rounds in steady state.
fn steady(layer: impl Layer<Registry> + Send + Sync, round: impl Fn()) -> u64 {
    with_default(Registry::default().with(layer), || {
        (0..100).for_each(|_| round());
        measure(|| (0..100).for_each(|_| round())).count_total
    })
}

fn alone() -> impl Layer<Registry> + Send + Sync {
    fmt::layer().with_writer(io::sink)
}

fn events() {
    let span = info_span!("request", path = "/cart");
    let _span = span.entered();
    info!(items = 3, path = "/cart", took = ?2.0, "cart opened");
    info!(items = 3);
    error!(code = 7, "out of stock");
}

#[test]
fn nothing_is_allocated_outside_a_session() {
    assert_eq!(
        steady(alone().with_session(), events),
        steady(alone(), events)
    );
}

#[test]
fn only_the_stored_session_of_a_span_is_allocated() {
    let round = || in_session(42, events);
    assert_eq!(
        steady(alone().with_session(), round),
        steady(alone(), round) + 100
    );

    let without_span = || {
        in_session(
            42,
            || info!(items = 3, path = "/cart", took = ?2.0, "cart opened"),
        );
    };
    assert_eq!(
        steady(alone().with_session(), without_span),
        steady(alone(), without_span)
    );
}
