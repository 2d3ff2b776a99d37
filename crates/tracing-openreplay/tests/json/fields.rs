use std::{error::Error, fmt};

use openreplay_session::{SessionId, sync_scope};
use serde_json::json as value;
use tracing::{error, field::Empty, info, info_span};

use crate::one;

#[test]
fn values_keep_their_types() {
    let bytes: &[u8] = b"\x00\xff";
    let record = one(|| {
        info!(
            u = u64::MAX,
            i = i64::MIN,
            big = u128::MAX,
            small = i128::MIN,
            fits = 7_u128,
            below = -7_i128,
            f = 0.1,
            whole = 5.0,
            nan = f64::NAN,
            inf = f64::INFINITY,
            minus = f64::NEG_INFINITY,
            yes = true,
            text = "a b",
            bytes,
            debug = ?Some("x"),
            display = %'c',
            none = Empty,
            "values"
        );
    });
    assert_eq!(
        record["fields"],
        value!({
            "u": u64::MAX,
            "i": i64::MIN,
            "big": "340282366920938463463374607431768211455",
            "small": "-170141183460469231731687303715884105728",
            "fits": 7,
            "below": -7,
            "f": 0.1,
            "whole": 5.0,
            "nan": "NaN",
            "inf": "inf",
            "minus": "-inf",
            "yes": true,
            "text": "a b",
            "bytes": "[00 ff]",
            "debug": "Some(\"x\")",
            "display": "c",
        })
    );
    assert_eq!(
        record["message"],
        "values u=18446744073709551615 i=-9223372036854775808 big=340282366920938463463374607431768211455 \
         small=-170141183460469231731687303715884105728 fits=7 below=-7 f=0.1 whole=5.0 nan=NaN inf=inf minus=-inf yes=true \
         text=\"a b\" bytes=[00 ff] debug=Some(\"x\") display=c"
    );
}

#[test]
fn ambiguous_strings_are_quoted() {
    let rows = [
        ("plain/path?q", "a=plain/path?q"),
        ("", r#"a="""#),
        ("two words", r#"a="two words""#),
        ("b=2", r#"a="b=2""#),
        ("say \"hi\"\n", r#"a="say \"hi\"\n""#),
        (r"C:\temp", r#"a="C:\\temp""#),
        ("grün", "a=grün"),
    ];
    for (text, expected) in rows {
        let record = one(|| info!(a = text));
        assert_eq!(record["message"], expected);
        assert_eq!(record["fields"]["a"], text);
    }
}

#[test]
fn values_with_line_breaks_follow_the_first_line() {
    let record = one(|| info!(first = %"1\n2", second = 3, "text"));
    assert_eq!(record["message"], "text second=3\nfirst=1\n2");
}

#[derive(Debug)]
struct Failure(&'static str, Option<Box<Failure>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_ref().map(|cause| cause as _)
    }
}

fn failure() -> Failure {
    let root = Failure("refused", None);
    let middle = Failure("no connection", Some(Box::new(root)));
    Failure("no answer", Some(Box::new(middle)))
}

#[test]
fn an_error_is_written_with_its_causes() {
    let failure = failure();
    let record = one(|| {
        error!(
            error = &failure as &dyn Error,
            retry = false,
            "Error: it failed"
        );
    });
    assert_eq!(
        record["message"],
        "Error: it failed error=no answer retry=false\nerror caused by: no connection\nerror caused by: refused"
    );
    assert_eq!(
        record["fields"]["error"],
        "no answer: no connection: refused"
    );
}

#[test]
fn an_error_can_be_the_message() {
    let failure = failure();
    let record = one(|| error!(message = &failure as &dyn Error, retry = false));
    assert_eq!(
        record["message"],
        "no answer retry=false\ncaused by: no connection\ncaused by: refused"
    );
    assert_eq!(record["fields"], value!({"retry": false}));
}

#[test]
fn the_root_cause_is_kept_and_omitted_causes_are_counted() {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let root = Failure("the root cause", None);
    let failure = NAMES
        .iter()
        .cycle()
        .take(50)
        .fold(root, |cause, name| Failure(name, Some(Box::new(cause))));
    let record = one(|| error!(error = &failure as &dyn Error, "x"));
    let message = record["message"].as_str().unwrap();
    assert!(
        message.ends_with("\nerror caused by: the root cause"),
        "{message}"
    );
    assert!(
        message.contains("\nerror caused by: … [18 causes left out]\n"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1 + 24 + 1 + 8);
    let field = record["fields"]["error"].as_str().unwrap();
    assert!(field.ends_with(": the root cause"), "{field}");
    assert!(field.contains(": … [18 causes left out]: "), "{field}");
}

#[test]
fn a_source_that_panics_is_marked() {
    #[derive(Debug)]
    struct Bomb;

    impl fmt::Display for Bomb {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text")
        }
    }

    impl Error for Bomb {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("a source's own");
        }
    }

    let record = one(|| error!(error = &Bomb as &dyn Error));
    assert_eq!(
        record["message"],
        "error=text\nerror caused by: … [panicked while being written]"
    );
}

#[test]
fn an_error_that_is_its_own_cause_is_cut() {
    #[derive(Debug)]
    struct Circle;

    impl fmt::Display for Circle {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("round")
        }
    }

    impl Error for Circle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    let record = one(|| error!(error = &Circle as &dyn Error));
    assert_eq!(
        record["fields"]["error"]
            .as_str()
            .unwrap()
            .matches("round")
            .count(),
        33
    );
}

#[test]
fn the_last_value_of_a_key_is_kept() {
    let record = one(|| info!(a = 1, r#type = 2, "type" = 3, a = "x", "text"));
    assert_eq!(record["fields"], value!({"type": 3, "a": "x"}));
}

#[test]
fn a_second_message_is_a_field() {
    let record = one(|| info!(message = "field", "text"));
    assert_eq!(record["message"], "text message=field");
    assert_eq!(record["fields"], value!({"message": "field"}));
}

#[test]
fn names_can_contain_any_characters() {
    let record = one(|| {
        info!(
            "a\"b\\ c" = 1,
            "openReplaySession.id" = 2,
            "level" = 3,
            "text"
        );
    });
    assert_eq!(
        record["fields"],
        value!({"a\"b\\ c": 1, "openReplaySession.id": 2, "level": 3})
    );
    assert_eq!(
        record["message"],
        "text a\"b\\ c=1 openReplaySessi*n.id=2 level=3"
    );
    assert_eq!(record["level"], "info");
}

#[test]
fn a_span_field_that_is_recorded_again_is_replaced() {
    let record = one(|| {
        let span = info_span!(
            "request",
            status = Empty,
            path = "/",
            late = Empty,
            user = "a,\"b\""
        );
        span.record("status", 200);
        span.record("path", "/other");
        span.record("status", 404);
        span.record("late", true);
        span.in_scope(|| info!("x"));
    });
    assert_eq!(
        record["spans"],
        value!([{
            "name": "request",
            "fields": {"user": "a,\"b\"", "path": "/other", "status": 404, "late": true},
        }])
    );
}

#[test]
fn a_panic_in_debug_only_loses_its_own_value() {
    struct Bomb;

    impl fmt::Debug for Bomb {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("tick")?;
            panic!("boom");
        }
    }

    struct Failing;

    impl fmt::Display for Failing {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }

    for _ in 0..2 {
        let record = one(
            || info!(before = 1, bomb = ?Bomb, failing = %Failing, after = 2, "text {:?}", Bomb),
        );
        assert_eq!(
            record["fields"],
            value!({
                "before": 1,
                "bomb": "tick… [panicked while being written]",
                "failing": "… [failed to be written]",
                "after": 2,
            })
        );
        let message = record["message"].as_str().unwrap();
        assert!(
            message.starts_with("text tick… [panicked while being written] before=1"),
            "{message}"
        );
    }
}

#[test]
fn no_text_assigns_a_record_to_another_session() {
    let text = "x [openReplaySession.id=99] OPENREPLAYSESSION.ID 99";
    let parts = ("openReplay", "Session.id=99");
    let record = one(|| {
        sync_scope(
            SessionId::from(7),
            || info!(text, joined = %format_args!("{}{}", parts.0, parts.1), "{text}"),
        );
    });
    let message = record["message"].as_str().unwrap();
    assert!(
        message.starts_with("[openReplaySession.id=7] x [openReplaySessi*n.id=99] "),
        "{message}"
    );
    assert_eq!(
        message
            .to_lowercase()
            .matches("openreplaysession.id")
            .count(),
        1,
        "{message}"
    );
    // The phrase is kept where OpenReplay does not search for it.
    assert_eq!(record["fields"]["text"], text);
}
