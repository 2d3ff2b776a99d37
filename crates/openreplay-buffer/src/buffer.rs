use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use memchr::memmem;
use openreplay_record::is_object;
use tokio::sync::{Notify, watch};

use crate::queue::{Queue, Wake};
use crate::{Diagnostics, Flushed, Framing, Priority, Stats, Topic, level};

const LEFT: Topic = Topic::new("records were left at the end");

/// The size of a [`Buffer`] and the name of its destination.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Options {
    pub(crate) memory_bytes: usize,
    pub(crate) request_bytes: usize,
    pub(crate) destination: &'static str,
}

impl Options {
    /// Creates the default options. Reports use `destination` as the name of the store, for example
    /// `Elasticsearch`.
    pub fn new(destination: &'static str) -> Self {
        Self {
            memory_bytes: 32 * 1024 * 1024,
            request_bytes: 1024 * 1024,
            destination,
        }
    }

    /// Sets the memory for queued records, including those that are [lent](Buffer::lend).
    ///
    /// Default: 32 MiB. Minimum: 64 KiB.
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.memory_bytes = bytes.max(64 * 1024);
        self
    }

    /// Sets the number of bytes that are sent without waiting for the end of the interval.
    ///
    /// Default: 1 MiB. Minimum: 1 byte. Maximum: half of the memory.
    pub fn request_bytes(mut self, bytes: usize) -> Self {
        self.request_bytes = bytes.max(1);
        self
    }
}

/// A bounded buffer of records, shared by the code that logs and the thread that stores them.
///
/// See the [crate documentation](crate) for an example.
pub struct Buffer<F> {
    queue: Mutex<Queue<F>>,
    pub(crate) destination: &'static str,
    /// Notified when a record is decided or the shutdown is complete.
    decided: Condvar,
    pub(crate) work: Notify,
    pub(crate) report: Notify,
    flush: Notify,
    /// The deadline of the shutdown, once one has begun.
    end: watch::Sender<Option<Instant>>,
    pub(crate) diagnostics: Diagnostics,
    level: memmem::Finder<'static>,
}

/// # Methods for the code that logs
impl<F: Framing> Buffer<F> {
    /// Creates an empty buffer.
    pub fn new(options: Options, framing: F, diagnostics: Diagnostics) -> Self {
        let request = options.request_bytes.min(options.memory_bytes / 2);
        Self {
            queue: Mutex::new(Queue::new(options.memory_bytes, request, framing)),
            destination: options.destination,
            decided: Condvar::new(),
            work: Notify::new(),
            report: Notify::new(),
            flush: Notify::new(),
            end: watch::Sender::new(None),
            diagnostics,
            level: level::finder(),
        }
    }

    /// Appends one or more lines. The last line may lack its line feed.
    ///
    /// If `priority` is `None`, the `level` in each line determines its priority. A line that is
    /// not a JSON object is rejected. A record that does not fit is dropped and counted.
    pub fn push(&self, text: &[u8], priority: Option<Priority>) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            self.push_line(&text[start..end], priority);
            start = end + 1;
        }
        self.push_line(&text[start..], priority);
    }

    /// Appends a line that contains no line feed.
    #[inline]
    pub(crate) fn push_line(&self, line: &[u8], priority: Option<Priority>) {
        if !is_object(line) {
            return self.push_padded(line, priority);
        }
        let priority = priority.unwrap_or_else(|| level::priority(line, &self.level));
        let wake = self.queue().push(line, priority);
        if wake != Wake::default() {
            self.wake(wake);
        }
    }

    #[cold]
    fn push_padded(&self, line: &[u8], priority: Option<Priority>) {
        let line = line.trim_ascii();
        if is_object(line) {
            self.push_line(line, priority);
        } else if !line.is_empty() {
            let wake = self.queue().reject();
            self.wake(wake);
        }
    }

    #[cold]
    pub(crate) fn wake(&self, wake: Wake) {
        if wake.sender {
            self.work.notify_one();
        }
        if wake.reporter {
            self.report.notify_one();
        }
        if wake.flushes {
            self.decided.notify_all();
        }
    }

    /// Returns how many records were accepted, stored, rejected and dropped so far.
    pub fn stats(&self) -> Stats {
        self.queue().stats()
    }

    /// Blocks the thread until all current records are stored, rejected or dropped, for at most
    /// `limit`.
    pub fn flush(&self, limit: Duration) -> Flushed {
        let end = after(limit);
        let mut queue = self.queue();
        let mark = queue.mark();
        queue.awaited_until = queue.awaited_until.max(Some(end));
        self.work.notify_one();
        self.flush.notify_waiters();
        loop {
            let left = queue.left(&mark);
            let time = end.saturating_duration_since(Instant::now());
            if left == 0 || time.is_zero() || queue.is_closed() {
                return Flushed { left };
            }
            queue = self.wait(queue, time);
        }
    }

    /// Begins the shutdown, and blocks the thread until the sender has finished, for at most
    /// `limit`.
    ///
    /// If the sender is stuck, `shut_down` returns half a second after the limit.
    pub fn shut_down(&self, limit: Duration) -> Flushed {
        // A sender that is not stuck observes the deadline and closes the buffer in this time.
        const GRACE: Duration = Duration::from_millis(500);

        let end = after(limit);
        self.end.send_if_modified(|known| {
            let is_sooner = known.is_none_or(|known| end < known);
            if is_sooner {
                *known = Some(end);
            }
            is_sooner
        });
        let end = self.end.borrow().map_or(end, |known| known.min(end));
        self.work.notify_one();
        self.flush.notify_waiters();
        let mut queue = self.queue();
        loop {
            if let Some(left) = queue.over() {
                return Flushed { left };
            }
            let time = (end + GRACE).saturating_duration_since(Instant::now());
            if time.is_zero() {
                queue.finish();
            } else {
                queue = self.wait(queue, time);
            }
        }
    }

    fn wait<'a>(
        &self,
        queue: MutexGuard<'a, Queue<F>>,
        time: Duration,
    ) -> MutexGuard<'a, Queue<F>> {
        let woken = self.decided.wait_timeout(queue, time);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// # Methods for the thread that stores
impl<F: Framing> Buffer<F> {
    /// Locks the queue. A poisoned queue is still consistent, since only an allocation can panic
    /// while the lock is held.
    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue<F>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts records of a chunk as stored.
    pub fn stored(&self, chunk: u64, records: usize) {
        self.queue().stored(chunk, records as u64);
        self.decided.notify_all();
    }

    /// Counts a record of a chunk as rejected.
    pub fn rejected(&self, chunk: u64) {
        self.queue().rejected(chunk);
        self.decided.notify_all();
    }

    /// Returns the reports to the operator.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// Returns whether a flush is waiting for a record.
    pub fn is_awaited(&self) -> bool {
        let queue = self.queue();
        queue.awaited_until.is_some_and(|end| Instant::now() < end) && queue.is_awaited()
    }

    /// Waits for the next flush or shutdown.
    pub fn flushed(&self) -> tokio::sync::futures::Notified<'_> {
        self.flush.notified()
    }

    /// Returns a receiver of the shutdown's deadline, which is `None` until a shutdown begins.
    ///
    /// A later shutdown with a shorter limit brings the deadline forward.
    pub fn end(&self) -> watch::Receiver<Option<Instant>> {
        self.end.subscribe()
    }

    /// Returns whether a shutdown has begun.
    pub fn is_ending(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Returns whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.queue().is_closed()
    }

    /// Closes the buffer, and drops, counts and reports the remaining records.
    ///
    /// Records that are pushed later are dropped. A second call does nothing.
    pub fn close(&self) {
        let mut queue = self.queue();
        if queue.is_closed() {
            return;
        }
        let left = queue.close();
        drop(queue);
        if left > 0 {
            let destination = self.destination;
            let text = format!("stopped with {left} records that {destination} has not confirmed");
            self.diagnostics.report(LEFT, &text);
        }
        self.queue().finish();
        self.decided.notify_all();
    }
}

impl<F> fmt::Debug for Buffer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").finish_non_exhaustive()
    }
}

/// Returns the instant after `limit`, at most a year from now, since a later instant may overflow.
fn after(limit: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + limit.min(YEAR)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Lines;

    #[test]
    fn the_remaining_records_are_returned_although_their_report_takes_longer_than_the_limit() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let held = Mutex::new(held);
        let slow = Diagnostics::to(move |_| {
            let _ = held.lock().unwrap().recv();
        });
        let buffer = Arc::new(Buffer::new(Options::new("the store"), Lines, slow));
        buffer.push(b"{}", None);
        let closing = std::thread::spawn({
            let buffer = Arc::clone(&buffer);
            move || buffer.close()
        });
        while !buffer.is_closed() {
            std::thread::yield_now();
        }
        assert_eq!(buffer.shut_down(Duration::ZERO).left(), 1);
        drop(hold);
        closing.join().unwrap();
    }

    #[test]
    fn a_flush_ends_once_its_records_are_dropped() {
        let options = Options::new("the store").memory_bytes(0);
        let buffer = Arc::new(Buffer::new(options, Lines, Diagnostics::to(|_| {})));
        buffer.push(br#"{"level":"info"}"#, None);
        let (send, flushed) = std::sync::mpsc::channel();
        std::thread::spawn({
            let buffer = Arc::clone(&buffer);
            move || send.send(buffer.flush(Duration::MAX).left())
        });
        while !buffer.is_awaited() {
            std::thread::yield_now();
        }
        // no sender takes anything, so errors push the other records out
        while buffer.stats().dropped == 0 {
            buffer.push(br#"{"level":"error"}"#, None);
        }
        let left = flushed.recv_timeout(Duration::from_secs(60));
        assert_eq!(left.expect("the flush still waits"), 0);
    }

    #[test]
    fn a_shutdown_with_a_stuck_sender_ends_and_returns_the_remaining_records() {
        let buffer = Buffer::new(Options::new("the store"), Lines, Diagnostics::to(|_| {}));
        buffer.push(b"{}", None);
        assert_eq!(buffer.shut_down(Duration::ZERO).left(), 1);
        assert!(!buffer.is_closed());
        buffer.push(b"{}", None);
        buffer.close();
        assert_eq!(buffer.shut_down(Duration::ZERO).left(), 2);
        assert_eq!(buffer.stats().dropped, 2);
    }
}
