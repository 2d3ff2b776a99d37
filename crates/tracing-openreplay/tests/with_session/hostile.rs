//! Records are also written if the code of a value panics or never ends.

use std::{error::Error, fmt};

use serde_json::json;
use tracing::{error, info};

use crate::{fields, in_session, written};

const PANICKED: &str = "… [panicked while being written]";

/// An error that misbehaves as described by the variant's name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bad {
    OwnSource,
    PanickingSource,
    PanickingDisplay,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        assert!(*self != Self::PanickingDisplay, "a display's own");
        f.write_str(" and half")
    }
}

impl Error for Bad {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        assert!(*self != Self::PanickingSource, "a source's own");
        (*self == Self::OwnSource).then_some(self)
    }
}

fn as_error(error: &Bad) -> &(dyn Error + 'static) {
    error
}

#[test]
fn an_error_that_is_its_own_cause_is_cut() {
    let text = written(|| {
        in_session(42, || {
            error!(error = as_error(&Bad::OwnSource));
            error!(message = as_error(&Bad::OwnSource));
            error!(error = as_error(&Bad::OwnSource), "text");
        });
    });
    assert_eq!(text.lines().count(), 3);
    assert!(
        text.contains("… [at least 992 causes left out]: half and half"),
        "{text}"
    );
}

#[test]
fn a_panic_in_an_error_only_loses_its_text() {
    let rows = fields(|| {
        in_session(42, || {
            error!(error = as_error(&Bad::PanickingSource), "text");
            error!(error = as_error(&Bad::PanickingDisplay), after = 1);
            error!(message = as_error(&Bad::PanickingSource));
        });
    });
    let whole = format!("half and half: {PANICKED}");
    let half = format!("half{PANICKED}");
    assert_eq!(
        rows,
        [
            json!({ "message": "[openReplaySession.id=42] text", "error": whole, "tags": "error" }),
            json!({
                "message": format!("[openReplaySession.id=42] error={half} after=1"),
                "error": half, "after": 1, "tags": "error",
            }),
            json!({ "message": format!("[openReplaySession.id=42] {whole}"), "tags": "error" }),
        ]
    );
}

#[test]
fn a_panic_in_a_value_only_loses_the_value() {
    struct Bomb;

    impl fmt::Debug for Bomb {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a debug's own");
        }
    }

    let rows = fields(|| {
        in_session(42, || {
            info!(bomb = ?Bomb, after = 1, "text");
            info!("text of {:?} and more", Bomb);
        });
    });
    assert_eq!(
        rows,
        [
            json!({ "message": "[openReplaySession.id=42] text", "bomb": PANICKED, "after": 1 }),
            json!({ "message": format!("[openReplaySession.id=42] text of {PANICKED}") }),
        ]
    );
}

#[test]
fn a_value_that_cannot_be_written_is_marked() {
    struct Fails;

    impl fmt::Debug for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }

    let rows = fields(|| {
        error!(tags = ?Fails, "text");
        in_session(42, || info!(value = ?Fails, "text of {:?} and more", Fails));
    });
    let half = "half… [failed to be written]";
    assert_eq!(
        rows,
        [
            json!({ "message": "text", "tags": format!("{half} error") }),
            json!({ "message": format!("[openReplaySession.id=42] text of {half}"), "value": half }),
        ]
    );
}

#[test]
fn bytes_are_written_the_same_inside_and_outside_a_session() {
    let both = || info!(message = &b"+&"[..]);
    let text = written(|| {
        both();
        in_session(42, both);
    });
    assert_eq!(
        text,
        " INFO [2b 26]\n INFO [openReplaySession.id=42] [2b 26]\n"
    );
}
