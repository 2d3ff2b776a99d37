//! Records and spans.

use std::{hint::black_box, io};

use openreplay_session::{SessionId, sync_scope};
use tracing::{Dispatch, dispatcher::with_default, info, info_span};
use tracing_openreplay::{Json, LayerExt as _, json};
use tracing_subscriber::{Layer, Registry, fmt, prelude::*, registry};

use crate::{Case, Comparison, callgrind::TIMES};

const SESSION: u64 = 4_950_498_349_085_463_837;
const REPLAYS: &str = "https://openreplay.example.com/1234";

const EVENT: &str = "an event of three fields in a span";
const SPAN: &str = "a span of three fields";

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    subjects()
        .into_iter()
        .flat_map(|(subject, session, dispatch)| {
            [(EVENT, true, event as fn()), (SPAN, false, span)].map(|(scene, in_span, work)| {
                let dispatch = dispatch.clone();
                Case {
                    name: name(subject, scene),
                    run: Box::new(move |measure| {
                        let run = || {
                            let around = in_span.then(|| request().entered());
                            measure(&mut || (0..TIMES).for_each(|_| work()));
                            drop(around);
                        };
                        with_default(&dispatch, || sync_scope(session, run));
                    }),
                }
            })
        })
}

pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    [
        ("json()", "fmt json", EVENT, 11.0),
        ("json()", "json-subscriber", EVENT, 23.0),
        ("json()", "fmt json", SPAN, 35.0),
        // options
        ("json(), thread name", "json()", EVENT, 110.0),
        ("json(), thread id", "json()", EVENT, 110.0),
        ("json(), process id", "json()", EVENT, 110.0),
        ("json(), replay url", "json()", EVENT, 115.0),
        ("json(), span close", "json()", EVENT, 101.0),
        ("json(), constant field", "json()", EVENT, 110.0),
        ("json(), spans in message", "json()", EVENT, 140.0),
        // any other layer
        ("fmt, with_session", "fmt", EVENT, 155.0),
        ("fmt, with_session, no session", "fmt", EVENT, 104.0),
        ("fmt compact, with_session", "fmt compact", EVENT, 150.0),
        (
            "fmt compact, with_session, no session",
            "fmt compact",
            EVENT,
            104.0,
        ),
        ("fmt json, with_session", "fmt json", EVENT, 108.0),
        (
            "fmt json, with_session, no session",
            "fmt json",
            EVENT,
            104.0,
        ),
    ]
    .into_iter()
    .map(|(subject, peer, scene, limit)| Comparison {
        subject: name(subject, scene),
        peer: name(peer, scene),
        without: None,
        limit,
    })
}

fn name(subject: &str, scene: &str) -> String {
    format!("{subject}: {scene}")
}

/// A name, the session, and the layer.
fn subjects() -> Vec<(&'static str, Option<SessionId>, Dispatch)> {
    let session = Some(SessionId::from(SESSION));
    let plain = || fmt::layer().with_ansi(false).with_writer(io::sink);
    let compact = || plain().compact();
    let fmt_json = || plain().json();
    let json_subscriber = json_subscriber::fmt::layer().with_writer(io::sink);
    let in_session = |name, dispatch| (name, session, dispatch);
    let outside = |name, dispatch| (name, None, dispatch);
    vec![
        in_session("json()", ours(|json| json)),
        outside("json(), no session", ours(|json| json)),
        in_session(
            "json(), thread name",
            ours(|json| json.with_thread_name(true)),
        ),
        in_session("json(), thread id", ours(|json| json.with_thread_id(true))),
        in_session(
            "json(), process id",
            ours(|json| json.with_process_id(true)),
        ),
        in_session(
            "json(), replay url",
            ours(|json| json.with_replay_url(REPLAYS)),
        ),
        in_session(
            "json(), span close",
            ours(|json| json.with_span_close(true)),
        ),
        in_session(
            "json(), constant field",
            ours(|json| json.with_field("deployment.region", "eu")),
        ),
        in_session(
            "json(), spans in message",
            ours(|json| json.with_span_fields_in_message(true)),
        ),
        outside("fmt json", with(fmt_json())),
        outside("json-subscriber", with(json_subscriber)),
        outside("fmt", with(plain())),
        in_session("fmt, with_session", with(plain().with_session())),
        outside(
            "fmt, with_session, no session",
            with(plain().with_session()),
        ),
        outside("fmt compact", with(compact())),
        in_session("fmt compact, with_session", with(compact().with_session())),
        outside(
            "fmt compact, with_session, no session",
            with(compact().with_session()),
        ),
        in_session("fmt json, with_session", with(fmt_json().with_session())),
        outside(
            "fmt json, with_session, no session",
            with(fmt_json().with_session()),
        ),
    ]
}

fn ours(options: impl Fn(Json<fn() -> io::Sink>) -> Json<fn() -> io::Sink>) -> Dispatch {
    with(options(json().with_writer(io::sink as fn() -> io::Sink)))
}

fn with(layer: impl Layer<Registry> + Send + Sync) -> Dispatch {
    Dispatch::new(registry().with(layer))
}

fn event() {
    info!(
        user = black_box("anna"),
        status = black_box(200_u64),
        cached = black_box(true),
        "Endpoint accessed"
    );
}

fn span() {
    black_box(request());
}

fn request() -> tracing::Span {
    info_span!(
        "request",
        method = "GET",
        path = "/api/endpoint",
        attempt = 1_u64
    )
}
