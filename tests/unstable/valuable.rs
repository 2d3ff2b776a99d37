//! Values of the crate `valuable` keep their structure, in `json()` and through `with_session()`.

#![cfg(tracing_unstable)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use openreplay_session::{SessionId, sync_scope};
use serde_json::json;
use test_kit::Lines;
use tracing::{field::Empty, info, info_span, subscriber::with_default};
use tracing_core::{Event, Field, Subscriber, field::Visit};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Layer, Registry, layer::Context, prelude::*};
use valuable::{Listable, Valuable};

#[derive(Clone, Valuable)]
enum Plan {
    Free,
    Paid { months: u8 },
    Gift(String),
    Shared(u8, u8),
}

#[derive(Clone, Valuable)]
struct User {
    name: String,
    age: u8,
    debt: i64,
    wide: u128,
    ratio: f64,
    plans: Vec<Plan>,
    limits: BTreeMap<String, u8>,
    pair: (bool, Option<u8>),
}

fn user() -> User {
    User {
        name: "anna \"a\"".into(),
        age: 7,
        debt: -5,
        wide: u128::MAX,
        ratio: 0.5,
        plans: vec![
            Plan::Free,
            Plan::Paid { months: 2 },
            Plan::Gift("x".into()),
            Plan::Shared(1, 2),
        ],
        limits: BTreeMap::from([("a,b".to_owned(), 1), ("".to_owned(), 2)]),
        pair: (true, None),
    }
}

fn log() {
    let user = user();
    sync_scope(SessionId::from(42), || {
        info!(
            user = user.as_value(),
            number = 5_u8.as_value(),
            after = 1,
            "text"
        );
    });
}

#[test]
fn json_renders_the_structure_also_through_with_session() {
    let (plain, wrapped) = (Lines::default(), Lines::default());
    let to = |written: &Lines| {
        let writer = written.clone();
        tracing_openreplay::json().with_writer(move || writer.clone())
    };
    let layers = to(&plain).and_then(to(&wrapped).with_session());
    with_default(Registry::default().with(layers), log);
    let expected = json!({
        "user": {
            "name": "anna \"a\"",
            "age": 7,
            "debt": -5,
            "wide": u128::MAX.to_string(),
            "ratio": 0.5,
            "plans": ["Free", {"Paid": {"months": 2}}, {"Gift": "x"}, {"Shared": [1, 2]}],
            "limits": {"a,b": 1, "_": 2},
            "pair": [true, null],
        },
        "number": 5,
        "after": 1,
    });
    for written in [plain, wrapped] {
        let record = written.records().remove(0);
        assert_eq!(record["fields"], expected);
        let message = record["message"].as_str().unwrap();
        let start = "[openReplaySession.id=42] text user=User { name: \"anna";
        assert!(message.starts_with(start), "{message}");
        assert!(message.ends_with(" number=5 after=1"), "{message}");
    }
}

#[test]
fn with_session_passes_the_value_on() {
    struct Reads(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Reads {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            event.record(&mut Reads(self.0.clone()));
        }
    }

    impl Visit for Reads {
        fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

        fn record_value(&mut self, field: &Field, value: valuable::Value<'_>) {
            if value.as_structable().is_some() {
                self.0.lock().unwrap().push(field.name().to_owned());
            }
        }
    }

    let read = Arc::default();
    let layer = Reads(Arc::clone(&read)).with_session();
    with_default(Registry::default().with(layer), log);
    assert_eq!(*read.lock().unwrap(), ["user"]);
}

#[test]
fn a_structure_that_is_too_long_or_too_deep_is_a_text() {
    struct Deep;

    impl Valuable for Deep {
        fn as_value(&self) -> valuable::Value<'_> {
            valuable::Value::Listable(self)
        }

        fn visit(&self, visit: &mut dyn valuable::Visit) {
            DEPTH.with(|depth| {
                if depth.get() < 100 {
                    depth.set(depth.get() + 1);
                    visit.visit_value(Deep.as_value());
                    depth.set(depth.get() - 1);
                }
            });
        }
    }

    impl Listable for Deep {
        fn size_hint(&self) -> (usize, Option<usize>) {
            (1, Some(1))
        }
    }

    thread_local! {
        static DEPTH: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    let written = Lines::default();
    let writer = written.clone();
    let layer = tracing_openreplay::json().with_writer(move || writer.clone());
    with_default(Registry::default().with(layer), || {
        let long = vec!["x".repeat(1000); 100];
        info!(deep = Deep.as_value(), long = long.as_value(), "text");
    });
    let fields = &written.records()[0]["fields"];
    assert!(
        fields["deep"].as_str().unwrap().starts_with("[[["),
        "{fields}"
    );
    assert!(
        fields["long"].as_str().unwrap().starts_with("[\"xxx"),
        "{fields}"
    );
}

#[test]
fn a_structure_in_a_span_is_text_in_the_message_and_no_request_id() {
    let written = Lines::default();
    let writer = written.clone();
    let layer = tracing_openreplay::json()
        .with_span_fields_in_message(true)
        .with_writer(move || writer.clone());
    let limits = BTreeMap::from([("a \"b\"".to_owned(), vec![1_u8])]);
    with_default(Registry::default().with(layer), || {
        let outer = info_span!("request", request_id = "r-1").entered();
        let inner = info_span!("request", request_id = limits.as_value(), later = Empty).entered();
        info!("created");
        inner.record("later", limits.as_value());
        info!("recorded");
        drop((inner, outer));
    });
    let records = written.records();
    let text = r#"{"a \"b\"":[1]}"#;
    let message = |text: &str, later: &str| {
        format!("{text}\nin request request_id={later}\nin request request_id=r-1")
    };
    assert_eq!(records[0]["message"], message("created", text));
    let both = format!("{text} later={text}");
    assert_eq!(records[1]["message"], message("recorded", &both));
    for record in &records {
        assert_eq!(record["http.request.id"], "r-1");
        assert_eq!(
            record["spans"][1]["fields"]["request_id"],
            json!({"a \"b\"": [1]})
        );
    }
}
