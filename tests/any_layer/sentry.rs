use std::{
    error::Error,
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use openreplay_session::{SessionId, sync_scope};
use sentry::{
    ClientOptions,
    protocol::{Context, EnvelopeItem, Event, ItemContainer, LogEntry},
    test::{with_captured_envelopes, with_captured_events, with_captured_events_options},
};
use sentry_tracing::{BreadcrumbLayer, ErrorLayer, LogLayer};
use serde_json::{Value, json};
use tracing::{error, info, level_filters::LevelFilter, subscriber::with_default};
use tracing_openreplay::{
    LayerExt as _,
    sentry::{before_send, before_send_with_replay_url},
};
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

/// A part of the search message: Sentry puts the formatted log entry, the event's metadata (an
/// exception's type and value) and the culprit in it (`search_message` in
/// `src/sentry/eventstore/models.py`).
fn is_found(event: &Event<'_>, session: u64) -> bool {
    let exceptions = event.exception.iter();
    let exceptions = exceptions
        .flat_map(|exception| [Some(exception.ty.as_str()), exception.value.as_deref()])
        .flatten()
        .map(str::to_owned);
    let entry = event.logentry.iter();
    let entry = entry.flat_map(|entry| {
        let params = entry.params.iter().map(ToString::to_string);
        params.chain([entry.message.clone()])
    });
    let texts = [event.message.clone(), event.culprit.clone()];
    let mut texts = texts.into_iter().flatten().chain(exceptions).chain(entry);
    let phrase = format!("openReplaySession.id={session}");
    texts.any(|text| text.contains(&phrase))
}

/// The events that reach Sentry with `before_send`, of all kinds.
fn sent(
    before_send: impl Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync + 'static,
    session: Option<u64>,
) -> Vec<Event<'static>> {
    let options = ClientOptions::new().before_send(before_send);
    with_captured_events_options(
        || {
            let layer = ErrorLayer::new().with_session().as_sentry_tag();
            let subscriber = Registry::default().with(layer.with_filter(LevelFilter::ERROR));
            sync_scope(session.map(SessionId::from), || {
                sentry::capture_error(&CannotSave::new());
                sentry::capture_message("by hand", sentry::Level::Error);
                sentry::capture_event(Event {
                    transaction: Some("GET /cart".to_owned()),
                    ..Event::default()
                });
                in_turn(|| {
                    with_default(subscriber, || {
                        error!(error = &CannotSave::new() as &dyn Error, "order lost");
                        let span = tracing::error_span!("request");
                        // the session of the span alone
                        let log = || span.in_scope(|| error!("spawned"));
                        sync_scope(openreplay_session::Scope::Unset, log);
                    });
                });
            });
        },
        options,
    )
}

#[test]
fn before_send_puts_the_session_where_openreplay_searches_first() {
    let events = sent(before_send, Some(42));
    assert_eq!(events.len(), 5);
    for event in &events {
        assert!(is_found(event, 42), "{event:?}");
        assert_eq!(tag(event), Some("42"), "{event:?}");
        assert!(!event.tags.contains_key("openReplaySessionURL"));
    }
    assert_eq!(
        events[2].culprit.as_deref(),
        Some("GET /cart openReplaySession.id=42")
    );
    for event in sent(before_send, None) {
        assert_eq!(tag(&event), None);
        assert_eq!(event.culprit, None);
    }
}

/// What Sentry groups by (`src/sentry/grouping/strategies/`): neither culprit nor tags are among
/// it.
#[test]
fn before_send_changes_nothing_that_sentry_groups_by() {
    let grouped = |event: Event<'static>| {
        (
            event.fingerprint,
            event.message,
            event.logentry,
            event.exception,
            event.stacktrace,
        )
    };
    let [plain, one, other] = [
        sent(Some, None),
        sent(before_send, Some(42)),
        sent(before_send, Some(43)),
    ]
    .map(|events| events.into_iter().map(grouped).collect::<Vec<_>>());
    assert_eq!(one, plain);
    assert_eq!(one, other);
}

#[test]
fn before_send_adds_the_address_of_the_replay() {
    // as OpenReplay composes an id, of a session that starts now
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let id = (u64::try_from(now.as_millis()).unwrap() - 1_550_000_000_000) << 24;
    let before_send = before_send_with_replay_url("https://openreplay.example.com/1/");
    let event = sent(before_send, Some(id)).remove(0);
    let url = &event.tags["openReplaySessionURL"];
    let start = format!("https://openreplay.example.com/1/session/{id}?jumpto=");
    let jump = url.strip_prefix(&start).unwrap();
    assert!(jump.parse::<u64>().is_ok(), "{url}");
}

/// An error whose `Debug` is a client's text.
struct Forged;

impl fmt::Debug for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("openReplaySession.id=666")
    }
}

impl fmt::Display for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("forged")
    }
}

impl Error for Forged {}

#[test]
fn before_send_breaks_the_phrase_in_what_a_client_sent() {
    let options = ClientOptions::new().before_send(before_send);
    let events = with_captured_events_options(
        || {
            let forged = "GET /?openReplaySession.id=666";
            sentry::capture_message(forged, sentry::Level::Error);
            sentry::capture_error(&std::io::Error::other(forged));
            sentry::capture_error(&Forged);
            sentry::capture_event(Event {
                logentry: Some(LogEntry {
                    message: "%s and %s".to_owned(),
                    params: vec![json!(forged), json!({ "paths": [forged] })],
                }),
                ..Event::default()
            });
            sync_scope(SessionId::from(42), || {
                sentry::capture_event(Event {
                    transaction: Some(forged.to_owned()),
                    ..Event::default()
                });
            });
        },
        options,
    );
    assert_eq!(events.len(), 5);
    for event in &events {
        assert!(!is_found(event, 666), "{event:?}");
    }
    assert_eq!(
        events[2].exception[0].ty, "openReplaySessi*n.id=666",
        "Sentry takes the type from the error's `Debug`"
    );
    let entry = events[3].logentry.as_ref().unwrap();
    let broken = "GET /?openReplaySessi*n.id=666";
    assert_eq!(entry.params, [json!(broken), json!({ "paths": [broken] })]);
    assert!(is_found(&events[4], 42));
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
