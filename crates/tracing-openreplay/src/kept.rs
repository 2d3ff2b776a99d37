//! The data that this crate stores for a span, in a single extension, since each extension costs an
//! allocation.

use tracing_subscriber::registry::{Extensions, LookupSpan, SpanRef};

use crate::{json::Rendered, lookup::Remembered};

/// The data stored for a span, which several layers of one subscriber share.
#[derive(Default)]
pub(crate) struct Kept {
    /// The session that the span was created in, see [`lookup`](crate::lookup).
    pub(crate) remembered: Option<Remembered>,
    /// The name and fields of the span, for `json()`.
    pub(crate) rendered: Option<Rendered>,
}

/// Changes the data of a span. `change` must not call user code, since the extensions are locked.
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

/// Returns the data of `json()`.
pub(crate) fn rendered<'a>(extensions: &'a Extensions<'_>) -> Option<&'a Rendered> {
    extensions.get::<Kept>()?.rendered.as_ref()
}

/// Returns the session that a span remembers.
pub(crate) fn remembered<'a>(extensions: &'a Extensions<'_>) -> Option<&'a Remembered> {
    extensions.get::<Kept>()?.remembered.as_ref()
}
