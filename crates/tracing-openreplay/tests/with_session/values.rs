use std::{error::Error, fmt, io};

use serde_json::json;
use tracing::{
    Event, Subscriber, error,
    field::{Empty, Field, Visit},
    info,
    subscriber::with_default,
};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Layer, Registry, layer::Context, prelude::*};

use crate::{Sink, fields, in_session, written};

#[test]
fn typed_values_keep_their_types() {
    let row = fields(|| {
        in_session(42, || {
            info!(
                signed = -1_i8,
                unsigned = u64::MAX,
                wide = i128::MIN,
                wider = u128::MAX,
                float = 0.5,
                yes = true,
                text = "a \"b\"",
                debug = ?Some("c"),
                display = %"d",
                bytes = &b"\xff\x00"[..],
                none = Option::<u8>::None,
                some = Some(5),
                empty = Empty,
                "typed"
            );
        });
    });
    let expected = json!({
        "message": "[openReplaySession.id=42] typed",
        "signed": -1,
        "unsigned": u64::MAX,
        "wide": i128::MIN.to_string(),
        "wider": u128::MAX.to_string(),
        "float": 0.5,
        "yes": true,
        "text": "a \"b\"",
        "debug": "Some(\"c\")",
        "display": "d",
        "bytes": "[ff 00]",
        "some": 5,
    });
    assert_eq!(row.len(), 1);
    for (name, value) in expected.as_object().unwrap() {
        let text = |value: &serde_json::Value| value.to_string().replace('"', "");
        // The format of integers beyond 64 bits is that of fmt's JSON.
        if name.starts_with("wide") {
            assert_eq!(text(&row[0][name]), text(value), "{name}");
        } else {
            assert_eq!(&row[0][name], value, "{name}");
        }
    }
    assert_eq!(
        row[0].as_object().unwrap().len(),
        expected.as_object().unwrap().len()
    );
}

#[test]
fn the_fields_are_the_message_of_an_event_without_one() {
    let rows = fields(|| {
        in_session(42, || {
            info!(items = 3, path = "/cart", took = ?2.0);
            let out: &(dyn Error + 'static) = &Failed(io::Error::other("disk is full"));
            error!(error = out);
            info!(message = Empty, left = "empty");
            info!(nothing = Empty);
        });
        info!(items = 4);
    });
    assert_eq!(
        rows,
        [
            json!({ "message": "[openReplaySession.id=42] items=3 path=\"/cart\" took=2.0", "items": 3, "path": "/cart", "took": "2.0" }),
            json!({ "message": "[openReplaySession.id=42] error=cannot save: disk is full", "error": "cannot save", "tags": "error" }),
            json!({ "message": "[openReplaySession.id=42] left=\"empty\"", "left": "empty" }),
            json!({ "message": "[openReplaySession.id=42] " }),
            json!({ "items": 4 }),
        ]
    );
}

#[test]
fn a_message_of_any_type_is_prefixed() {
    let rows = fields(|| {
        in_session(42, || {
            info!(message = 5);
            info!(message = "text");
            info!(message = ?"debug");
            let error: &(dyn Error + 'static) = &Failed(io::Error::other("disk is full"));
            info!(message = error);
        });
    });
    let messages: Vec<_> = rows
        .iter()
        .map(|row| row["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "[openReplaySession.id=42] 5",
            "[openReplaySession.id=42] text",
            "[openReplaySession.id=42] \"debug\"",
            "[openReplaySession.id=42] cannot save: disk is full",
        ]
    );
}

#[test]
fn error_is_added_to_an_events_own_tags() {
    let run = || {
        error!(tags = 3, "x");
        error!(tags = "mine", "x");
        error!(tags = ?["an", "Error"], "x");
        error!(tags = Empty, "x");
        info!(tags = 3, "x");
    };
    let rows = fields(|| in_session(42, run));
    let tags: Vec<_> = rows.iter().map(|row| &row["tags"]).collect();
    let expected = [
        json!("3 error"),
        json!("mine error"),
        json!("[\"an\", \"Error\"]"),
        json!("error"),
        json!(3),
    ];
    assert_eq!(tags, expected.iter().collect::<Vec<_>>());
    let outside = fields(run);
    let tags: Vec<_> = outside.iter().map(|row| &row["tags"]).collect();
    assert_eq!(tags, expected.iter().collect::<Vec<_>>());
    let text = written(|| error!(tags = 3, "x"));
    assert_eq!(text, "ERROR x tags=\"3 error\"\n");
}

#[test]
fn tags_can_be_disabled() {
    let sink = Sink::default();
    let layer = crate::text(&sink).with_session().with_tags(false);
    with_default(Registry::default().with(layer), || {
        error!("outside");
        in_session(42, || error!(tags = 3, "x"));
        in_session(42, || error!("x"));
    });
    let prefix = "[openReplaySession.id=42]";
    assert_eq!(
        sink.text(),
        format!("ERROR outside\nERROR {prefix} x tags=3\nERROR {prefix} x\n")
    );
}

#[test]
fn an_error_outside_a_session_is_tagged() {
    let rows = fields(|| error!(code = 7, "x"));
    assert_eq!(
        rows,
        [json!({ "message": "x", "code": 7, "tags": "error" })]
    );
}

#[test]
fn more_fields_than_are_stored_inline() {
    let row = fields(|| {
        in_session(42, || {
            info!(
                a1 = "1",
                a2 = 2,
                a3 = "3",
                a4 = 4,
                a5 = "5",
                a6 = 6,
                a7 = "7",
                a8 = 8,
                a9 = "9",
                a10 = 10,
                a11 = "11",
                a12 = 12,
                a13 = "13",
                a14 = 14,
                a15 = "15",
                a16 = 16,
                a17 = "17",
                a18 = 18,
                a19 = "19",
                a20 = 20,
                "many"
            );
        });
    });
    let row = row[0].as_object().unwrap();
    assert_eq!(row.len(), 21);
    for number in 1..=20 {
        let expected = if number % 2 == 0 {
            json!(number)
        } else {
            json!(number.to_string())
        };
        assert_eq!(row[&format!("a{number}")], expected);
    }
}

/// An error with a cause.
#[derive(Debug)]
struct Failed(io::Error);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot save")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_value_is_passed_on_as_the_same_error() {
    struct Downcasts;

    impl<S: Subscriber> Layer<S> for Downcasts {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut found = Found(0);
            event.record(&mut found);
            assert_eq!(found.0, 2);
        }
    }

    struct Found(u8);

    impl Visit for Found {
        fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

        fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
            let failed = value.downcast_ref::<Failed>().expect("the same type");
            assert_eq!(failed.0.to_string(), field.name());
            self.0 += 1;
        }
    }

    with_default(Registry::default().with(Downcasts.with_session()), || {
        in_session(42, || {
            let (one, two) = (
                Failed(io::Error::other("one")),
                Failed(io::Error::other("two")),
            );
            error!(
                one = &one as &(dyn Error + 'static),
                two = &two as &(dyn Error + 'static),
                "x"
            );
        });
    });
}
