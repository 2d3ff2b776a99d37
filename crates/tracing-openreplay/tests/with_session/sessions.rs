use std::thread;

use tracing::{error, info, info_span, subscriber::with_default};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Registry, prelude::*};

use crate::{Sink, fields, in_session, text, written};

#[test]
fn a_span_takes_its_session_to_another_thread() {
    let text = written(|| {
        let span = in_session(42, || info_span!("job"));
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let work = move || {
            tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| info!("on a thread")));
        };
        thread::spawn(work).join().unwrap();
    });
    assert_eq!(text, " INFO job: [openReplaySession.id=42] on a thread\n");
}

#[test]
fn explicit_parents_and_roots_are_kept() {
    let text = written(|| {
        let one = in_session(1, || info_span!("one"));
        let _two = in_session(2, || info_span!("two")).entered();
        info!(parent: &one, "of one");
        in_session(3, || info!(parent: None, "of none"));
    });
    assert_eq!(
        text,
        " INFO one: [openReplaySession.id=1] of one\n INFO [openReplaySession.id=3] of none\n",
    );
}

#[test]
fn two_wrappers_mark_an_event_once() {
    let sink = Sink::default();
    let layer = text(&sink).with_session().with_session();
    with_default(Registry::default().with(layer), || {
        in_session(42, || error!("x"));
    });
    assert_eq!(
        sink.text(),
        "ERROR [openReplaySession.id=42] x tags=\"error\"\n"
    );
}

#[test]
fn two_wrappers_add_each_part_once() {
    for (inner, outer) in [(true, true), (true, false), (false, true), (false, false)] {
        let sink = Sink::default();
        let layer = text(&sink).with_session().with_tags(inner);
        let layer = layer.with_session().with_tags(outer);
        with_default(Registry::default().with(layer), || {
            error!("outside");
            in_session(42, || {
                info!("x");
                error!("x");
                error!(tags = "slow", "x");
            });
        });
        let own = ["", " tags=\"error\""][usize::from(inner || outer)];
        let error = ["", " error"][usize::from(inner || outer)];
        let id = "[openReplaySession.id=42]";
        let expected = format!(
            "ERROR outside{own}\n INFO {id} x\nERROR {id} x{own}\nERROR {id} x tags=\"slow{error}\"\n"
        );
        assert_eq!(sink.text(), expected, "{inner} {outer}");
    }
}

#[test]
fn a_message_cannot_name_another_session() {
    let rows = fields(|| {
        in_session(42, || {
            info!("GET /?openReplaySession.id=7");
            info!(message = "openReplaySession.id=7");
            info!(path = "openReplaySession.id=7");
        });
    });
    let messages: Vec<_> = rows
        .iter()
        .map(|row| row["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "[openReplaySession.id=42] GET /?openReplaySessi*n.id=7",
            "[openReplaySession.id=42] openReplaySessi*n.id=7",
            "[openReplaySession.id=42] path=\"openReplaySessi*n.id=7\"",
        ]
    );
    // The inner layer writes other fields unchanged.
    assert_eq!(rows[2]["path"], "openReplaySession.id=7");
}

#[test]
fn the_event_of_a_closed_span_has_the_session_in_which_the_span_was_created() {
    let sink = Sink::default();
    let layer = text(&sink).with_session().with_span_close(true);
    with_default(Registry::default().with(layer), || {
        let outside = info_span!("outside");
        let span = in_session(42, || info_span!("request", method = "GET"));
        span.in_scope(|| ());
        // Neither span was created in this session.
        in_session(7, || drop((span, outside)));
    });
    let text = sink.text();
    let lines: Vec<_> = text.lines().collect();
    let start = " INFO request{method=\"GET\"}: [openReplaySession.id=42] request closed busy_ms=";
    assert!(
        lines[0].starts_with(start) && lines[0].contains(" idle_ms="),
        "{text}"
    );
    assert!(
        lines[1].starts_with(" INFO outside: outside closed busy_ms="),
        "{text}"
    );
    assert_eq!(lines.len(), 2);
}
