//! The current session of a stream.

#![cfg(feature = "stream")]

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt as _, stream};
use openreplay_session::{InCurrentSession as _, SessionId, current, scope, sync_scope};

type Seen = Arc<Mutex<Vec<(&'static str, Option<SessionId>)>>>;

/// Records the sessions in which it is polled and dropped.
struct Probe(Seen, u8);

impl Probe {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push((what, current()));
    }
}

impl Stream for Probe {
    type Item = u8;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
        self.note("poll");
        let next = self.1.checked_sub(1);
        self.1 = next.unwrap_or(0);
        Poll::Ready(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.1), Some(usize::from(self.1)))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.note("drop");
    }
}

#[tokio::test]
async fn a_stream_is_polled_and_dropped_in_its_session_whichever_task_polls_it() {
    let one = SessionId::from(1);
    let seen = Seen::default();
    for taken in [false, true] {
        let probe = Probe(seen.clone(), 1);
        let mut stream = if taken {
            sync_scope(one, || probe.in_current_session())
        } else {
            scope(one, probe)
        };
        assert_eq!(stream.size_hint(), (1, Some(1)));
        scope(SessionId::from(2), async {
            assert_eq!(stream.next().await, Some(0));
            assert_eq!(current(), Some(SessionId::from(2)));
            assert_eq!(stream.next().await, None);
        })
        .await;
        assert_eq!(stream.size_hint(), (0, Some(0)));
        drop(stream);
        let session = Some(one);
        let expected = [("poll", session), ("poll", session), ("drop", session)];
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), expected);
    }
}

#[tokio::test]
async fn a_stream_captured_outside_any_session_is_polled_in_none() {
    let stream = stream::repeat_with(current).take(2).in_current_session();
    let seen: Vec<_> = scope(SessionId::from(2), stream.collect()).await;
    assert_eq!(seen, [None, None]);
}
