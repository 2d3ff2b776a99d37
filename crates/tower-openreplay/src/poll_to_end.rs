use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http_body::{Body, Frame};

/// The result of polling a body.
type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Polls a body, and drops it after its last frame, within the caller's scope and span.
#[inline]
pub(crate) fn poll_to_end<B: Body>(
    mut slot: Pin<&mut Option<B>>,
    cx: &mut Context<'_>,
) -> Polled<B> {
    let Some(mut body) = slot.as_mut().as_pin_mut() else {
        return Poll::Ready(None);
    };
    let frame = ready!(body.as_mut().poll_frame(cx));
    if frame.as_ref().is_none_or(Result::is_err) || body.is_end_stream() {
        slot.set(None);
    }
    Poll::Ready(frame)
}
