//! OpenTelemetry's own reading and writing of the header, as a service in any language does it.

use http::HeaderMap;
use openreplay_session::{SessionId, sync_scope};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt as _,
    propagation::{Extractor, Injector, TextMapPropagator as _},
};
use opentelemetry_sdk::propagation::BaggagePropagator;
use tower_openreplay::{propagate_session, session_of};

use crate::baggage;

struct Headers(HeaderMap);

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        let name: http::HeaderName = key.parse().unwrap();
        self.0.insert(name, value.parse().unwrap());
    }
}

/// What a service sends on whose only tool is OpenTelemetry.
fn through_opentelemetry(received: HeaderMap) -> HeaderMap {
    let propagator = BaggagePropagator::new();
    let context = propagator.extract(&Headers(received));
    let mut sent = Headers(HeaderMap::new());
    propagator.inject_context(&context, &mut sent);
    sent.0
}

#[test]
fn a_service_that_knows_opentelemetry_alone_keeps_the_session() {
    let mut headers = HeaderMap::new();
    let id = SessionId::from(4_950_498_349_085_463_837);
    sync_scope(id, || propagate_session(&mut headers));

    let context = BaggagePropagator::new().extract(&Headers(headers.clone()));
    let value = context
        .baggage()
        .get("session.id")
        .map(|value| value.as_str().to_owned());
    assert_eq!(value.as_deref(), Some(id.as_str()), "as its code reads it");

    let sent = through_opentelemetry(headers);
    assert!(!sent.contains_key("openreplaysession.id"));
    assert_eq!(session_of(&sent), Some(id));
}

#[test]
fn other_baggage_of_opentelemetry_goes_through_unchanged() {
    let context = Context::new().with_baggage([
        KeyValue::new("user", "anna, b=ü;%"),
        KeyValue::new("session.id", "42"),
    ]);
    let mut headers = Headers(HeaderMap::new());
    BaggagePropagator::new().inject_context(&context, &mut headers);
    assert_eq!(session_of(&headers.0).unwrap(), "42");

    let mut sent = headers.0;
    sync_scope(SessionId::from(7), || propagate_session(&mut sent));
    assert_eq!(baggage(&sent).len(), 1);
    let context = BaggagePropagator::new().extract(&Headers(sent));
    let value = |key| {
        context
            .baggage()
            .get(key)
            .map(|value| value.as_str().to_owned())
    };
    assert_eq!(value("user").as_deref(), Some("anna, b=ü;%"));
    assert_eq!(value("session.id").as_deref(), Some("7"));
}
