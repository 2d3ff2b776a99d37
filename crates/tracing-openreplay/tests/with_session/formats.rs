use tracing::{error, info, info_span, subscriber::with_default, warn};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Layer, Registry, fmt, prelude::*};

use crate::{Sink, fields, in_session, written};

fn request() {
    in_session(42, || {
        let _span = info_span!("request", path = "/cart").entered();
        info!(items = 3, "cart opened");
        error!("out of stock");
    });
    warn!("no session");
}

fn through<L: Layer<Registry> + Send + Sync>(layer: impl FnOnce(Sink) -> L) -> String {
    let sink = Sink::default();
    with_default(
        Registry::default().with(layer(sink.clone()).with_session()),
        request,
    );
    sink.text()
}

#[test]
fn full() {
    assert_eq!(
        written(request),
        " INFO request{path=\"/cart\"}: [openReplaySession.id=42] cart opened items=3\n\
         ERROR request{path=\"/cart\"}: [openReplaySession.id=42] out of stock tags=\"error\"\n \
         WARN no session\n",
    );
}

#[test]
fn compact() {
    let format = fmt::format()
        .compact()
        .without_time()
        .with_target(false)
        .with_ansi(false);
    assert_eq!(
        through(|sink| fmt::layer()
            .event_format(format)
            .with_ansi(false)
            .with_writer(sink)),
        " INFO request: [openReplaySession.id=42] cart opened items=3 path=\"/cart\"\n\
         ERROR request: [openReplaySession.id=42] out of stock tags=\"error\" path=\"/cart\"\n \
         WARN no session\n",
    );
}

#[test]
fn pretty() {
    let format = fmt::format()
        .pretty()
        .without_time()
        .with_target(false)
        .with_source_location(false);
    let text = through(|sink| {
        fmt::layer()
            .pretty()
            .event_format(format)
            .with_ansi(false)
            .with_writer(sink)
    });
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(
        lines,
        [
            "INFO  [openReplaySession.id=42] cart opened, items: 3",
            "in request with path: \"/cart\"",
            "ERROR  [openReplaySession.id=42] out of stock, tags: \"error\"",
            "in request with path: \"/cart\"",
            "WARN  no session",
        ]
    );
}

#[test]
fn json() {
    assert_eq!(
        fields(request),
        [
            serde_json::json!({ "message": "[openReplaySession.id=42] cart opened", "items": 3 }),
            serde_json::json!({ "message": "[openReplaySession.id=42] out of stock", "tags": "error" }),
            serde_json::json!({ "message": "no session" }),
        ]
    );
}

#[test]
fn file_and_line_are_those_of_the_event() {
    let sink = Sink::default();
    let layer = fmt::layer()
        .json()
        .with_file(true)
        .with_line_number(true)
        .with_writer(sink.clone());
    let line = with_default(Registry::default().with(layer.with_session()), || {
        in_session(42, || info!("here"));
        line!() - 1
    });
    let record = &sink.records()[0];
    assert_eq!(record["filename"], file!());
    assert_eq!(record["line_number"], line);
    assert_eq!(record["target"], module_path!());
}
