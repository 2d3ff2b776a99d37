//! fmt's own events of spans.

use openreplay_session::sync_without_session;
use tracing::{info, info_span, subscriber::with_default};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{
    Layer, Registry,
    filter::LevelFilter,
    fmt::{
        self,
        format::{DefaultFields, FmtSpan, Format, Full},
    },
    prelude::*,
};

use crate::{Sink, in_session};

/// fmt with these events, and with nothing in its lines that changes from run to run: without the
/// time, fmt leaves out the times of a span, too.
fn text(
    sink: &Sink,
    events: FmtSpan,
) -> fmt::Layer<Registry, DefaultFields, Format<Full, ()>, Sink> {
    fmt::layer()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_span_events(events)
        .with_writer(sink.clone())
}

fn written(sink: &Sink, layer: impl Layer<Registry> + Send + Sync, run: impl FnOnce()) -> String {
    with_default(Registry::default().with(layer), run);
    sink.text()
}

/// A request in a session and a span outside of it, both of which close in another session.
fn two_spans() {
    let outside = info_span!("outside");
    let span = in_session(42, || info_span!("request", method = "GET"));
    in_session(42, || span.in_scope(|| info!("in the handler")));
    in_session(7, || drop((span, outside)));
}

const TWO_SPANS: &str = " INFO request{method=\"GET\"}: [openReplaySession.id=42] in the handler\n \
                         INFO request{method=\"GET\"}: [openReplaySession.id=42] close\n \
                         INFO outside: close\n";

#[test]
fn the_line_of_a_span_that_closes_has_the_session_in_which_the_span_was_created() {
    let sink = Sink::default();
    let layer = text(&sink, FmtSpan::CLOSE).with_session();
    let layer = layer.with_fmt_span_events();
    assert_eq!(written(&sink, layer, two_spans), TWO_SPANS);
}

#[test]
fn a_second_call_changes_nothing() {
    let sink = Sink::default();
    let layer = text(&sink, FmtSpan::CLOSE).with_session();
    let layer = layer.with_fmt_span_events().with_fmt_span_events();
    assert_eq!(written(&sink, layer, two_spans), TWO_SPANS);
}

#[test]
fn a_filter_around_it_changes_nothing() {
    let sink = Sink::default();
    let layer = text(&sink, FmtSpan::CLOSE).with_session();
    let layer = layer.with_fmt_span_events();
    let layer = layer.with_filter(LevelFilter::INFO);
    assert_eq!(written(&sink, layer, two_spans), TWO_SPANS);
}

#[test]
fn all_other_lines_of_spans_have_it_too() {
    let sink = Sink::default();
    let layer = text(&sink, FmtSpan::FULL).with_session();
    let request = || info_span!("request").in_scope(|| info!("x"));
    let text = written(&sink, layer.with_fmt_span_events(), || {
        in_session(42, request);
        request();
    });
    let lines = |prefix: &str| {
        let events = ["new", "enter", "x", "exit", "close"];
        events.map(|event| format!(" INFO request: {prefix}{event}\n"))
    };
    let expected = [lines("[openReplaySession.id=42] "), lines("")].concat();
    assert_eq!(text, expected.concat());
}

#[test]
fn no_line_has_a_session_that_was_left() {
    let sink = Sink::default();
    let layer = text(&sink, FmtSpan::FULL).with_session();
    let text = written(&sink, layer.with_fmt_span_events(), || {
        let pool = in_session(42, || info_span!(parent: None, "pool"));
        in_session(42, || sync_without_session(|| drop(pool.enter())));
        pool.in_scope(|| ());
    });
    let lines = [
        // an event of the session, as any other that it writes there
        " INFO pool: [openReplaySession.id=42] new\n",
        " INFO pool: enter\n INFO pool: exit\n",
        " INFO pool: enter\n INFO pool: exit\n",
        " INFO pool: close\n",
    ];
    assert_eq!(text, lines.concat());
}

#[test]
fn each_format_has_it_and_keeps_the_times() {
    let sink = Sink::default();
    let json = fmt::layer().json().with_span_events(FmtSpan::CLOSE);
    let json = json.with_writer(sink.clone()).with_session();
    written(&sink, json.with_fmt_span_events(), two_spans);
    let records = sink.records();
    let messages = ["[openReplaySession.id=42] close", "close"];
    for (record, message) in records[1..].iter().zip(messages) {
        let fields = &record["fields"];
        assert_eq!(fields["message"], message);
        for time in ["time.busy", "time.idle"] {
            let time = fields[time].as_str().unwrap();
            assert!(time.ends_with('s') && !time.contains('"'), "{record}");
        }
    }

    let sink = Sink::default();
    let compact = fmt::layer().compact().with_span_events(FmtSpan::CLOSE);
    let compact = compact.with_writer(sink.clone()).with_ansi(false);
    let compact = compact.with_session().with_fmt_span_events();
    marks_one(&written(&sink, compact, two_spans));

    let sink = Sink::default();
    let pretty = fmt::layer().pretty().with_span_events(FmtSpan::CLOSE);
    let pretty = pretty.with_writer(sink.clone()).with_ansi(false);
    let pretty = pretty.with_session().with_fmt_span_events();
    marks_one(&written(&sink, pretty, two_spans));
}

#[track_caller]
fn marks_one(text: &str) {
    let marked = "[openReplaySession.id=42] close";
    assert_eq!(text.matches(marked).count(), 1, "{text}");
    assert_eq!(text.matches("openReplaySession").count(), 2, "{text}");
    assert_eq!(text.matches("time.busy").count(), 2, "{text}");
}
