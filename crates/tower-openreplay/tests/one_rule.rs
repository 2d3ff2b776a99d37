//! The layer, the function and the next service find the same session in the same headers.
//!
//! With the feature `baggage`, this includes the member `session.id` of W3C Baggage. Without the
//! feature, baggage passes through unchanged.

use std::{collections::BTreeSet, convert::Infallible};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use openreplay_session::{Scope, SessionId, current, sync_scope};
use proptest::{collection::vec, prelude::*, sample::select};
use tower::{Layer as _, Service as _, service_fn};
use tower_openreplay::{
    PropagateSessionLayer, SessionHeaders, SessionLayer, header_names, propagate_session,
    session_of,
};

// Tokens of the ids 4950498349085463837 and 35, with arbitrary signatures.
const TOKEN_A: &str = "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv";
const TOKEN_B: &str = "z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1";

const X_SESSION: HeaderName = HeaderName::from_static("x-session");
const X_TRACKER: HeaderName = HeaderName::from_static("x-tracker");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const IS_SPACE: [char; 2] = [' ', '\t'];
const HAS_BAGGAGE: bool = cfg!(feature = "baggage");

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["7", "7", "8", "35", "4950498349085463837"]).prop_map(str::to_owned),
        3 => select(vec![TOKEN_A, TOKEN_B, "a.b.c.d", "."]).prop_map(str::to_owned),
        2 => select(vec!["", "undefined", "null", "NaN", "[object Object]"]).prop_map(str::to_owned),
        1 => "[ -~]{0,70}",
    ]
}

fn value() -> impl Strategy<Value = HeaderValue> {
    let text = vec(piece(), 1..4).prop_map(|pieces| pieces.join(", "));
    prop_oneof![
        6 => piece().prop_map(|text| HeaderValue::from_str(&text).unwrap()),
        3 => text.prop_map(|text| HeaderValue::from_str(&text).unwrap()),
        1 => vec(0x80..=0xff_u8, 1..4).prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap()),
    ]
}

fn member() -> impl Strategy<Value = String> {
    let own = prop_oneof![
        2 => select(vec!["7", "8", "%37", "35", "007", "a7", "z%2E1.mr3k5wxs.a", "undefined", ""]).prop_map(str::to_owned),
        1 => piece(),
    ];
    prop_oneof![
        4 => own.prop_map(|value| format!("session.id={value}")),
        1 => select(vec!["a=1", "a=1;session.id=7", "session.id ;ttl=1", "session.id = 7 ;ttl=1", "Session.id=7"]).prop_map(str::to_owned),
    ]
}

fn baggage() -> impl Strategy<Value = HeaderValue> {
    let members = vec(member(), 1..4).prop_map(|members| members.join(", "));
    prop_oneof![
        8 => members.prop_map(|text| HeaderValue::from_str(&text).unwrap()),
        1 => value(),
    ]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let mut names = header_names().to_vec();
    names.extend([X_SESSION, X_TRACKER, HeaderName::from_static("accept")]);
    let row = prop_oneof![
        4 => (select(names), value()),
        1 => (Just(BAGGAGE), baggage()),
    ];
    vec(row, 0..7).prop_map(|rows| {
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(name, value);
        }
        headers
    })
}

/// The default names, custom names, and a default name of the token as the id's name.
fn names() -> [(SessionHeaders, HeaderName); 3] {
    let names = SessionHeaders::new();
    let token = header_names()[1].clone();
    [
        (names.clone(), header_names()[0].clone()),
        (
            names
                .clone()
                .with_id_header(X_SESSION)
                .with_token_headers([X_TRACKER]),
            X_SESSION,
        ),
        (names.with_id_header(token.clone()), token),
    ]
}

fn propagated(layer: &PropagateSessionLayer, uri: &str, headers: &HeaderMap) -> HeaderMap {
    let mut sent = HeaderMap::new();
    let mut client = layer.layer(service_fn(|request: Request<()>| {
        sent.clone_from(request.headers());
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let mut request = Request::get(uri).body(()).unwrap();
    request.headers_mut().clone_from(headers);
    drop(client.call(request));
    drop(client);
    sent
}

/// Returns the session that a service inside the layer runs in, and the id in the request's
/// extensions.
fn served(layer: &SessionLayer, headers: &HeaderMap) -> (Option<SessionId>, Option<SessionId>) {
    let mut seen = (None, None);
    let mut service = layer
        .clone()
        .with_extension()
        .layer(service_fn(|request: Request<()>| {
            seen = (current(), request.extensions().get().copied());
            async { Ok::<_, Infallible>(Response::new(())) }
        }));
    let mut request = Request::new(());
    request.headers_mut().clone_from(headers);
    drop(service.call(request));
    drop(service);
    seen
}

/// Returns the id that all values under a name agree on, with an independent implementation.
fn lone_id(headers: &HeaderMap, name: &HeaderName) -> Option<SessionId> {
    let values = headers.get_all(name).iter();
    let pieces = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let ids: Option<Vec<_>> = pieces
        .map(<[u8]>::trim_ascii)
        .filter(|piece| !matches!(*piece, b"" | b"undefined" | b"null" | b"NaN"))
        .map(|piece| SessionId::try_from(piece).ok())
        .collect();
    let ids = ids?;
    ids.iter()
        .all(|id| *id == ids[0])
        .then(|| ids.first().copied())?
}

/// Returns the trimmed members of the baggage.
fn members(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(BAGGAGE).iter();
    let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
    let texts: Vec<_> = values.map(|value| text(value.as_bytes())).collect();
    let members = texts.iter().flat_map(|text| text.split(','));
    members
        .map(|member| member.trim_matches(IS_SPACE).to_owned())
        .filter(|member| !member.is_empty())
        .collect()
}

/// Returns the value of a member `session.id`, with an independent implementation.
fn own_member(member: &str) -> Option<String> {
    let pair = member.split(';').next()?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decoded = value
        .trim_matches(IS_SPACE)
        .replace("%37", "7")
        .replace("%2E", ".");
    (key.trim_matches(IS_SPACE) == "session.id").then_some(decoded)
}

/// Returns the members with other names.
fn others(headers: &HeaderMap) -> Vec<String> {
    let mut others = members(headers);
    others.retain(|member| own_member(member).is_none());
    others
}

/// Returns the number that all members `session.id` agree on.
fn number_of(headers: &HeaderMap) -> Option<SessionId> {
    let mut values: Vec<_> = members(headers)
        .iter()
        .filter_map(|member| own_member(member))
        .collect();
    values.retain(|value| !matches!(&**value, "" | "undefined" | "null" | "NaN"));
    let session = SessionId::from(values.first()?.parse::<u64>().ok()?);
    values
        .iter()
        .all(|value| session == **value)
        .then_some(session)
}

/// The session that headers name, independently of the implementation: one place after the other.
fn named(headers: &HeaderMap, id: &HeaderName, tokens: &[HeaderName]) -> Option<SessionId> {
    let last_token = |name: &HeaderName| {
        let values = headers.get_all(name).iter();
        let pieces = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        let mut tokens = pieces.filter_map(|piece| SessionId::from_token(piece.trim_ascii()).ok());
        tokens.next_back()
    };
    if let Some(session) = last_token(id) {
        return Some(session);
    }
    if contradict(headers, id) {
        return None;
    }
    let baggage = || number_of(headers).filter(|_| HAS_BAGGAGE);
    lone_id(headers, id)
        .or_else(|| tokens.iter().find_map(last_token))
        .or_else(baggage)
}

/// Returns the session that a service forwards if it entered none.
fn forwarded(headers: &HeaderMap, names: &SessionHeaders, name: &HeaderName) -> Option<SessionId> {
    let mut without = headers.clone();
    without.remove(BAGGAGE);
    let is_read =
        HAS_BAGGAGE && names.session_of(&without).is_none() && !contradict(&without, name);
    let number = is_read.then(|| number_of(headers)).flatten();
    lone_id(headers, name).or(number)
}

/// Returns whether there are two different ids under a name.
fn contradict(headers: &HeaderMap, name: &HeaderName) -> bool {
    let values = headers.get_all(name).iter();
    let pieces = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let ids: BTreeSet<_> = pieces
        .filter_map(|piece| SessionId::try_from(piece.trim_ascii()).ok())
        .collect();
    ids.len() > 1
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        3 => any::<u64>().prop_map(|id| Scope::Session(id.into())),
        1 => Just(Scope::NoSession),
        2 => Just(Scope::Unset),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_layer_and_the_function_read_the_session_by_one_rule(headers in headers()) {
        let tokens = &header_names()[1..];
        let read = [tokens, &[X_TRACKER], tokens];
        for ((names, id), tokens) in names().into_iter().zip(read) {
            let expected = named(&headers, &id, tokens);
            prop_assert_eq!(names.session_of(&headers), expected);
            let layer = SessionLayer::new().with_headers(names);
            prop_assert_eq!(served(&layer, &headers), (expected, expected));
        }
    }

    #[test]
    fn the_next_service_reads_the_current_session_whatever_is_forwarded(
        headers in headers(),
        scope in scopes(),
    ) {
        for (names, name) in names() {
            let expected = match scope {
                Scope::Session(id) => Some(id),
                Scope::NoSession => None,
                Scope::Unset => forwarded(&headers, &names, &name),
            };
            let out = PropagateSessionLayer::to_all_hosts().with_headers(names.clone());
            let by_layer = sync_scope(scope, || propagated(&out, "http://one/", &headers));
            let mut by_names = headers.clone();
            sync_scope(scope, || names.propagate(&mut by_names));
            let r#in = SessionLayer::new().with_headers(names.clone());
            for sent in [by_layer, by_names] {
                prop_assert_eq!(names.session_of(&sent), expected);
                prop_assert_eq!(served(&r#in, &sent), (expected, expected));
                // A service that reads the default names gets no other session either.
                let read = session_of(&sent);
                prop_assert!(read.is_none() || read == expected, "{:?}", read);
                prop_assert!(sent.get_all(&name).iter().count() <= 1);
                if HAS_BAGGAGE {
                    let own: Vec<_> = members(&sent).iter().filter_map(|member| own_member(member)).collect();
                    let number = expected.filter(|id| id.as_u64().is_some()).map(|id| id.to_string());
                    prop_assert_eq!(own, Vec::from_iter(number));
                    prop_assert_eq!(others(&sent), others(&headers));
                } else {
                    prop_assert_eq!(members(&sent), members(&headers));
                }
                let custom = [&X_SESSION, &X_TRACKER];
                let is_known = |name| names.session_of(&HeaderMap::from_iter([(name, token())])).is_some();
                for name in custom.into_iter().filter(|name| is_known((*name).clone())) {
                    prop_assert!(sent.get(name).is_none_or(|value| !value.as_bytes().contains(&b'.')));
                }
                prop_assert_eq!(sent.get_all("accept").iter().count(), headers.get_all("accept").iter().count());
            }
        }
        let mut sent = headers.clone();
        sync_scope(scope, || propagate_session(&mut sent));
        let mut by_names = headers;
        sync_scope(scope, || SessionHeaders::new().propagate(&mut by_names));
        prop_assert_eq!(sent, by_names);
    }

    #[test]
    fn a_host_that_is_not_listed_reads_no_session(headers in headers(), scope in scopes()) {
        let (names, _) = names()[1].clone();
        let out = PropagateSessionLayer::to_hosts(["one"]).unwrap().with_headers(names);
        let sent = sync_scope(scope, || propagated(&out, "http://two/", &headers));
        prop_assert!(sent.keys().all(|name| name == "accept" || name == BAGGAGE), "{:?}", sent);
        let expected = if HAS_BAGGAGE { others(&headers) } else { members(&headers) };
        prop_assert_eq!(members(&sent), expected);
    }

    #[test]
    fn the_function_reads_what_the_layer_sets(headers in headers()) {
        prop_assert_eq!(served(&SessionLayer::new(), &headers).0, session_of(&headers));
        for (names, _) in names() {
            let read = names.session_of(&headers);
            let r#in = SessionLayer::new().with_headers(names);
            prop_assert_eq!(served(&r#in, &headers), (read, read));
            prop_assert_eq!(r#in.session_of(&headers), read);
        }
    }
}

fn token() -> HeaderValue {
    HeaderValue::from_static(TOKEN_A)
}

#[test]
fn an_extension_of_another_request_is_removed() {
    let mut service =
        SessionLayer::new()
            .with_extension()
            .layer(service_fn(|request: Request<()>| {
                assert_eq!(request.extensions().get::<SessionId>(), None);
                async { Ok::<_, Infallible>(Response::new(())) }
            }));
    let mut request = Request::new(());
    request.extensions_mut().insert(SessionId::from(7));
    drop(service.call(request));
}

#[test]
fn in_an_outer_session_the_extension_contains_that_session() {
    let (layer, id) = (SessionLayer::new(), SessionId::from(42));
    let seen = sync_scope(id, || served(&layer, &HeaderMap::new()));
    assert_eq!(seen, (Some(id), Some(id)));
}

#[test]
fn the_function_marks_no_value_as_sensitive() {
    let headers =
        HeaderMap::from_iter([(header_names()[1].clone(), HeaderValue::from_static(TOKEN_A))]);
    assert_eq!(session_of(&headers).unwrap(), "4950498349085463837");
    assert!(!headers[&header_names()[1]].is_sensitive());
}
