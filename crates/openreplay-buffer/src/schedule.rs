//! Decides when the sender takes which records.

use std::time::{Instant, SystemTime};

use crate::queue::Queue;
use crate::{Buffer, Chunk, Framing, Interval};

/// The next step of the sender.
enum Next {
    /// Send at once.
    Send(Vec<Chunk>),
    /// Send after a random delay, since the interval has ended.
    SendLater(Vec<Chunk>),
    /// Wait for the end of the interval.
    Wait,
    /// Wait for a record.
    Empty,
}

impl<F: Framing> Buffer<F> {
    /// Takes the chunks to send now, about one request at most. The result may be empty.
    pub fn take(&self) -> Vec<Chunk> {
        self.take_from(&mut self.queue())
    }

    fn take_from(&self, queue: &mut Queue<F>) -> Vec<Chunk> {
        let chunks = queue.take(queue.request());
        if queue.waiting() > 0 {
            // Another sender, if there is one, can take the rest.
            self.work.notify_one();
        }
        chunks
    }

    /// Waits until there are records to send, and takes their chunks.
    ///
    /// Once a shutdown has begun and all records have been taken, this returns an empty `Vec`.
    ///
    /// `due` is the sender's state: initialise it with `None` and pass the same variable to each
    /// call.
    ///
    /// # Cancel safety
    ///
    /// This method is not cancel safe. If the future is dropped before it completes, chunks that it
    /// has already taken are lost.
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
                    // Records that arrive during the delay belong to the next interval.
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
            if at_once {
                Next::Send(chunks)
            } else {
                Next::SendLater(chunks)
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
    async fn a_flush_ends_the_wait_for_an_interval_of_any_length() {
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
            // The sender has been polled by now, so it is waiting.
            buffer.queue().mark();
            buffer.wake_sender();
        }
        let chunks = waiting.await.unwrap();
        assert_eq!((chunks.len(), chunks[0].records()), (1, 1));
    }

    /// The order of a session's records depends on the delay, see ARCHITECTURE.md.
    #[tokio::test(start_paused = true)]
    async fn sends_after_the_delay_of_an_interval_and_at_once_for_a_flush() {
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
            // The test's clock advances in whole milliseconds.
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
