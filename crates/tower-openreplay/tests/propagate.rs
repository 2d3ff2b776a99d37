//! Which outgoing requests get the session. These tests ignore the header `baggage`, which
//! `one_rule.rs` and the workspace's `tests/baggage` cover.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use openreplay_session::{SessionId, scope, sync_scope};
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};
use tower_http::follow_redirect::FollowRedirect;
use tower_openreplay::{PropagateSessionLayer, SessionHeaders, propagate_session};

const ID: &str = "openReplaySession.id";
const TOKEN: &str = "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv";

/// Returns the headers of a request after the layer, except the baggage.
fn sent(layer: &PropagateSessionLayer, request: Request<()>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut client = layer.layer(service_fn(|request: Request<()>| {
        headers.clone_from(request.headers());
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    sync_scope(SessionId::from(42), || drop(client.call(request)));
    drop(client);
    headers.remove("baggage");
    headers
}

/// Returns a request with a token in every header that may contain one.
fn with_tokens(uri: &str) -> Request<()> {
    let joined = format!("own, {TOKEN}");
    let mut request = Request::get(uri).header("accept", "a.b.c.d");
    for name in [
        ID,
        "X-OpenReplay-SessionToken",
        "X-OpenReplay-Session-Token",
    ] {
        request = request.header(name, TOKEN).header(name, &joined);
    }
    request.body(()).unwrap()
}

/// Returns the names and values of all headers in order, except the baggage.
fn rows(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let text = |value| str::from_utf8(HeaderValue::as_bytes(value)).unwrap();
    let mut rows: Vec<_> = headers
        .iter()
        .filter(|(name, _)| *name != "baggage")
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect();
    rows.sort_unstable();
    rows
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

#[test]
fn a_listed_host_gets_the_header_and_no_other_host_does() {
    let rows = [
        ("stock.internal", "http://stock.internal/items", true),
        ("stock.internal", "https://stock.internal:8443/", true),
        ("stock.internal", "http://STOCK.Internal/", true),
        ("STOCK.internal", "http://stock.internal/", true),
        ("stock.internal", "http://stock.internal./", true),
        ("stock.internal.", "http://stock.internal/", true),
        ("stock.internal", "http://user:pass@stock.internal/", true),
        ("stock.internal:8080", "http://stock.internal:8080/", true),
        ("stock.internal:80", "http://stock.internal/", true),
        ("stock.internal:443", "https://stock.internal/", true),
        ("10.0.0.7", "http://10.0.0.7:3000/", true),
        ("[::1]:3000", "http://[::1]:3000/", true),
        ("[::1]", "http://[::1]/", true),
        ("stock.internal:80", "ws://stock.internal/", true),
        ("stock.internal:443", "wss://stock.internal/", true),
        ("stock.internal:443", "ws://stock.internal/", false),
        ("stock.internal:80", "wss://stock.internal/", false),
        // similar hosts
        (
            "stock.internal",
            "http://evil.example/stock.internal",
            false,
        ),
        (
            "stock.internal",
            "http://evil.example/?stock.internal",
            false,
        ),
        (
            "stock.internal",
            "http://stock.internal.evil.example/",
            false,
        ),
        ("stock.internal", "http://xstock.internal/", false),
        ("stock.internal", "http://a.stock.internal/", false),
        ("stock.internal", "http://stock-internal/", false),
        (
            "stock.internal",
            "http://stock.internal@evil.example/",
            false,
        ),
        (
            "stock.internal",
            "http://stock.internal:80@evil.example/",
            false,
        ),
        ("stock.internal", "http://stock.internal../", false),
        ("stock.internal", "http://internal/", false),
        // another port
        ("stock.internal:8080", "http://stock.internal/", false),
        ("stock.internal:8080", "http://stock.internal:80800/", false),
        ("stock.internal:443", "http://stock.internal/", false),
        ("stock.internal:80", "https://stock.internal/", false),
        // no host at all
        ("stock.internal", "/items", false),
        ("stock.internal", "*", false),
    ];
    for (host, uri, expected) in rows {
        let layer = PropagateSessionLayer::to_hosts([host]).unwrap();
        let Ok(request) = Request::get(uri).body(()) else {
            assert!(!expected, "{uri} is not a URI");
            continue;
        };
        let headers = sent(&layer, request);
        assert_eq!(
            headers.get(ID).is_some_and(|id| id == "42"),
            expected,
            "{host}: {uri}"
        );
        assert_eq!(headers.len(), usize::from(expected), "{host}: {uri}");
    }
}

#[test]
fn the_host_header_of_a_request_is_ignored() {
    let layer = PropagateSessionLayer::to_hosts(["stock.internal"]).unwrap();
    for uri in ["/items", "http://evil.example/"] {
        let mut request = get(uri);
        request
            .headers_mut()
            .insert("host", HeaderValue::from_static("stock.internal"));
        assert!(!sent(&layer, request).contains_key(ID), "{uri}");
    }
}

#[test]
fn several_hosts_no_host_and_all_hosts_can_be_listed() {
    let two = PropagateSessionLayer::to_hosts(["one", "two:2"]).unwrap();
    assert_eq!(sent(&two, get("http://one/"))[ID], "42");
    assert_eq!(sent(&two, get("http://two:2/"))[ID], "42");
    assert!(!sent(&two, get("http://three/")).contains_key(ID));

    let none = PropagateSessionLayer::to_hosts([""; 0]).unwrap();
    assert!(!sent(&none, get("http://one/")).contains_key(ID));

    let all = PropagateSessionLayer::to_all_hosts();
    assert_eq!(sent(&all, get("http://anyone.example/"))[ID], "42");
    assert_eq!(sent(&all, get("/without/a/host"))[ID], "42");
}

#[test]
fn a_string_that_is_not_a_host_is_rejected() {
    for host in [
        "",
        ".",
        ":80",
        "https://stock.internal",
        "stock.internal/",
        "stock.internal/items",
        "stock.internal:",
        "stock.internal:http",
        "stock.internal:80800",
        "*.internal",
        "*",
        "stock internal",
        "stöck.internal",
        "::1",
        "a[b]",
        "a,b",
    ] {
        let error = PropagateSessionLayer::to_hosts(["right", host]).expect_err(host);
        assert_eq!(
            error.to_string(),
            format!(
                "{host:?} is not a host, expected a name or an address with an optional port, such as \"stock.internal\" or \"10.0.0.7:8080\""
            )
        );
    }
}

#[test]
fn the_error_does_not_show_what_may_be_a_password() {
    let rows = [
        ("user@stock.internal", "…@stock.internal"),
        ("https://user:secret@stock.internal/", "…@stock.internal/"),
        ("stock.internal:80@evil.example", "…@evil.example"),
        ("user:secret@secret@", "…@"),
    ];
    for (host, shown) in rows {
        let error = PropagateSessionLayer::to_hosts([host]).expect_err(host);
        let start = format!("{shown:?} is not a host, ");
        assert!(error.to_string().starts_with(&start), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn the_current_session_replaces_forwarded_headers() {
    let layer = PropagateSessionLayer::to_all_hosts();
    for there in [
        "7",
        "",
        "undefined",
        "null",
        "[object Object]",
        "1,2",
        TOKEN,
    ] {
        for (name, next_to) in [(ID, "8"), ("X-OpenReplay-SessionToken", TOKEN)] {
            let mut request = get("http://one/");
            for (name, value) in [(ID, there), (name, next_to)] {
                let name: HeaderName = name.parse().unwrap();
                let value = HeaderValue::from_str(value).unwrap();
                request.headers_mut().append(name, value);
            }
            let headers = sent(&layer, request);
            assert_eq!(rows(&headers), [("openreplaysession.id", "42")], "{there}");
        }
    }
}

#[test]
fn without_a_scope_only_a_single_id_is_kept() {
    let cases: [(&[&str], Option<&str>); 9] = [
        (&["7"], Some("7")),
        (&["7", "7"], Some("7")),
        (&["undefined", "7, 7"], Some("7")),
        (&["7", "8"], None),
        (&["7", TOKEN], None),
        (&["7", "a b"], None),
        (&["7", "."], None),
        (&["undefined"], None),
        (&[TOKEN], None),
    ];
    for (there, expected) in cases {
        let mut headers = with_tokens("/").into_parts().0.headers;
        headers.remove(ID);
        for value in there {
            headers.append(ID, HeaderValue::from_str(value).unwrap());
        }
        propagate_session(&mut headers);
        let id = expected.map(|id| ("openreplaysession.id", id));
        let expected: Vec<_> = [("accept", "a.b.c.d")].into_iter().chain(id).collect();
        assert_eq!(rows(&headers), expected, "{there:?}");
    }
}

#[test]
fn a_host_that_is_not_listed_gets_no_header_that_names_a_session() {
    let named = PropagateSessionLayer::to_hosts(["one"]).unwrap();
    let other = named
        .clone()
        .with_headers(SessionHeaders::new().with_id_header(HeaderName::from_static("x-session")));
    for layer in [named, other] {
        for name in [ID, "X-OpenReplay-SessionToken"] {
            let request = Request::get("http://two/")
                .header(name, "7")
                .header("x-session-2", "7");
            let headers = sent(&layer, request.body(()).unwrap());
            assert_eq!(rows(&headers), [("x-session-2", "7")], "{name}");
        }
    }
}

#[test]
fn no_host_gets_a_token_and_a_listed_host_gets_the_id_instead() {
    let layer = PropagateSessionLayer::to_hosts(["one"]).unwrap();
    let rest = ("accept", "a.b.c.d");
    assert_eq!(rows(&sent(&layer, with_tokens("http://two/"))), [rest]);
    assert_eq!(rows(&sent(&layer, with_tokens("/items"))), [rest]);
    assert_eq!(
        rows(&sent(&layer, with_tokens("http://one/"))),
        [rest, ("openreplaysession.id", "42")]
    );

    let other = layer
        .with_headers(SessionHeaders::new().with_id_header(HeaderName::from_static("x-session")));
    let mut request = with_tokens("http://one/");
    let value = HeaderValue::from_static(TOKEN);
    request.headers_mut().insert("x-session", value);
    assert_eq!(rows(&sent(&other, request)), [rest, ("x-session", "42")]);
}

#[test]
fn the_id_header_can_have_a_default_name_of_the_token() {
    let name = HeaderName::from_static("x-openreplay-sessiontoken");
    let layer = PropagateSessionLayer::to_all_hosts()
        .with_headers(SessionHeaders::new().with_id_header(name.clone()));
    for there in ["7", TOKEN] {
        let request = Request::get("http://one/").header(&name, there);
        let headers = sent(&layer, request.body(()).unwrap());
        assert_eq!(rows(&headers), [(name.as_str(), "42")]);
    }
}

#[test]
fn a_token_under_a_custom_name_is_sent_to_no_host() {
    let layer = PropagateSessionLayer::to_hosts(["one"])
        .unwrap()
        .with_headers(
            SessionHeaders::new().with_token_headers([HeaderName::from_static("x-tracker")]),
        );
    for (host, expected) in [("http://one/", Some("42")), ("http://two/", None)] {
        let mut request = with_tokens(host);
        let value = HeaderValue::from_static(TOKEN);
        request.headers_mut().insert("x-tracker", value);
        let headers = sent(&layer, request);
        assert_eq!(headers.len(), 1 + usize::from(expected.is_some()), "{host}");
        let id = headers.get(ID).map(|id| id.to_str().unwrap());
        assert_eq!(id, expected, "{host}");
    }
}

#[test]
fn the_function_removes_tokens_inside_and_outside_a_session() {
    let rest = ("accept", "a.b.c.d");
    let mut headers = with_tokens("/").into_parts().0.headers;
    propagate_session(&mut headers);
    assert_eq!(rows(&headers), [rest]);

    let mut headers = with_tokens("/").into_parts().0.headers;
    sync_scope(SessionId::from(42), || propagate_session(&mut headers));
    assert_eq!(rows(&headers), [rest, ("openreplaysession.id", "42")]);
}

#[test]
fn without_a_session_nothing_is_set() {
    let mut client =
        PropagateSessionLayer::to_all_hosts().layer(service_fn(|request: Request<()>| {
            assert!(request.headers().is_empty());
            async { Ok::<_, Infallible>(Response::new(())) }
        }));
    drop(client.call(get("http://one/")));

    let mut headers = HeaderMap::new();
    propagate_session(&mut headers);
    assert!(headers.is_empty());
}

#[test]
fn the_id_header_can_have_a_custom_name() {
    let layer = PropagateSessionLayer::to_all_hosts()
        .with_headers(SessionHeaders::new().with_id_header(HeaderName::from_static("x-session")));
    let headers = sent(&layer, get("http://one/"));
    assert_eq!(headers["x-session"], "42");
    assert_eq!(headers.len(), 1);
}

#[test]
fn a_second_call_of_the_function_replaces_the_header() {
    let mut headers = HeaderMap::new();
    sync_scope(SessionId::from(42), || propagate_session(&mut headers));
    sync_scope(SessionId::from(43), || propagate_session(&mut headers));
    assert_eq!(headers.get_all(ID).iter().collect::<Vec<_>>(), ["43"]);
}

#[tokio::test]
async fn inside_a_layer_that_follows_redirects_each_hop_is_matched_by_its_own_host() {
    let hops = Arc::new(Mutex::new(Vec::new()));
    let noted = hops.clone();
    let client = service_fn(move |request: Request<String>| {
        let id = request.headers().get(ID).cloned();
        let host = request.uri().host().unwrap().to_owned();
        let next = match &*host {
            "one" => Some("http://foreign.example/"),
            "foreign.example" => Some("http://two/"),
            _ => None,
        };
        noted.lock().unwrap().push((host, id));
        let response = next.map_or(Response::builder(), |next| {
            Response::builder().status(302).header("location", next)
        });
        async move { Ok::<_, Infallible>(response.body(String::new()).unwrap()) }
    });
    let layer = PropagateSessionLayer::to_hosts(["one", "two"]).unwrap();
    let client = FollowRedirect::new(layer.layer(client));
    let request = get("http://one/").map(|()| String::new());
    scope(SessionId::from(42), client.oneshot(request))
        .await
        .unwrap();
    let id = Some(HeaderValue::from_static("42"));
    let expected = [("one", id.clone()), ("foreign.example", None), ("two", id)];
    let expected = expected.map(|(host, id)| (host.to_owned(), id));
    assert_eq!(*hops.lock().unwrap(), expected);
}

#[test]
fn the_service_returns_its_inner_service() {
    let mut service = PropagateSessionLayer::to_all_hosts().layer("inner");
    assert_eq!((*service.get_ref(), *service.get_mut()), ("inner", "inner"));
    assert_eq!(service.into_inner(), "inner");
}
