//! Joins the pieces of long lines.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Origin, Piece, bytes};

/// The length of the longest line that can be a record. A longer line is cut and becomes the
/// message of a record; the rest is dropped.
pub(crate) const LONGEST_LINE: usize = 16 << 20;
/// How many lines may be incomplete at a time. A container has two streams; a journal has one for
/// each start of a service.
const MOST: usize = 64;

/// The beginnings of lines whose remaining pieces have not been read yet. `F` is where a line
/// begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Join<F> {
    waiting: Vec<Waiting<F>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Waiting<F> {
    from: F,
    #[serde(flatten)]
    origin: Origin,
    /// The remaining pieces are no longer awaited: the line ends here.
    #[serde(default, skip_serializing_if = "is_false")]
    is_over: bool,
    #[serde(with = "bytes")]
    text: Vec<u8>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(is: &bool) -> bool {
    !is
}

/// A complete line, where it begins, and the metadata of its first piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a, F> {
    pub(crate) from: F,
    pub(crate) origin: Origin,
    pub(crate) text: Cow<'a, [u8]>,
}

impl<F> Default for Join<F> {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
        }
    }
}

impl<F> Join<F> {
    /// Adds a piece, and returns the line that it completes.
    pub(crate) fn take<'a>(&mut self, piece: Piece<'a>, from: F) -> Option<Line<'a, F>> {
        let Piece {
            text,
            is_partial,
            origin,
            ..
        } = piece;
        let mut waiting = self.waiting.iter();
        let begun =
            waiting.position(|waiting| waiting.origin.stream == origin.stream && !waiting.is_over);
        match (begun, is_partial) {
            (None, false) => Some(Line { from, origin, text }),
            (None, true) => {
                self.waiting.push(Waiting {
                    from,
                    origin,
                    is_over: false,
                    text: text.into_owned(),
                });
                None
            }
            (Some(at), true) => {
                self.waiting[at].extend(&text);
                None
            }
            (Some(at), false) => {
                let mut begun = self.waiting.remove(at);
                begun.extend(&text);
                Some(begun.into())
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Gives up waiting for the remaining pieces of each line whose text `is_over` accepts.
    pub(crate) fn end(&mut self, is_over: impl Fn(&[u8]) -> bool) {
        for waiting in &mut self.waiting {
            waiting.is_over |= is_over(&waiting.text);
        }
    }

    /// Returns whether there is a line whose remaining pieces are no longer awaited.
    pub(crate) fn has_over(&self) -> bool {
        self.waiting.len() > MOST || self.waiting.iter().any(|waiting| waiting.is_over)
    }

    /// Removes a line whose remaining pieces are no longer awaited, or the oldest line if there are
    /// too many.
    pub(crate) fn take_over(&mut self) -> Option<Line<'static, F>> {
        let over = self.waiting.iter().position(|waiting| waiting.is_over);
        let surplus = (self.waiting.len() > MOST).then_some(0);
        let line = over.or(surplus).map(|at| self.waiting.remove(at));
        line.map(Line::from)
    }

    /// Takes over the incomplete lines of another file, which continue in this one.
    pub(crate) fn inherit(&mut self, other: Self) {
        self.waiting.extend(other.waiting);
    }
}

impl<F> Waiting<F> {
    fn extend(&mut self, text: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.text.len());
        self.text.extend_from_slice(&text[..text.len().min(room)]);
    }
}

impl<F> From<Waiting<F>> for Line<'static, F> {
    fn from(begun: Waiting<F>) -> Self {
        Self {
            from: begun.from,
            origin: begun.origin,
            text: begun.text.into(),
        }
    }
}
