//! One rule for the session that headers name: the layer, the function, and what the next service reads.

use std::convert::Infallible;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use openreplay_session::{SessionId, current, sync_scope};
use proptest::{collection::vec, option, prelude::*, sample::select};
use tower::{Layer as _, Service as _, service_fn};
use tower_openreplay::{
    PropagateSessionLayer, SessionLayer, header_names, propagate_session, session_of,
};

// 4950498349085463837 and 35, signed with nothing that counts
const TOKEN_A: &str = "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv";
const TOKEN_B: &str = "z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1";

const X_SESSION: HeaderName = HeaderName::from_static("x-session");
const X_TRACKER: HeaderName = HeaderName::from_static("x-tracker");

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

fn headers() -> impl Strategy<Value = HeaderMap> {
    let mut names = header_names().to_vec();
    names.extend([X_SESSION, X_TRACKER, HeaderName::from_static("accept")]);
    vec((select(names), value()), 0..7).prop_map(|rows| {
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(name, value);
        }
        headers
    })
}

/// Each with what it is configured as on either side.
fn layers() -> [(PropagateSessionLayer, SessionLayer, HeaderName); 3] {
    let (out, r#in) = (PropagateSessionLayer::to_all_hosts(), SessionLayer::new());
    [
        (out.clone(), r#in.clone(), header_names()[0].clone()),
        (
            out.clone()
                .with_header(X_SESSION)
                .with_token_headers([X_TRACKER]),
            r#in.clone()
                .with_id_header(X_SESSION)
                .with_token_headers([X_TRACKER]),
            X_SESSION,
        ),
        // a default name of the token for the id
        (
            out.with_header(header_names()[1].clone()),
            r#in.with_id_header(header_names()[1].clone()),
            header_names()[1].clone(),
        ),
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

/// The session that a service behind the layer runs in, and what a layer with an extension puts there.
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

/// The id that all values under a name agree on, by a way of its own.
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

fn in_session<R>(session: Option<u64>, f: impl FnOnce() -> R) -> R {
    sync_scope(session.map(SessionId::from), f)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_next_service_reads_the_current_session_whatever_is_forwarded(
        headers in headers(),
        session in option::weighted(0.7, any::<u64>()),
    ) {
        for (out, r#in, name) in layers() {
            let sent = in_session(session, || propagated(&out, "http://one/", &headers));
            let expected = session.map(SessionId::from).or_else(|| lone_id(&headers, &name));
            prop_assert_eq!(r#in.session_of(&sent), expected);
            prop_assert_eq!(served(&r#in, &sent), (expected, expected));
            // nor does one that reads the default names get another session
            let read = session_of(&sent);
            prop_assert!(read.is_none() || read == expected, "{:?}", read);
            prop_assert!(sent.get_all(&name).iter().count() <= 1);
            prop_assert_eq!(sent.get_all("accept").iter().count(), headers.get_all("accept").iter().count());
        }
        let mut sent = headers.clone();
        in_session(session, || propagate_session(&mut sent));
        let expected = session.map(SessionId::from);
        prop_assert_eq!(session_of(&sent), expected.or_else(|| lone_id(&headers, &header_names()[0])));
    }

    #[test]
    fn a_host_that_is_not_named_reads_no_session(headers in headers(), session in option::of(any::<u64>())) {
        let names = |layer: PropagateSessionLayer| layer.with_header(X_SESSION).with_token_headers([X_TRACKER]);
        let out = names(PropagateSessionLayer::to_hosts(["one"]).unwrap());
        let sent = in_session(session, || propagated(&out, "http://two/", &headers));
        prop_assert!(sent.keys().all(|name| name == "accept"), "{:?}", sent);
    }

    #[test]
    fn the_function_reads_what_the_layer_sets(headers in headers()) {
        prop_assert_eq!(served(&SessionLayer::new(), &headers).0, session_of(&headers));
        for (_, r#in, _) in layers() {
            let read = r#in.session_of(&headers);
            prop_assert_eq!(served(&r#in, &headers), (read, read));
        }
    }
}

#[test]
fn reading_marks_nothing() {
    let headers =
        HeaderMap::from_iter([(header_names()[1].clone(), HeaderValue::from_static(TOKEN_A))]);
    assert_eq!(session_of(&headers).unwrap(), "4950498349085463837");
    assert!(!headers[&header_names()[1]].is_sensitive());
}
