//! The session id in a tracker's token.

use openreplay_session::SessionId;
use proptest::prelude::*;

const SIGNATURE: &str = "9bLCwwWHCCxsxW5bVeKUVRDxxUnsAbv3csF1oE2tY6dC";

/// What OpenReplay's tokenizer reads in the first of four parts, independently of the
/// implementation.
fn read(token: &str) -> Option<u64> {
    let parts: Vec<_> = token.split('.').collect();
    let [session, delay, expiry, signature] = parts[..] else {
        return None;
    };
    let number = |digits: &str| {
        let digits = digits.trim_start_matches('0').chars();
        let zero = Some(0_i128);
        digits.fold(zero, |number, digit| {
            let number = number? * 36 + i128::from(digit.to_digit(36)?);
            (number < 1 << 100).then_some(number)
        })
    };
    let is_signed = |text: &str| {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let number = number(digits).filter(|_| !digits.is_empty());
        number.is_some_and(|number| i64::try_from(sign * number).is_ok())
    };
    let is_base_58 = |c: char| c.is_ascii_alphanumeric() && !"0OIl".contains(c);
    let is_token = !session.is_empty()
        && is_signed(delay)
        && is_signed(expiry)
        && !signature.is_empty()
        && signature.chars().all(is_base_58);
    number(session)
        .filter(|_| is_token)
        .and_then(|number| number.try_into().ok())
}

/// A part of a token, or nearly one.
fn part() -> impl Strategy<Value = String> {
    let limits = vec![0, (1 << 63) - 1, 1 << 63, 1_u128 << 64];
    let near = (proptest::sample::select(limits), -2..3_i128)
        .prop_map(|(limit, off)| base_36(limit.saturating_add_signed(off)));
    prop_oneof![
        4 => "[0-9a-zA-Z]{1,9}",
        2 => ("[-+]?0{0,3}", near).prop_map(|(before, digits)| before + &digits),
        1 => "[-+]?[0-9a-zA-Z_]{0,30}",
        1 => "[1-9A-HJ-NP-Za-km-z]{1,50}",
    ]
}

#[track_caller]
fn error(token: &[u8]) -> String {
    SessionId::from_token(token).unwrap_err().to_string()
}

fn base_36(mut number: u128) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap());
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

// These tokens have the form that OpenReplay's `backend/pkg/token/tokenizer.go` writes, and are
// signed with HMAC-SHA256 and the secret `not a secret`.
#[test]
fn reads_ids_at_the_boundaries_of_base_36() {
    let rows = [
        (0, "0.0.0.6CMuaBvowfmCuJA6y8wwB8aGJYewBYPhvVX94UgBoHnH"),
        (1, "1.1.1.9uEy8QenL9v1nqAdCLvGi68a43Mn3BkWhdyWkRwMFChz"),
        (35, "z.z.z.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1"),
        (36, "10.10.10.H1UNH9YyVKyr1ScuFwBBRjw8uGtT3CyQ9w4ZFqjUZfEH"),
        (1295, "zz.7.1.EVxq2cu4dAtyJJRfnhhyfYbuRx6A9qrNErgKPf7cPBbm"),
        // The delay is negative because the page's clock is ahead.
        (
            1296,
            "100.-1.1.FncrWzXskN2o7iAFXbPZXA6UkBcHMt7jqoM3gY183ufE",
        ),
        (
            4_950_498_349_085_463_837,
            "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv",
        ),
        (
            (1 << 53) + 1,
            "2gosa7pa2gx.-1xg.mr3k5wxs.5vQroaWzNBsCsNRSzD6DvX1R5cCBPdndk2J6JZhM69rc",
        ),
        (
            (1 << 63) - 1,
            "1y2p0ij32e8e7.0.1y2p0ij32e8e7.9bLCwwWHCCxsxW5bVeKUVRDxxUnsAbv3csF1oE2tY6dC",
        ),
        (
            1 << 63,
            "1y2p0ij32e8e8.0.-1y2p0ij32e8e8.Gb18bJpMbJQAa9xpiw44CskpHdRwUnHByRJ3DRgXs13B",
        ),
        (
            u64::MAX,
            "3w5e11264sgsf.c.mr3k5wxs.HJfYdg5UiWGP6RsjkWVdQ5gNaaQ8QDzqCxeRYXLjofSG",
        ),
    ];
    for (number, token) in rows {
        assert_eq!(
            SessionId::from_token(token),
            Ok(SessionId::from(number)),
            "{token}"
        );
    }
}

#[test]
fn errors_report_which_part_is_malformed_and_contain_no_part() {
    let session =
        "part 1 of the token, the session id, is not an unsigned 64-bit integer in base 36";
    let delay = "part 2 of the token, the delay, is not a 64-bit integer in base 36";
    let expiry = "part 3 of the token, the expiry, is not a 64-bit integer in base 36";
    let signature = "part 4 of the token, the signature, is not base 58";
    let rows: &[(&str, &[u8], &str)] = &[
        (
            "nothing",
            b"",
            "token does not have 4 parts separated by dots, found 1",
        ),
        (
            "an id",
            b"42",
            "token does not have 4 parts separated by dots, found 1",
        ),
        (
            "three parts",
            b"a.b.c",
            "token does not have 4 parts separated by dots, found 3",
        ),
        (
            "five parts",
            b"a.b.c.d.e",
            "token does not have 4 parts separated by dots, found 5",
        ),
        ("u64::MAX + 1", b"3w5e11264sgsg.1.1.a", session),
        (
            "far above u64",
            b"zzzzzzzzzzzzzzzzzzzzzzzzzz.1.1.a",
            session,
        ),
        ("no session id", b".1.1.a", session),
        ("a signed session id", b"+1.1.1.a", session),
        ("a negative session id", b"-1.1.1.a", session),
        ("a space", b" 1.1.1.a", session),
        ("not UTF-8", b"\xff.1.1.a", session),
        ("digits beyond ASCII", "\u{661}.1.1.a".as_bytes(), session),
        ("no delay", b"1..1.a", delay),
        ("a delay with an underscore", b"1.1_0.1.a", delay),
        ("no expiry", b"1.1..a", expiry),
        ("an expiry above i64", b"1.1.1y2p0ij32e8e8.a", expiry),
        ("no signature", b"1.1.1.", signature),
        ("a zero in base 58", b"1.1.1.a0", signature),
        ("an O in base 58", b"1.1.1.aO", signature),
        ("an I in base 58", b"1.1.1.aI", signature),
        ("an l in base 58", b"1.1.1.al", signature),
        ("a line feed at the end", b"1.1.1.a\n", signature),
    ];
    for (name, token, text) in rows {
        assert_eq!(error(token), *text, "{name}");
    }
}

#[test]
fn a_token_is_never_an_id() {
    let token = format!("11m0l7dhxvfh9.1c.mr3k5wxs.{SIGNATURE}");
    assert!(token.parse::<SessionId>().is_err());
}

proptest! {
    #[test]
    fn any_id_is_read_back_from_a_token(number: u64, delay in "-?[0-9a-z]{1,8}", expiry in "[0-9a-z]{1,9}") {
        let token = format!("{}.{delay}.{expiry}.{SIGNATURE}", base_36(number.into()));
        prop_assert_eq!(SessionId::from_token(&token), Ok(SessionId::from(number)));
    }

    #[test]
    fn an_id_above_the_range_is_rejected(above in 0..u128::from(u64::MAX)) {
        let number = u128::from(u64::MAX) + 1 + above;
        let token = format!("{}.1.1.{SIGNATURE}", base_36(number));
        prop_assert!(SessionId::from_token(token).is_err());
    }

    #[test]
    fn a_text_is_a_token_exactly_if_all_its_parts_are(
        parts in proptest::collection::vec(part(), 4),
        change in proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), "[-+.0OIl_ é]|")),
    ) {
        let mut token = parts.join(".");
        if let Some((at, text)) = change {
            let at = at.index(token.len() + 1);
            token.replace_range(at..token.len().min(at + 1), &text);
        }
        let id = SessionId::from_token(&token).ok();
        prop_assert_eq!(id, read(&token).map(SessionId::from));
    }

    #[test]
    fn any_bytes_return_an_id_or_an_error_that_contains_no_part(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        match SessionId::from_token(&bytes) {
            Ok(id) => prop_assert!(id.as_u64().is_some()),
            Err(error) => prop_assert!(error.to_string().contains("of the token") || error.to_string().starts_with("token does not have ")),
        }
    }

    #[test]
    fn no_error_contains_a_part_of_the_token(
        parts in proptest::collection::vec("[0-9A-Z]{6,20}", 1..7),
        broken in "[-_+/= ]",
    ) {
        let token = format!("{}{broken}", parts.join("."));
        let errors = [SessionId::from_token(&token).err(), token.parse::<SessionId>().err()];
        let texts = format!("{errors:?}");
        for part in parts {
            prop_assert!(!texts.contains(&part), "{texts}");
        }
    }
}
