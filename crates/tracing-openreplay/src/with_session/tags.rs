//! Adds `error` to the `tags` field of an event that has its own.

use openreplay_record::field::ERROR_TAG;

use super::{message, values::Recorded};
use crate::mark::{Tags, Was};

/// The text that replaces the value of `tags`.
pub(super) struct Text {
    pub(super) index: usize,
    pub(super) text: String,
    was: Was,
}

/// Returns an event's own tags with `error` appended, or `None` if the tags already contain
/// `error`.
///
/// Elasticsearch analyses the text, so a search finds each of its words.
pub(super) fn with_error(index: usize, value: Option<&Recorded<'_>>) -> Option<Text> {
    let Some(value) = value else {
        return Some(Text {
            index,
            text: ERROR_TAG.to_owned(),
            was: Was::Nothing,
        });
    };
    let text = message::Text(value).to_string();
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    if words.any(|word| word.eq_ignore_ascii_case(ERROR_TAG)) {
        return None;
    }
    let is_literal = match value {
        Recorded::F64(value) => value.is_finite(),
        Recorded::I128(value) => u64::try_from(*value).is_ok() || i64::try_from(*value).is_ok(),
        Recorded::U128(value) => u64::try_from(*value).is_ok(),
        Recorded::I64(_) | Recorded::U64(_) | Recorded::Bool(_) => true,
        _ => false,
    };
    let was = match value {
        Recorded::Str(_) => Was::Str,
        _ if is_literal => Was::Literal,
        _ => Was::Text,
    };
    Some(Text {
        index,
        text: [&text, " ", ERROR_TAG].concat(),
        was,
    })
}

impl Text {
    pub(super) fn mark(&self) -> Tags {
        Tags {
            index: self.index,
            was: self.was,
        }
    }
}
