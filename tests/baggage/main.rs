//! The session in W3C Baggage: which members name one, and what becomes of them on the way to other
//! services.

mod node;
mod opentelemetry;

use std::convert::Infallible;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use openreplay_session::{Scope, SessionId, current, sync_scope};
use tower::{Layer as _, Service as _, service_fn};
use tower_openreplay::{
    PropagateSessionLayer, SessionLayer, header_names, propagate_session, session_of,
};

const ID: &str = "openreplaysession.id";

/// What a case is, its headers, and the session that they name.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);

const TOKEN: &str = "z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1";

fn headers(rows: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in rows {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// All values of the baggage, in order.
fn baggage(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all("baggage").iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

/// The headers that a request to a host has once it is through a layer that sends the session to
/// the host `ours` only.
fn sent(host: &str, scope: Scope, headers: HeaderMap) -> HeaderMap {
    let mut sent = HeaderMap::new();
    let layer = PropagateSessionLayer::to_hosts(["ours"]).unwrap();
    let mut client = layer.layer(service_fn(|request: Request<()>| {
        sent = request.headers().clone();
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let mut request = Request::get(format!("http://{host}/")).body(()).unwrap();
    *request.headers_mut() = headers;
    sync_scope(scope, || drop(client.call(request)));
    drop(client);
    sent
}

#[test]
fn a_member_names_the_session_if_it_is_a_number() {
    let rows: &[(&str, &[&str], Option<&str>)] = &[
        ("alone", &["session.id=42"], Some("42")),
        ("among others", &["a=1,session.id=42,b=2"], Some("42")),
        (
            "with white space",
            &["a = 1 ,\t session.id \t=\t 42 \t, b=2"],
            Some("42"),
        ),
        (
            "with properties",
            &["session.id=42;ttl=5;secure"],
            Some("42"),
        ),
        (
            "with white space before properties",
            &["session.id=42 ; ttl = 5"],
            Some("42"),
        ),
        ("encoded", &["session.id=%34%32"], Some("42")),
        (
            "the largest",
            &["session.id=18446744073709551615"],
            Some("18446744073709551615"),
        ),
        (
            "in the second header",
            &["a=1", "session.id=42"],
            Some("42"),
        ),
        (
            "twice the same",
            &["session.id=42,session.id=%342"],
            Some("42"),
        ),
        (
            "twice the same, in two headers",
            &["session.id=42", "session.id=42"],
            Some("42"),
        ),
        (
            "next to no value",
            &["session.id=undefined,session.id=,session.id=42"],
            Some("42"),
        ),
        ("two", &["session.id=42,session.id=43"], None),
        (
            "two, in two headers",
            &["session.id=42", "session.id=43"],
            None,
        ),
        (
            "next to a malformed one",
            &["session.id=42,session.id=4 2"],
            None,
        ),
        (
            "an id of another program",
            &["session.id=0f8fad5b-d9cb-469f-a165-70867728950e"],
            None,
        ),
        (
            "next to one of another program",
            &["session.id=42,session.id=abc"],
            None,
        ),
        ("too large", &["session.id=18446744073709551616"], None),
        ("leading zeros", &["session.id=007"], None),
        ("a sign", &["session.id=+42"], None),
        ("an encoded space", &["session.id=42%20"], None),
        ("a broken escape", &["session.id=42%"], None),
        ("bytes that are no text", &["session.id=%ff"], None),
        ("quoted", &["session.id=\"42\""], None),
        ("an equals sign in the value", &["session.id=42=1"], None),
        (
            "too long",
            &["session.id=00000000000000000000000000000000000000000000000000000000000000042"],
            None,
        ),
        (
            "a token",
            &["session.id=z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1"],
            None,
        ),
        ("no value", &["session.id"], None),
        ("empty", &[""], None),
        ("another case", &["Session.Id=42"], None),
        ("an encoded key", &["session%2Eid=42"], None),
        ("a longer key", &["x.session.id=42,session.idx=42"], None),
        ("a property", &["a=1;session.id=42"], None),
    ];
    for (name, values, expected) in rows {
        let rows: Vec<_> = values.iter().map(|value| ("baggage", *value)).collect();
        let session = session_of(&headers(&rows));
        assert_eq!(session.as_ref().map(SessionId::as_str), *expected, "{name}");
    }
}

#[test]
fn any_header_that_gives_an_id_goes_first() {
    let own = ("baggage", "session.id=42");
    let rows: &[Row<'_>] = &[
        ("the id", &[(ID, "7"), own], Some("7")),
        (
            "a token",
            &[("x-openreplay-sessiontoken", TOKEN), own],
            Some("35"),
        ),
        ("a contradiction", &[(ID, "7, 8"), own], None),
        ("no value", &[(ID, "undefined"), own], Some("42")),
        ("a malformed id", &[(ID, "4 2"), own], Some("42")),
        (
            "a malformed token",
            &[("x-openreplay-sessiontoken", "a.b"), own],
            Some("42"),
        ),
    ];
    for (name, rows, expected) in rows {
        let session = session_of(&headers(rows));
        assert_eq!(session.as_ref().map(SessionId::as_str), *expected, "{name}");
    }

    let layer = SessionLayer::new().with_query_parameter("id");
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        assert_eq!(current().unwrap(), "42", "before the query parameter");
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let request = Request::get("/?id=7")
        .header(own.0, own.1)
        .body(())
        .unwrap();
    drop(service.call(request));
}

#[test]
fn the_current_session_replaces_the_member_and_others_stay() {
    let rows: &[(&str, &[&str], &[&str])] = &[
        ("none", &[], &["session.id=7"]),
        ("another session", &["session.id=42"], &["session.id=7"]),
        (
            "others",
            &["user=anna%20b;ttl=5 , session.id=42;secure,cart=%2C"],
            &["session.id=7,user=anna%20b;ttl=5,cart=%2C"],
        ),
        (
            "several headers",
            &["a=1,session.id=x", "b=2,,", "session.id"],
            &["session.id=7,a=1,b=2"],
        ),
    ];
    for (name, values, expected) in rows {
        let rows: Vec<_> = values.iter().map(|value| ("baggage", *value)).collect();
        let sent = sent("ours", Scope::Session(SessionId::from(7)), headers(&rows));
        assert_eq!(baggage(&sent), *expected, "{name}");
        assert_eq!(sent[ID], "7");
    }
}

#[test]
fn a_host_that_is_not_named_and_work_without_a_session_get_the_other_members_only() {
    let rows: &[(&[&str], &[&str])] = &[
        (&["session.id=42"], &[]),
        (&["a=1;x, session.id=42 ,b=2"], &["a=1;x,b=2"]),
        (&["session.id=0f8f-ad5b"], &[]),
        // as it came
        (
            &["a=1 , b=2", ",c=3;session.id=42"],
            &["a=1 , b=2", ",c=3;session.id=42"],
        ),
    ];
    let session = Scope::Session(SessionId::from(7));
    for (values, expected) in rows {
        for (host, scope) in [
            ("theirs", session),
            ("theirs", Scope::Unset),
            ("ours", Scope::NoSession),
        ] {
            let rows: Vec<_> = values.iter().map(|value| ("baggage", *value)).collect();
            let sent = sent(host, scope, headers(&rows));
            assert_eq!(baggage(&sent), *expected, "{values:?}");
            assert!(!sent.contains_key(ID));
        }
    }
}

#[test]
fn an_id_that_is_no_number_goes_without_baggage() {
    let id: SessionId = "checkout-7".parse().unwrap();
    let came = headers(&[("baggage", "session.id=42,a=1")]);
    let sent = sent("ours", Scope::Session(id), came);
    assert_eq!(sent[ID], "checkout-7");
    assert_eq!(baggage(&sent), ["a=1"]);
}

#[test]
fn a_gateway_forwards_the_session_of_the_baggage_where_no_header_gives_one() {
    let own = ("baggage", "session.id=42");
    let rows: &[Row<'_>] = &[
        ("baggage alone", &[own], Some("42")),
        ("the id's header goes first", &[(ID, "7"), own], Some("7")),
        // this service reads the token's session, and forwards none
        (
            "a token",
            &[("x-openreplay-sessiontoken", TOKEN), own],
            None,
        ),
        ("a contradiction", &[(ID, "7, 8"), own], None),
    ];
    for (name, rows, expected) in rows {
        let mut forwarded = headers(rows);
        propagate_session(&mut forwarded);
        assert_eq!(
            session_of(&forwarded).as_ref().map(SessionId::as_str),
            *expected,
            "{name}"
        );
        let member = expected.map(|id| format!("session.id={id}"));
        assert_eq!(baggage(&forwarded), member.as_deref().as_slice(), "{name}");
    }
}

#[test]
fn debug_shows_no_token_that_is_in_the_baggage() {
    for value in [TOKEN.to_owned(), TOKEN.replace('.', "%2E")] {
        let value = format!("a=1,session.id={value}");
        let mut service = SessionLayer::new().layer(service_fn(|request: Request<()>| {
            assert!(!format!("{request:?}").contains("sQt5Bab"));
            assert_eq!(request.headers()["baggage"], value, "as it came");
            async { Ok::<_, Infallible>(Response::new(())) }
        }));
        let mut request = Request::new(());
        *request.headers_mut() = headers(&[("baggage", &value)]);
        drop(service.call(request));
        let sent = sent("ours", Scope::Unset, headers(&[("baggage", &value)]));
        assert_eq!(baggage(&sent), ["a=1"]);
    }
    let mut service = SessionLayer::new().layer(service_fn(|request: Request<()>| {
        assert!(
            format!("{request:?}").contains("session.id=42,a=b.c"),
            "no token, so it may show"
        );
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let mut request = Request::new(());
    *request.headers_mut() = headers(&[("baggage", "session.id=42,a=b.c")]);
    drop(service.call(request));
}

#[test]
fn a_page_needs_no_leave_to_send_baggage() {
    assert!(header_names().iter().all(|name| name != "baggage"));
}
