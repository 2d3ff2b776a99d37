use std::error::Error;

use openreplay_session::{SessionId, sync_scope};
use sentry::{
    protocol::{Context, EnvelopeItem, Event, ItemContainer},
    test::{with_captured_envelopes, with_captured_events},
};
use sentry_tracing::{BreadcrumbLayer, ErrorLayer, LogLayer};
use serde_json::{Value, json};
use tracing::{error, info, level_filters::LevelFilter, subscriber::with_default};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Layer as _, Registry, prelude::*};

use crate::{CannotSave, Seen, forms::in_every_form, in_turn, request, seen, with_layer};

#[test]
fn an_event_has_the_prefix_the_tags_and_the_types() {
    let expected = [
        seen(
            "[openReplaySession.id=42] cart opened",
            json!({ "items": 3, "paid": false }),
        ),
        seen("[openReplaySession.id=42] slow", json!({ "path": "/cart" })),
        seen(
            "[openReplaySession.id=42] out of stock",
            json!({ "code": -7, "tags": "error" }),
        ),
        seen(
            "[openReplaySession.id=42] lost",
            json!({ "log.target": "library", "log.line": 7, "tags": "error" }),
        ),
        seen("no session", json!({})),
    ];
    in_every_form(&expected, |run| {
        let events = with_captured_events(|| run(ErrorLayer::new().boxed()));
        events.iter().map(to_seen).collect()
    });
}

#[test]
fn as_a_tag_the_session_leaves_the_message_alone() {
    let events = with_captured_events(|| {
        with_layer(ErrorLayer::new().with_session().as_sentry_tag(), request);
    });
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.message.as_deref().unwrap(), tag(event)))
        .collect();
    assert_eq!(
        seen,
        [
            ("cart opened", Some("42")),
            ("slow", Some("42")),
            ("out of stock", Some("42")),
            ("lost", Some("42")),
            ("no session", None),
        ]
    );
    assert_eq!(to_seen(&events[2]).fields, json!({ "code": -7 }));
}

#[test]
fn an_error_becomes_exceptions_with_its_causes() {
    let log = || {
        let error = CannotSave::new();
        let error: &(dyn Error + 'static) = &error;
        error!(error, "order lost");
    };
    let alone = with_captured_events(|| with_layer(ErrorLayer::new(), log)).remove(0);
    let tagged = ErrorLayer::new().with_session().as_sentry_tag();
    let tagged =
        with_captured_events(|| with_layer(tagged, || sync_scope(SessionId::from(42), log)))
            .remove(0);
    let prefixed = ErrorLayer::new().with_session();
    let prefixed =
        with_captured_events(|| with_layer(prefixed, || sync_scope(SessionId::from(42), log)))
            .remove(0);

    let of = |event: &Event<'_>| -> Vec<_> {
        event
            .exception
            .iter()
            .map(|exception| (exception.ty.clone(), exception.value.clone()))
            .collect()
    };
    assert_eq!(of(&tagged), of(&alone));
    assert_eq!(of(&prefixed), of(&alone));
    let values: Vec<_> = alone
        .exception
        .iter()
        .map(|exception| exception.value.as_deref().unwrap())
        .collect();
    assert_eq!(values, ["disk is full", "cannot save"]);

    assert_eq!(
        (tagged.message.as_deref(), tag(&tagged)),
        (Some("order lost"), Some("42"))
    );
    assert_eq!(
        prefixed.message.as_deref(),
        Some("[openReplaySession.id=42] order lost")
    );
}

#[test]
fn an_instrumented_functions_error_is_tagged_too() {
    #[tracing::instrument(err)]
    fn fails() -> Result<(), CannotSave> {
        Err(CannotSave::new())
    }

    let layer = ErrorLayer::new().with_session().as_sentry_tag();
    let event =
        with_captured_events(|| with_layer(layer, || _ = sync_scope(SessionId::from(42), fails)))
            .remove(0);
    assert_eq!(
        (event.message.as_deref(), tag(&event)),
        (Some("cannot save"), Some("42"))
    );
}

#[test]
fn breadcrumbs_and_logs_carry_it_as_an_attribute() {
    let envelopes = with_captured_envelopes(|| {
        let breadcrumbs = BreadcrumbLayer::new().with_session().as_sentry_tag();
        let subscriber = Registry::default()
            .with(breadcrumbs.with_filter(LevelFilter::INFO))
            .with(LogLayer::new().with_session().as_sentry_tag())
            .with(
                ErrorLayer::new()
                    .with_session()
                    .as_sentry_tag()
                    .with_filter(LevelFilter::ERROR),
            );
        in_turn(|| {
            with_default(subscriber, || {
                sync_scope(SessionId::from(42), || {
                    info!("cart opened");
                    error!("out of stock");
                });
            });
        });
    });
    let items: Vec<_> = envelopes
        .iter()
        .flat_map(|envelope| envelope.items())
        .collect();

    let event = items.iter().find_map(|item| match item {
        EnvelopeItem::Event(event) => Some(event),
        _ => None,
    });
    let event = event.unwrap();
    assert_eq!(tag(event), Some("42"));
    assert_eq!(event.breadcrumbs[0].message.as_deref(), Some("cart opened"));
    assert_eq!(event.breadcrumbs[0].data["tags.openReplaySession.id"], "42");

    let logs: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            EnvelopeItem::ItemContainer(ItemContainer::Logs(logs)) => Some(logs),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(logs.len(), 2);
    for log in logs {
        assert_eq!(
            log.attributes["tags.openReplaySession.id"].0,
            Value::from("42")
        );
    }
}

fn tag<'a>(event: &'a Event<'_>) -> Option<&'a str> {
    event.tags.get("openReplaySession.id").map(String::as_str)
}

fn to_seen(event: &Event<'_>) -> Seen {
    let fields = match event.contexts.get("Rust Tracing Fields") {
        Some(Context::Other(fields)) => fields.clone().into_iter().collect(),
        _ => serde_json::Map::new(),
    };
    Seen {
        message: event.message.clone().unwrap(),
        fields: Value::from(fields),
    }
}
