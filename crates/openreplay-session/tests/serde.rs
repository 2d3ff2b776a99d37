//! A session id in JSON.

#![cfg(feature = "serde")]

use openreplay_session::SessionId;
use proptest::prelude::*;
use serde_json::{Value, from_value, json, to_value};

fn read(value: Value) -> Result<SessionId, String> {
    from_value(value).map_err(|error| error.to_string())
}

#[test]
fn strings_and_unsigned_integers_are_read() {
    assert_eq!(read(json!("checkout-7")).unwrap(), "checkout-7");
    assert_eq!(read(json!(u64::MAX)).unwrap(), SessionId::from(u64::MAX));
    assert_eq!(serde_json::from_str::<SessionId>("0").unwrap(), "0");
}

#[test]
fn everything_else_is_rejected_and_no_error_contains_a_string() {
    let rows = [
        (
            json!("a secret"),
            "session id has byte 0x20 at position 1, allowed bytes are A-Z a-z 0-9 - _",
        ),
        (
            json!("null"),
            "session id is undefined, null or NaN: the page sent the request before it had an id",
        ),
        (
            json!(-1),
            "invalid value: integer `-1`, expected a session id, a string or an unsigned 64-bit integer",
        ),
        (
            json!(4.0),
            "invalid type: floating point `4.0`, expected a session id, a string or an unsigned 64-bit integer",
        ),
        (
            json!(null),
            "invalid type: null, expected a session id, a string or an unsigned 64-bit integer",
        ),
    ];
    for (value, expected) in rows {
        assert_eq!(read(value.clone()).unwrap_err(), expected, "{value}");
    }
}

proptest! {
    #[test]
    fn an_id_is_written_as_a_string_and_read_back(text in "[A-Za-z0-9_-]{1,64}") {
        if let Ok(id) = text.parse::<SessionId>() {
            prop_assert_eq!(to_value(id).unwrap(), json!(text));
            prop_assert_eq!(read(json!(text)).unwrap(), id);
        }
    }
}
