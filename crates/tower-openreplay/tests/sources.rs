//! Which id the layer reads from a request.

use std::{convert::Infallible, iter::once};

use http::{HeaderName, HeaderValue, Request, Response};
use openreplay_session::{SessionId, current};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use tower::{Layer as _, Service as _, service_fn};
use tower_openreplay::{SessionHeaders, SessionLayer};

const ID: &str = "openReplaySession.id";
const TOKEN: &str = "X-OpenReplay-SessionToken";
const AXIOS: &str = "X-OpenReplay-Session-Token";

// Tokens of the ids 4950498349085463837 and 35, with arbitrary signatures.
const TOKEN_A: &str = "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv";
const TOKEN_B: &str = "z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1";
const A: Option<&str> = Some("4950498349085463837");
const B: Option<&str> = Some("35");

type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);

fn session_of(layer: &SessionLayer, request: Request<()>) -> Option<String> {
    let mut seen = None;
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        seen = current().map(|id| id.to_string());
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    drop(service.call(request));
    drop(service);
    seen
}

fn request(headers: &[(&str, &[u8])]) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request
            .headers_mut()
            .append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

#[test]
fn reads_the_id_from_what_browsers_send() {
    let longest = "z".repeat(64);
    let too_long = "z".repeat(65);
    let both = format!("{TOKEN_A}, {TOKEN_B}");
    let thrice = format!("{TOKEN_A}, {TOKEN_A},{TOKEN_A}");
    let own_then_token = format!("own, {TOKEN_A}");
    let token_then_junk = format!("{TOKEN_B}, a.b.c.d!");
    let rows: &[Row<'_>] = &[
        ("nothing", &[], None),
        ("another header", &[("x-request-id", "42")], None),
        // the id's header
        ("the documented header", &[(ID, "4950498349085463837")], A),
        (
            "in lower case",
            &[("openreplaysession.id", "42")],
            Some("42"),
        ),
        (
            "in upper case",
            &[("OPENREPLAYSESSION.ID", "42")],
            Some("42"),
        ),
        (
            "an opaque id",
            &[(ID, "checkout-7_B")],
            Some("checkout-7_B"),
        ),
        ("the longest", &[(ID, &longest)], Some(&longest)),
        ("one byte too long", &[(ID, &too_long)], None),
        ("an empty value", &[(ID, "")], None),
        ("undefined", &[(ID, "undefined")], None),
        ("null", &[(ID, "null")], None),
        ("NaN", &[(ID, "NaN")], None),
        ("a space inside", &[(ID, "4 2")], None),
        ("an address", &[(ID, "https://example.com/")], None),
        // several
        ("joined, the same", &[(ID, "42, 42,42")], Some("42")),
        ("joined, two", &[(ID, "42, 43")], None),
        ("repeated, the same", &[(ID, "42"), (ID, "42")], Some("42")),
        ("repeated, two", &[(ID, "42"), (ID, "43")], None),
        (
            "too early, then right",
            &[(ID, "undefined, 42")],
            Some("42"),
        ),
        (
            "too early, repeated",
            &[(ID, "null"), (ID, "42"), (ID, "")],
            Some("42"),
        ),
        ("commas only", &[(ID, ",, ,")], None),
        ("one of two is malformed", &[(ID, "42, 4 2")], None),
        ("the same number, not the same id", &[(ID, "42, 042")], None),
        // a token under the id's name
        ("a token as the id", &[(ID, TOKEN_A)], A),
        ("the last token as the id", &[(ID, &both)], B),
        (
            "the tracker appended its token",
            &[(ID, &own_then_token)],
            A,
        ),
        (
            "a broken token as the id",
            &[(ID, "11m0l7dhxvfh9.1c.mr3k5wxs")],
            None,
        ),
        (
            "an id beyond the range in a token",
            &[(ID, "3w5e11264sgsg.1.1.a")],
            None,
        ),
        // the tracker's headers
        ("the token", &[(TOKEN, TOKEN_A)], A),
        ("as axios sends it", &[(AXIOS, TOKEN_A)], A),
        (
            "both spellings at once",
            &[(AXIOS, TOKEN_A), (TOKEN, TOKEN_A)],
            A,
        ),
        (
            "both, of two sessions",
            &[(AXIOS, TOKEN_A), (TOKEN, TOKEN_B)],
            B,
        ),
        (
            "both, the other way round",
            &[(TOKEN, TOKEN_B), (AXIOS, TOKEN_A)],
            B,
        ),
        (
            "the one that decodes",
            &[(TOKEN, "undefined"), (AXIOS, TOKEN_B)],
            B,
        ),
        ("thrice", &[(TOKEN, &thrice)], A),
        ("the last", &[(TOKEN, &both)], B),
        (
            "the last, repeated",
            &[(TOKEN, TOKEN_A), (TOKEN, TOKEN_B)],
            B,
        ),
        ("the last that decodes", &[(TOKEN, &token_then_junk)], B),
        ("own, then the tracker's", &[(TOKEN, &own_then_token)], A),
        ("an id is no token", &[(TOKEN, "42")], None),
        // which goes first
        (
            "the id before the token",
            &[(TOKEN, TOKEN_B), (ID, "42")],
            Some("42"),
        ),
        (
            "the token where the id is missing",
            &[(ID, "undefined"), (TOKEN, TOKEN_B)],
            B,
        ),
        (
            "the token where the id is malformed",
            &[(ID, "4 2"), (TOKEN, TOKEN_B)],
            B,
        ),
        (
            "two ids contradict each other, whatever the token is",
            &[(ID, "42, 43"), (TOKEN, TOKEN_B)],
            None,
        ),
        (
            "the id where the token is of another session",
            &[(ID, "42"), (TOKEN, TOKEN_B)],
            Some("42"),
        ),
    ];
    let layer = SessionLayer::new();
    for (name, headers, expected) in rows {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        assert_eq!(
            session_of(&layer, request(&headers)).as_deref(),
            *expected,
            "{name}"
        );
    }
}

#[test]
fn bytes_outside_ascii_are_not_an_id() {
    for value in [&b"42\xff"[..], b"\xf0\x9f\x92\xa9", b"4\t2", b"\xc2\xa042"] {
        assert_eq!(
            session_of(&SessionLayer::new(), request(&[(ID, value)])),
            None,
            "{value:?}"
        );
    }
}

#[test]
fn every_header_can_have_a_custom_name() {
    let name = HeaderName::from_static;
    let headers = SessionHeaders::new()
        .with_id_header(name("x-id"))
        .with_token_headers([name("x-tok-1"), name("x-tok-2")]);
    let layer = SessionLayer::new().with_headers(headers);
    let rows: &[Row<'_>] = &[
        ("the id", &[("X-Id", "42")], Some("42")),
        (
            "the first token",
            &[("x-tok-2", TOKEN_A), ("x-tok-1", TOKEN_B)],
            B,
        ),
        ("the second token", &[("x-tok-2", TOKEN_A)], A),
        (
            "the default names are not read",
            &[(ID, "42"), (TOKEN, TOKEN_A), (AXIOS, TOKEN_A)],
            None,
        ),
    ];
    for (name, headers, expected) in rows {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        assert_eq!(
            session_of(&layer, request(&headers)).as_deref(),
            *expected,
            "{name}"
        );
    }
    let none = SessionLayer::new().with_headers(SessionHeaders::new().with_token_headers([]));
    assert_eq!(
        session_of(&none, request(&[(TOKEN, TOKEN_A.as_bytes())])),
        None
    );
}

#[test]
fn reads_the_query_parameter_if_it_is_set() {
    let too_long = format!("/?openReplaySession.id={}", "1".repeat(65));
    const LONGEST_FROM: usize = "/?openReplaySession.id=".len();
    let longest = format!("/?openReplaySession.id={}", "z".repeat(64));
    let token = format!("/?openReplaySession.id={TOKEN_A}");
    // This token is short enough for an id.
    let short_token = format!("/?openReplaySession.id={TOKEN_B}");
    let encoded_token = short_token.replace("z.-1c", "z%2E-1c");
    let token_and_id = format!("{token}&openReplaySession.id=42");
    let rows = [
        ("none", "/", None),
        ("empty", "/?", None),
        ("the id", "/?openReplaySession.id=42", Some("42")),
        (
            "among others",
            "/?a=1&openReplaySession.id=42&b",
            Some("42"),
        ),
        ("encoded", "/?openReplaySession.id=a%2Db%5f1", Some("a-b_1")),
        (
            "the name encoded",
            "/?openReplaySession%2Eid=42",
            Some("42"),
        ),
        ("a token is not read", &token, None),
        ("a short token is not read", &short_token, None),
        ("an encoded token is not read", &encoded_token, None),
        ("an id next to a token is not read", &token_and_id, None),
        ("the longest", &longest, Some(&longest[LONGEST_FROM..])),
        (
            "the name is case-sensitive",
            "/?openreplaysession.id=42",
            None,
        ),
        ("a part of the name", "/?xopenReplaySession.id=42", None),
        ("no value", "/?openReplaySession.id", None),
        ("undefined", "/?openReplaySession.id=undefined", None),
        (
            "too early, then right",
            "/?openReplaySession.id=null&openReplaySession.id=42",
            Some("42"),
        ),
        (
            "twice the same",
            "/?openReplaySession.id=42&openReplaySession.id=42",
            Some("42"),
        ),
        (
            "two",
            "/?openReplaySession.id=42&openReplaySession.id=43",
            None,
        ),
        ("a plus is a space", "/?openReplaySession.id=4+2", None),
        (
            "a plus is not a sign",
            "/?openReplaySession.id=z.+1.1.a",
            None,
        ),
        ("an encoded space", "/?openReplaySession.id=42%20", None),
        ("an encoded line feed", "/?openReplaySession.id=42%0A", None),
        ("an incomplete escape", "/?openReplaySession.id=42%", None),
        ("an invalid escape", "/?openReplaySession.id=%zz", None),
        ("joined", "/?openReplaySession.id=42,42", None),
        ("too long", &too_long, None),
    ];
    let layer = SessionLayer::new().with_query_parameter("openReplaySession.id");
    for (name, uri, expected) in rows {
        let request = Request::get(uri).body(()).unwrap();
        assert_eq!(session_of(&layer, request).as_deref(), expected, "{name}");
    }

    let request = || Request::get("/?openReplaySession.id=42");
    assert_eq!(
        session_of(&SessionLayer::new(), request().body(()).unwrap()),
        None
    );
    let header_first = request().header(ID, "43").body(()).unwrap();
    assert_eq!(session_of(&layer, header_first).as_deref(), Some("43"));
    let token_first = request().header(TOKEN, TOKEN_B).body(()).unwrap();
    assert_eq!(session_of(&layer, token_first).as_deref(), B);
    let two_ids = request().header(ID, "43, 44").body(()).unwrap();
    assert_eq!(session_of(&layer, two_ids), None);
    let malformed = request().header(ID, "4 2").body(()).unwrap();
    assert_eq!(session_of(&layer, malformed).as_deref(), Some("42"));
}

#[test]
fn the_inner_service_gets_the_original_request_and_debug_shows_no_token() {
    let mut service = SessionLayer::new().layer(service_fn(|request: Request<()>| {
        let debug = format!("{request:?}");
        assert!(
            !debug.contains("mr3k5wxs") && !debug.contains("B4a4aN3z"),
            "{debug}"
        );
        assert!(debug.contains("42"), "the id itself may show: {debug}");
        let values: Vec<_> = request.headers().get_all(TOKEN).iter().collect();
        assert_eq!(values, [TOKEN_A, TOKEN_B]);
        assert_eq!(request.headers()[AXIOS], TOKEN_A);
        assert_eq!(request.headers().len(), 5);
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let joined = format!("own, {TOKEN_A}");
    drop(service.call(request(&[
        (ID, b"42"),
        (TOKEN, TOKEN_A.as_bytes()),
        (TOKEN, TOKEN_B.as_bytes()),
        (AXIOS, TOKEN_A.as_bytes()),
        (ID, joined.as_bytes()),
    ])));
}

#[test]
fn debug_shows_no_token_under_the_default_names_if_custom_names_are_read() {
    let name = HeaderName::from_static;
    let layers = [
        SessionHeaders::new().with_token_headers([]),
        SessionHeaders::new()
            .with_token_headers([name("a-header-longer-than-all-of-the-default-ones")]),
        SessionHeaders::new().with_id_header(name("x-session")),
        SessionHeaders::new()
            .with_id_header(name("an-id-header-longer-than-all-of-the-default-ones"))
            .with_token_headers([]),
    ];
    for headers in layers {
        let layer = SessionLayer::new().with_headers(headers);
        for header in [ID, TOKEN, AXIOS] {
            let mut service = layer.layer(service_fn(|request: Request<()>| {
                let debug = format!("{request:?}");
                assert!(!debug.contains("mr3k5wxs"), "{layer:?}: {debug}");
                assert!(!debug.contains(TOKEN_A), "{layer:?}: {debug}");
                async { Ok::<_, Infallible>(Response::new(())) }
            }));
            drop(service.call(request(&[(header, TOKEN_A.as_bytes())])));
        }
        let mut service = layer.layer(service_fn(|request: Request<()>| {
            assert!(format!("{request:?}").contains("42"), "an id may show");
            async { Ok::<_, Infallible>(Response::new(())) }
        }));
        drop(service.call(request(&[(ID, b"42")])));
    }
}

#[test]
fn debug_shows_the_values_of_other_headers() {
    let mut service = SessionLayer::new().layer(service_fn(|request: Request<()>| {
        let debug = format!("{request:?}");
        assert!(debug.contains("203.0.113.7"), "{debug}");
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let name = "x-forwarded-for-the-original-client";
    drop(service.call(request(&[(name, b"203.0.113.7")])));
}

/// The id that a query names, independently of the implementation.
fn named_in(query: &str) -> Option<String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
    let pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let named = pairs.filter(|(name, _)| decoded(name) == b"id");
    let mut values: Vec<_> = named.map(|(_, value)| decoded(value)).collect();
    values.retain(|value| !matches!(&value[..], b"" | b"undefined" | b"null" | b"NaN"));
    let first = values.first()?;
    let id = SessionId::try_from(&first[..]).ok()?;
    values
        .iter()
        .all(|value| value == first)
        .then(|| id.to_string())
}

proptest! {
    #[test]
    fn any_id_is_found_among_placeholders(
        id in "[A-Za-z0-9_-]{1,64}",
        before in proptest::collection::vec("|undefined|null|NaN| |\t", 0..4),
        after in proptest::collection::vec("|undefined|null|NaN| |\t", 0..4),
        joined: bool,
    ) {
        prop_assume!(id.parse::<SessionId>().is_ok());
        let values: Vec<_> = before.iter().chain(once(&id)).chain(&after).map(String::as_str).collect();
        let request = if joined {
            request(&[(ID, values.join(",").as_bytes())])
        } else {
            request(&values.iter().map(|value| (ID, value.as_bytes())).collect::<Vec<_>>())
        };
        prop_assert_eq!(session_of(&SessionLayer::new(), request), Some(id));
    }

    #[test]
    fn two_different_ids_yield_no_session(one in "[A-Za-z0-9]{1,20}", two in "[A-Za-z0-9]{1,20}") {
        prop_assume!(one != two && one.parse::<SessionId>().is_ok() && two.parse::<SessionId>().is_ok());
        let joined = format!("{one}, {two}");
        prop_assert_eq!(session_of(&SessionLayer::new(), request(&[(ID, joined.as_bytes())])), None);
        let repeated = request(&[(ID, one.as_bytes()), (ID, two.as_bytes())]);
        prop_assert_eq!(session_of(&SessionLayer::new(), repeated), None);
    }

    #[test]
    fn a_query_names_the_id_on_which_all_values_of_the_parameter_agree(
        pairs in proptest::collection::vec((
            prop_oneof![3 => "id", 1 => "i%64|%69d|id|ID|i+d|i%6|[!-~]{0,9}"],
            prop_oneof![
                6 => "=(7|%37|42|4%32|a-7)",
                2 => "=(undefined|null|NaN|%4eaN||007)",
                1 => "=7[+,.&%]7|[!-~]{0,80}|(=[0-9]{60,70})?",
            ],
        ), 0..4),
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}{value}")).collect();
        let query = pairs.join("&").replace('#', "");
        if let Ok(request) = Request::get(format!("/?{query}")).body(()) {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let read = session_of(&SessionLayer::new().with_query_parameter("id"), request);
            prop_assert_eq!(read, named_in(&query), "{}", query);
        }
    }
}
