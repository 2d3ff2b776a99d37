//! The prefix of a message, and the message of an event without one.

use std::{
    borrow::Cow,
    cell::Cell,
    fmt::{self, Debug, Write as _},
};

use openreplay_record::phrase;
use openreplay_session::SessionId;

use super::values::Recorded;
use crate::{
    causes::{self, OneLine},
    mark::{self, Reading},
    text::{Contained, Hex},
};

/// Displays `[openReplaySession.id=<id>] ` and the message, with the phrase broken in the message.
pub(super) struct Prefixed<'a> {
    pub(super) session: &'a SessionId,
    pub(super) message: Message<'a>,
}

pub(super) enum Message<'a> {
    /// The event's message.
    Recorded(&'a Recorded<'a>),
    /// The fields of an event without a message.
    Fields(&'a [(&'static str, &'a Recorded<'a>)]),
}

impl Debug for Prefixed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match mark::take_reading() {
            Reading::Prefixed | Reading::Done => {}
            Reading::Original => {
                mark::note_done();
                return self.message.original(f);
            }
            Reading::Cause(nth) => return self.message.cause(nth, f),
        }
        with_scratch(|text| {
            text.push_str(phrase::PREFIX);
            text.push_str(self.session.as_str());
            text.push_str(phrase::PREFIX_END);
            let start = text.len();
            if f.alternate() {
                write!(text, "{:#?}", self.message)?;
            } else {
                write!(text, "{:?}", self.message)?;
            }
            // The text is written in one piece, since a layer's writer may inspect each piece.
            if let Cow::Owned(broken) = phrase::broken(&text[start..]) {
                text.truncate(start);
                text.push_str(&broken);
            }
            f.write_str(text)
        })
    }
}

impl Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = match self {
            Self::Recorded(message) => return text(message, f),
            Self::Fields(fields) => fields,
        };
        for (position, (name, value)) in fields.iter().enumerate() {
            let space = if position == 0 { "" } else { " " };
            write!(f, "{space}{name}=")?;
            match value {
                Recorded::Str(value) => write!(f, "{value:?}")?,
                value => text(value, f)?,
            }
        }
        Ok(())
    }
}

impl Message<'_> {
    /// Writes the original message in the format of `json()`. If it is an error, its causes are
    /// omitted.
    fn original(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(_) => Ok(()),
            Self::Recorded(Recorded::F64(value)) if value.is_finite() => {
                f.write_str(zmij::Buffer::new().format_finite(*value))
            }
            Self::Recorded(value) => match value.as_error() {
                Some(error) => write!(f, "{:?}", Contained(&format_args!("{error}"))),
                None => text(value, f),
            },
        }
    }

    /// Writes the nth cause of the error that was recorded as the message.
    fn cause(&self, nth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Fields(_) => None,
            Self::Recorded(value) => value.as_error(),
        };
        match error.and_then(|error| causes::of(error).nth(nth)) {
            Some(cause) => {
                mark::note_done();
                write!(f, "{cause}")
            }
            None => Ok(()),
        }
    }
}

/// Displays a value as in a message.
pub(super) struct Text<'a>(pub(super) &'a Recorded<'a>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text(self.0, f)
    }
}

/// Writes a value as in a message: strings without quotes, and errors with their causes.
fn text(value: &Recorded<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Recorded::F64(value) => value.fmt(f),
        Recorded::I64(value) => value.fmt(f),
        Recorded::U64(value) => value.fmt(f),
        Recorded::I128(value) => value.fmt(f),
        Recorded::U128(value) => value.fmt(f),
        Recorded::Bool(value) => value.fmt(f),
        Recorded::Str(value) => f.write_str(value),
        Recorded::Bytes(value) => write!(f, "{}", Hex(value)),
        Recorded::Error(value) => OneLine(*value).fmt(f),
        Recorded::Unreadable(_, text) => text.fmt(f),
        #[cfg(all(tracing_unstable, feature = "valuable"))]
        Recorded::Valuable(value) => Contained(value).fmt(f),
        Recorded::Debug(value) => value.fmt(f),
    }
}

/// Calls `run` with an empty string whose memory is reused.
fn with_scratch(run: impl FnOnce(&mut String) -> fmt::Result) -> fmt::Result {
    thread_local! {
        static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
    }
    // The string is taken, not borrowed: a value that logs while it is written gets a new string,
    // and so does a thread that is ending.
    let mut text = SCRATCH.try_with(Cell::take).unwrap_or_default();
    text.clear();
    let result = run(&mut text);
    if text.capacity() <= KEPT {
        let _ = SCRATCH.try_with(|scratch| scratch.set(text));
    }
    result
}

/// The maximum capacity that is kept, so that one huge message does not hold its memory.
const KEPT: usize = 64 * 1024;
