//! Which values are session ids, and what the errors report about others.

use std::collections::HashSet;

use openreplay_session::SessionId;
use proptest::prelude::*;

#[track_caller]
fn id(text: &str) -> SessionId {
    text.parse().unwrap()
}

#[track_caller]
fn error(bytes: &[u8]) -> String {
    SessionId::try_from(bytes).unwrap_err().to_string()
}

#[test]
fn accepts_one_to_sixty_four_safe_bytes() {
    let longest = "z".repeat(64);
    for text in [
        "0",
        "4950498349085463837",
        "checkout-7_B",
        "-",
        "_",
        "NULL",
        "nan",
        "Undefined",
        &longest,
    ] {
        assert_eq!(id(text).as_str(), text);
        assert_eq!(id(text).to_string(), text);
        assert_eq!(SessionId::try_from(text.as_bytes()), Ok(id(text)));
        assert_eq!(SessionId::try_from(text), Ok(id(text)));
    }
}

#[test]
fn errors_report_what_was_found_and_what_is_allowed() {
    let rows: &[(&str, &[u8], &str)] = &[
        (
            "nothing",
            b"",
            "session id is empty, expected 1 to 64 bytes of A-Z a-z 0-9 - _",
        ),
        (
            "undefined",
            b"undefined",
            "session id is undefined, null or NaN: the page sent the request before it had an id",
        ),
        (
            "null",
            b"null",
            "session id is undefined, null or NaN: the page sent the request before it had an id",
        ),
        (
            "NaN",
            b"NaN",
            "session id is undefined, null or NaN: the page sent the request before it had an id",
        ),
        (
            "65 bytes",
            &[b'a'; 65],
            "session id has 65 bytes, expected 1 to 64",
        ),
        (
            "256 bytes",
            &[b'a'; 256],
            "session id has 256 bytes, expected 1 to 64",
        ),
        (
            "a line feed",
            b"42\n",
            "session id has byte 0x0a at position 2, allowed bytes are A-Z a-z 0-9 - _",
        ),
        (
            "64 bytes with a dot",
            &[&[b'a'; 63], &b"."[..]].concat(),
            "session id has byte 0x2e at position 63, allowed bytes are A-Z a-z 0-9 - _",
        ),
        (
            "a quote",
            b"\"",
            "session id has byte 0x22 at position 0, allowed bytes are A-Z a-z 0-9 - _",
        ),
        (
            "an escape",
            b"a\x1b[31m",
            "session id has byte 0x1b at position 1, allowed bytes are A-Z a-z 0-9 - _",
        ),
        (
            "not UTF-8",
            b"a\xff",
            "session id has byte 0xff at position 1, allowed bytes are A-Z a-z 0-9 - _",
        ),
        (
            "a token",
            b"abc.1.2.sig",
            "session id has byte 0x2e at position 3, allowed bytes are A-Z a-z 0-9 - _",
        ),
    ];
    for (name, bytes, text) in rows {
        assert_eq!(error(bytes), *text, "{name}");
    }
}

#[test]
fn distinguishes_a_missing_value_from_a_malformed_one() {
    for (text, absent) in [
        ("", true),
        ("undefined", true),
        ("null", true),
        ("NaN", true),
        ("a b", false),
    ] {
        let error = text.parse::<SessionId>().unwrap_err();
        assert_eq!(error.is_absent(), absent, "{text:?}");
    }
}

#[test]
fn is_a_number_only_in_the_form_that_openreplay_writes() {
    let rows = [
        ("0", Some(0)),
        ("42", Some(42)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("99999999999999999999", None),
        ("100000000000000000000000", None),
        ("00", None),
        ("007", None),
        ("-1", None),
        ("1_000", None),
        ("1e3", None),
        ("ff", None),
    ];
    for (text, number) in rows {
        assert_eq!(id(text).as_u64(), number, "{text}");
    }
}

#[test]
fn a_byte_that_is_no_digit_makes_it_no_number_wherever_it_is() {
    let others = (0..=u8::MAX).filter(|byte| byte.is_ascii_alphabetic() || b"-_".contains(byte));
    for other in others {
        for at in 0..20 {
            let mut text = *b"12345678901234567890";
            text[at] = other;
            assert_eq!(
                id(str::from_utf8(&text).unwrap()).as_u64(),
                None,
                "{text:?}"
            );
        }
    }
}

#[test]
fn numbers_at_the_ends_of_the_range_round_trip() {
    for number in [
        0,
        1,
        9,
        10,
        (1 << 53) + 1,
        u64::MAX / 2 + 1,
        u64::MAX - 1,
        u64::MAX,
    ] {
        let id = SessionId::from(number);
        assert_eq!(id.as_str(), number.to_string());
        assert_eq!(id.as_u64(), Some(number));
    }
}

#[test]
fn formats_and_pads_like_text() {
    let id = id("42");
    assert_eq!(format!("{id:?}"), r#"SessionId("42")"#);
    assert_eq!(format!("{id:>5}|{id:<4}|"), "   42|42  |");
    assert_eq!(id.as_ref(), "42");
}

#[test]
fn the_debug_output_of_an_error_contains_its_message() {
    let error = "".parse::<SessionId>().unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        r#"SessionIdError("session id is empty, expected 1 to 64 bytes of A-Z a-z 0-9 - _")"#
    );
}

#[test]
fn an_optional_id_is_not_larger_than_an_id() {
    assert_eq!(size_of::<Option<SessionId>>(), size_of::<SessionId>());
    assert_eq!(size_of::<SessionId>(), SessionId::MAX_LEN + 8);
}

#[test]
fn is_send_and_sync() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<SessionId>();
    check::<openreplay_session::SessionIdError>();
    check::<openreplay_session::InSession<std::future::Ready<()>>>();
}

#[cfg(feature = "http")]
#[test]
fn round_trips_through_a_header_value() {
    use http::HeaderValue;

    let value = HeaderValue::from(id("checkout-7"));
    assert_eq!(value, "checkout-7");
    assert_eq!(SessionId::try_from(&value), Ok(id("checkout-7")));
    assert!(SessionId::try_from(&HeaderValue::from_bytes(b"a\xff").unwrap()).is_err());
}

proptest! {
    #[test]
    fn bytes_are_an_id_if_and_only_if_they_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let safe = (1..=64).contains(&bytes.len())
            && bytes.iter().all(|b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
            && !matches!(&bytes[..], b"undefined" | b"null" | b"NaN");
        let id = SessionId::try_from(&bytes[..]);
        prop_assert_eq!(id.is_ok(), safe);
        if let Ok(id) = id {
            prop_assert_eq!(id.as_str().as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn any_safe_text_round_trips(text in "[A-Za-z0-9_-]{1,64}", other in "[A-Za-z0-9_-]{1,64}") {
        prop_assume!(!["undefined", "null", "NaN"].contains(&&*text) && !["undefined", "null", "NaN"].contains(&&*other));
        let (one, two) = (id(&text), id(&other));
        prop_assert_eq!(one.to_string(), text.clone());
        prop_assert_eq!(one == two, text == other);
        prop_assert_eq!(HashSet::from([one, two]).len(), HashSet::from([text, other]).len());
    }

    #[test]
    fn any_number_round_trips(number: u64) {
        let id = SessionId::from(number);
        prop_assert_eq!(id.as_str(), number.to_string());
        prop_assert_eq!(id.as_u64(), Some(number));
    }

    #[test]
    fn digits_are_a_number_if_and_only_if_the_number_prints_the_same_digits(digits in "[0-9]{1,24}") {
        let expected = digits.parse::<u64>().ok().filter(|number| number.to_string() == digits);
        prop_assert_eq!(id(&digits).as_u64(), expected);
    }
}

#[test]
fn compares_with_text() {
    let id = id("42");
    assert!(id == "42" && id == *"42");
    assert!(id != "4" && id != "421" && id != "");
}

proptest! {
    #[test]
    fn is_ordered_like_its_text(a in "[A-Za-z0-9_-]{1,64}", b in "[A-Za-z0-9_-]{1,64}", cut in 1..=64_usize) {
        // The second pair compares an id with a prefix of that id.
        for (a, b) in [(&a[..], &b[..]), (&a, &a[..cut.min(a.len())])] {
            prop_assert_eq!(id(a).cmp(&id(b)), a.cmp(b));
        }
    }
}
