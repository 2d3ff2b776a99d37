//! Records and spans.

use std::{
    hint::black_box,
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use openreplay_session::{SessionId, sync_scope};
use tracing::{Dispatch, dispatcher::with_default, info, info_span};
use tracing_openreplay::{Json, LayerExt as _, json};
use tracing_subscriber::{Layer, Registry, fmt, prelude::*, registry};

use crate::{Case, Comparison, callgrind::TIMES};

/// A session that starts now, so that the address of its replay has a time in it.
fn session() -> SessionId {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = now.expect("it is after 1970").as_secs() * 1000;
    SessionId::from((millis - 1_550_000_000_000) << 24)
}

/// What happens.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    name: &'static str,
    in_span: bool,
    work: fn(),
}

pub(crate) const EVENT: Scene = Scene {
    name: "an event of three fields in a span",
    in_span: true,
    work: event,
};
/// The message as `with_session()` makes it, written by hand.
const PREFIXED: Scene = Scene {
    name: "the same event with the session in its message",
    in_span: true,
    work: prefixed,
};
pub(crate) const SPAN: Scene = Scene {
    name: "a span of three fields",
    in_span: false,
    work: span,
};
pub(crate) const BOTH: Scene = Scene {
    name: "such a span with such an event in it",
    in_span: false,
    work: both,
};

/// A layer, and where it writes.
pub(crate) struct Subject {
    name: String,
    session: Option<SessionId>,
    dispatch: Dispatch,
}

impl Subject {
    pub(crate) fn in_session(name: &str, dispatch: Dispatch) -> Self {
        Self {
            name: name.to_owned(),
            session: Some(session()),
            dispatch,
        }
    }

    fn outside(name: &str, dispatch: Dispatch) -> Self {
        Self {
            session: None,
            ..Self::in_session(name, dispatch)
        }
    }

    /// A case for each of the scenes.
    pub(crate) fn in_scenes<const N: usize>(self, scenes: [Scene; N]) -> [Case; N] {
        scenes.map(|scene| self.case(scene))
    }

    fn case(&self, scene: Scene) -> Case {
        let (session, dispatch) = (self.session, self.dispatch.clone());
        Case {
            name: name(&self.name, scene),
            run: Box::new(move |measure| {
                let run = || {
                    let around = scene.in_span.then(|| request().entered());
                    measure(&mut || (0..TIMES).for_each(|_| (scene.work)()));
                    drop(around);
                };
                with_default(&dispatch, || sync_scope(session, run));
            }),
        }
    }
}

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let ours = ours().map(|subject| subject.in_scenes([EVENT, SPAN, BOTH]));
    let others = others().into_iter();
    let others = others.map(|subject| subject.in_scenes([EVENT, SPAN, PREFIXED]));
    ours.into_iter().flatten().chain(others.flatten())
}

pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    [
        (("json()", EVENT), ("fmt json", EVENT), 11.5),
        // 22.5 without the feature `opentelemetry`, 23.6 with it
        (("json()", EVENT), ("json-subscriber", EVENT), 24.0),
        (("json()", SPAN), ("fmt json", SPAN), 35.0),
        // any other layer: fmt looks at each byte of a message, of the prefix too
        (("fmt, with_session", EVENT), ("fmt", EVENT), 155.0),
        (("fmt, with_session", EVENT), ("fmt", PREFIXED), 120.0),
        (
            ("fmt, with_session, no session", EVENT),
            ("fmt", EVENT),
            104.0,
        ),
        (
            ("fmt compact, with_session", EVENT),
            ("fmt compact", EVENT),
            150.0,
        ),
        (
            ("fmt compact, with_session", EVENT),
            ("fmt compact", PREFIXED),
            120.0,
        ),
        (
            ("fmt compact, with_session, no session", EVENT),
            ("fmt compact", EVENT),
            104.0,
        ),
        (
            ("fmt json, with_session", EVENT),
            ("fmt json", EVENT),
            108.0,
        ),
        (
            ("fmt json, with_session, no session", EVENT),
            ("fmt json", EVENT),
            104.0,
        ),
    ]
    .into_iter()
    .map(|(subject, peer, limit)| comparison(subject, peer, limit))
}

pub(crate) fn comparison(subject: (&str, Scene), peer: (&str, Scene), limit: f64) -> Comparison {
    Comparison {
        subject: name(subject.0, subject.1),
        peer: name(peer.0, peer.1),
        without: None,
        limit,
    }
}

fn name(subject: &str, scene: Scene) -> String {
    format!("{subject}: {}", scene.name)
}

fn ours() -> [Subject; 2] {
    [
        Subject::in_session("json()", json_with(|json| json)),
        Subject::outside("json(), no session", json_with(|json| json)),
    ]
}

fn others() -> Vec<Subject> {
    let plain = || fmt::layer().with_ansi(false).with_writer(io::sink);
    let compact = || plain().compact();
    let fmt_json = || plain().json();
    let json_subscriber = json_subscriber::fmt::layer().with_writer(io::sink);
    let (in_session, outside) = (Subject::in_session, Subject::outside);
    vec![
        outside("no layer", Dispatch::new(registry())),
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

pub(crate) type Sink = fn() -> io::Sink;

pub(crate) fn json_with(options: impl Fn(Json<Sink>) -> Json<Sink>) -> Dispatch {
    with(options(json().with_writer(io::sink as Sink)))
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

fn prefixed() {
    info!(
        user = black_box("anna"),
        status = black_box(200_u64),
        cached = black_box(true),
        "[openReplaySession.id=4950498349085463837] Endpoint accessed"
    );
}

fn span() {
    black_box(request());
}

fn both() {
    request().in_scope(event);
}

fn request() -> tracing::Span {
    info_span!(
        "request",
        method = "GET",
        path = "/api/endpoint",
        attempt = 1_u64
    )
}
