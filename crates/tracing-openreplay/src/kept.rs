//! What this crate keeps of a span, all of it in one extension: each costs an allocation.

use tracing_subscriber::registry::{Extensions, LookupSpan, SpanRef};

use crate::{json::Rendered, lookup::Remembered};

/// Several layers of one subscriber share it.
#[derive(Default)]
pub(crate) struct Kept {
    /// The session that it was created in, see [`lookup`](crate::lookup).
    pub(crate) remembered: Option<Remembered>,
    /// Its name and fields, for `json()`.
    pub(crate) rendered: Option<Rendered>,
}

/// Changes what is kept of a span. `change` must not call code of the user's: the extensions are
/// locked.
pub(crate) fn change<S>(span: &SpanRef<'_, S>, change: impl FnOnce(&mut Kept))
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let mut extensions = span.extensions_mut();
    if let Some(kept) = extensions.get_mut() {
        return change(kept);
    }
    let mut kept = Kept::default();
    change(&mut kept);
    extensions.insert(kept);
}

/// Returns what `json()` keeps.
pub(crate) fn rendered<'a>(extensions: &'a Extensions<'_>) -> Option<&'a Rendered> {
    extensions.get::<Kept>()?.rendered.as_ref()
}

/// Returns what is remembered of a span's session.
pub(crate) fn remembered<'a>(extensions: &'a Extensions<'_>) -> Option<&'a Remembered> {
    extensions.get::<Kept>()?.remembered.as_ref()
}
