//! When the sender takes which records.

use std::time::{Instant, SystemTime};

use crate::queue::Queue;
use crate::{Buffer, Chunk, Framing, Interval};

/// What to do now.
enum Next {
    Send(Vec<Chunk>),
    /// At the end of an interval: after a random delay.
    SendLater(Vec<Chunk>),
    /// Records wait for the end of the interval.
    Wait,
    Empty,
}

impl<F: Framing> Buffer<F> {
    /// Takes what there is to send now, at most about one request; possibly nothing.
    pub fn take(&self) -> Vec<Chunk> {
        self.take_from(&mut self.queue())
    }

    fn take_from(&self, queue: &mut Queue<F>) -> Vec<Chunk> {
        let chunks = queue.take(queue.request());
        if queue.waiting() > 0 {
            // For another sender, if there is one.
            self.work.notify_one();
        }
        chunks
    }

    /// Waits until there is something to send and takes it. Returns nothing at the end, when all
    /// has been taken.
    ///
    /// `due` belongs to the sender: it starts as `None` and is the same variable in each call. Do
    /// not cancel a call: chunks that it has taken would be missing.
    pub async fn next(&self, interval: Interval, due: &mut Option<Instant>) -> Vec<Chunk> {
        loop {
            let flushed = self.flushed();
            let is_time = due.is_some_and(|due| Instant::now() >= due);
            let next = self.decide(is_time);
            let ends = || Instant::now() + interval.ends(SystemTime::now());
            match next {
                Next::Send(chunks) => {
                    *due = Some(ends());
                    return chunks;
                }
                Next::SendLater(chunks) => {
                    // Records that come from now on belong to the next interval.
                    *due = Some(ends());
                    tokio::select! {
                        () = tokio::time::sleep(interval.delay()) => {}
                        () = flushed => {}
                    }
                    return chunks;
                }
                Next::Wait => {
                    let due = *due.get_or_insert_with(ends);
                    tokio::select! {
                        () = tokio::time::sleep_until(due.into()) => {}
                        () = self.work.notified() => {}
                    }
                }
                Next::Empty => {
                    *due = None;
                    self.work.notified().await;
                }
            }
        }
    }

    /// Wakes another sender that waits in [`next`](Self::next).
    pub fn wake_sender(&self) {
        self.work.notify_one();
    }

    fn decide(&self, is_time: bool) -> Next {
        let is_ending = self.is_ending();
        let mut queue = self.queue();
        let waiting = queue.waiting();
        let request = queue.request();
        let at_once = is_ending || waiting > 0 && (waiting >= request || queue.is_marked());
        if at_once || waiting > 0 && is_time {
            let chunks = self.take_from(&mut queue);
            match at_once {
                true => Next::Send(chunks),
                false => Next::SendLater(chunks),
            }
        } else if waiting > 0 {
            Next::Wait
        } else {
            Next::Empty
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::{Diagnostics, Lines, Options};

    #[tokio::test]
    async fn waits_for_any_interval_until_a_flush() {
        let options = Options::new("the store")
            .memory_bytes(0)
            .request_bytes(1024);
        let buffer = Arc::new(Buffer::new(options, Lines, Diagnostics::to(|_| {})));
        buffer.push(b"{}", None);
        let waiting = tokio::spawn({
            let buffer = Arc::clone(&buffer);
            async move { buffer.next(Interval::new(Duration::MAX), &mut None).await }
        });
        while buffer.queue().waiting() > 0 {
            assert!(!waiting.is_finished(), "the interval is not over");
            tokio::task::yield_now().await;
            // By now the sender has been polled, and waits.
            buffer.queue().mark();
            buffer.wake_sender();
        }
        let chunks = waiting.await.unwrap();
        assert_eq!((chunks.len(), chunks[0].records()), (1, 1));
    }

    /// The order of a session's records depends on it: see ARCHITECTURE.md.
    #[tokio::test(start_paused = true)]
    async fn sends_after_the_delay_of_its_interval_and_at_once_for_a_flush() {
        let options = Options::new("the store").request_bytes(1024);
        let buffer = Buffer::new(options, Lines, Diagnostics::to(|_| {}));
        let interval = Interval::new(Duration::from_secs(1));
        for seed in 0..5 {
            fastrand::seed(seed);
            let delay = interval.delay();
            assert!(delay > Duration::ZERO);
            buffer.push(b"{}", None);
            fastrand::seed(seed);
            let start = tokio::time::Instant::now();
            let chunks = buffer.next(interval, &mut Some(Instant::now())).await;
            assert_eq!(chunks.len(), 1);
            // The clock of the test goes on in whole milliseconds.
            assert_eq!(
                start.elapsed().as_millis(),
                delay.as_micros().div_ceil(1_000)
            );
        }
        buffer.push(b"{}", None);
        buffer.queue().mark();
        let start = tokio::time::Instant::now();
        let chunks = buffer.next(interval, &mut Some(Instant::now())).await;
        assert_eq!((chunks.len(), start.elapsed()), (1, Duration::ZERO));
    }
}
