use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::sync::{Notify, watch};

use super::chunk::Lane;
use super::level;
use super::queue::{News, Queue};
use super::{Flushed, Stats};
use crate::bulk::{Events, is_object};
use crate::diagnostics::{Diagnostics, Topic};

/// What the log calls and the thread that sends have in common.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// A record is decided, or nobody sends any more.
    decided: Condvar,
    /// There is something to send.
    pub(super) work: Notify,
    /// There is something to say.
    pub(super) word: Notify,
    /// Do not wait for the next attempt.
    pub(super) hurry: Notify,
    /// When everything has to be over, once that is known.
    pub(super) end: watch::Sender<Option<Instant>>,
    pub(super) diagnostics: Diagnostics,
    level: memmem::Finder<'static>,
}

impl Shared {
    pub(super) fn new(queue: Queue, diagnostics: Diagnostics) -> Self {
        Self {
            queue: Mutex::new(queue),
            decided: Condvar::new(),
            work: Notify::new(),
            word: Notify::new(),
            hurry: Notify::new(),
            end: watch::Sender::new(None),
            diagnostics,
            level: level::finder(),
        }
    }

    /// Nothing that panics runs under this lock but an allocation, so a poisoned queue is as good as any.
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line, or several.
    pub(super) fn push(&self, text: &[u8], lane: Option<Lane>) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            self.push_line(&text[start..end], lane);
            start = end + 1;
        }
        self.push_line(&text[start..], lane);
    }

    /// Takes a line that has no line feed in it.
    #[inline]
    pub(super) fn push_line(&self, line: &[u8], lane: Option<Lane>) {
        if !is_object(line) {
            return self.push_padded(line, lane);
        }
        let lane = lane.unwrap_or_else(|| level::lane(line, &self.level));
        let news = self.queue().push(line, lane);
        if news != News::default() {
            self.spread(news);
        }
    }

    #[cold]
    fn push_padded(&self, line: &[u8], lane: Option<Lane>) {
        let line = line.trim_ascii();
        if is_object(line) {
            self.push_line(line, lane);
        } else if !line.is_empty() {
            let news = self.queue().refuse();
            self.spread(news);
        }
    }

    #[cold]
    pub(super) fn spread(&self, news: News) {
        if news.work {
            self.work.notify_one();
        }
        if news.word {
            self.word.notify_one();
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.queue().stats()
    }

    /// Waits until everything from before is decided, or the time is over.
    pub(super) fn flush(&self, limit: Duration) -> Flushed {
        let end = after(limit);
        let mut queue = self.queue();
        let mark = queue.mark();
        queue.awaited_until = queue.awaited_until.max(Some(end));
        self.work.notify_one();
        self.hurry.notify_waiters();
        loop {
            let left = queue.left(&mark);
            let time = end.saturating_duration_since(Instant::now());
            if left == 0 || time.is_zero() || queue.is_closed {
                return Flushed { left };
            }
            queue = self
                .decided
                .wait_timeout(queue, time)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Whether a flush goes on.
    pub(super) fn is_awaited(&self) -> bool {
        let queue = self.queue();
        queue.awaited_until.is_some_and(|end| Instant::now() < end) && queue.is_awaited()
    }

    /// Sends what is there, for so long, and then no more.
    pub(super) fn shut_down(&self, limit: Duration) -> Flushed {
        // the thread sees its end itself; this is for one that does not
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
        self.hurry.notify_waiters();
        let mut queue = self.queue();
        while !queue.is_over {
            let time = (end + GRACE).saturating_duration_since(Instant::now());
            if time.is_zero() {
                // it says itself what is left, if it ever goes on
                queue.is_over = true;
                if !queue.is_closed {
                    queue.given_up = queue.stats().queued;
                }
                break;
            }
            queue = self
                .decided
                .wait_timeout(queue, time)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Flushed {
            left: queue.given_up,
        }
    }

    /// Nobody sends any more: gives up what is left.
    pub(super) fn close(&self) {
        let mut queue = self.queue();
        if queue.is_closed {
            return;
        }
        let left = queue.close();
        drop(queue);
        if left > 0 {
            self.diagnostics.say(
                Topic::Left,
                &format!("stopped with {left} records that Elasticsearch has not confirmed"),
            );
        }
        self.queue().is_over = true;
        self.decided.notify_all();
    }
}

impl Events for Shared {
    fn stored(&self, tag: u64, records: usize) {
        self.queue().stored(tag, records as u64);
        self.decided.notify_all();
    }

    fn refused(&self, tag: u64, _why: &str) {
        self.queue().refused(tag);
        self.decided.notify_all();
    }

    fn say(&self, topic: Topic, text: &str) {
        self.diagnostics.say(topic, text);
    }
}

/// So much later; of more than a year, a year, since the clock cannot show every time.
fn after(limit: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + limit.min(YEAR)
}
