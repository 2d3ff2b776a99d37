//! The data that this crate stores for a span, in a single extension, since each extension costs an
//! allocation and a search.

use std::cell::RefCell;

use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::{
    json::rendered::Rendered,
    origin::{self, Remembered},
    span_lock,
    timing::Timing,
};

/// The data stored for a span, which several layers of one subscriber share.
#[derive(Default)]
pub(crate) struct Kept {
    /// The session that the span was created in, see [`lookup`](crate::lookup).
    pub(crate) remembered: Option<Remembered>,
    /// The name and fields of the span, for `json()`.
    pub(crate) rendered: Rendered,
    /// The times of the span, for the record of its end.
    pub(crate) timing: Option<Timing>,
}

/// The maximum number of spares of a thread.
const SPARES: usize = 64;

/// An extension takes the box as it is.
type Spares = RefCell<Vec<Box<Kept>>>;

thread_local! {
    /// The data of closed spans, emptied, whose memory new spans reuse.
    static SPARE: Spares = const { RefCell::new(Vec::new()) };
}

/// The extension. It is `None` only while it is dropped.
struct Extension(Option<Box<Kept>>);

impl Drop for Extension {
    fn drop(&mut self) {
        if let Some(kept) = self.0.take() {
            keep(kept);
        }
    }
}

/// Adds to the data of a span what `fill` writes into an empty `Kept`, unless the lock is poisoned.
/// `fill` may call user code, which may log, or enter this very span: the extensions are not locked
/// yet.
pub(crate) fn add<S>(span: &SpanRef<'_, S>, fill: impl FnOnce(&mut Kept))
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let mut new = spare();
    fill(&mut new);
    if new.is_empty() {
        return keep(new);
    }
    let Some(mut extensions) = span_lock::write(span) else {
        return keep(new);
    };
    if let Some(Extension(Some(kept))) = extensions.get_mut() {
        kept.merge(&mut new);
        return keep(new);
    }
    extensions.insert(Extension(Some(new)));
}

/// Calls `read` with the data of a span, or with `None` if there is none. Returns `None` if the
/// lock is poisoned.
#[inline]
pub(crate) fn read<S, R>(span: &SpanRef<'_, S>, read: impl FnOnce(Option<&Kept>) -> R) -> Option<R>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let extensions = span_lock::read(span)?;
    let extension = extensions.get::<Extension>();
    Some(read(extension.and_then(|extension| extension.0.as_deref())))
}

/// Calls `change` with the times of a span, if they are measured and the lock is not
/// poisoned.
pub(crate) fn change_timing<S, R>(
    span: &SpanRef<'_, S>,
    change: impl FnOnce(&mut Timing) -> R,
) -> Option<R>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let mut extensions = span_lock::write(span)?;
    let Extension(kept) = extensions.get_mut()?;
    kept.as_mut()?.timing.as_mut().map(change)
}

fn spare() -> Box<Kept> {
    let spare = SPARE.try_with(|spares| spares.try_borrow_mut().ok()?.pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Keeps the memory for another span, unless the memory is large or there are enough spares.
fn keep(mut kept: Box<Kept>) {
    kept.remembered = None;
    kept.timing = None;
    if !kept.rendered.clear() {
        return;
    }
    // This fails only while the thread ends.
    let _ = SPARE.try_with(|spares| {
        if let Ok(mut spares) = spares.try_borrow_mut()
            && spares.len() < SPARES
        {
            spares.push(kept);
        }
    });
}

impl Kept {
    fn is_empty(&self) -> bool {
        self.remembered.is_none() && self.rendered.is_empty() && self.timing.is_none()
    }

    fn merge(&mut self, new: &mut Self) {
        if let Some(new) = new.remembered.take() {
            origin::merge(&mut self.remembered, new);
        }
        self.rendered.merge(&new.rendered);
        self.timing = new.timing.take().or(self.timing.take());
    }
}
