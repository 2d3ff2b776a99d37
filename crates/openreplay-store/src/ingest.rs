//! The thread that writes. Requests that are queued at the same time are committed together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::damaged;
use crate::entry::{Entry, Outcome, Rejected};
use crate::error::Error;
use crate::key::{Day, Kind, Shelf};
use crate::message::{Job, Message};
use crate::retention::Usage;
use crate::shared::Shared;
use crate::write::{DayWriter, Timed};
use crate::writers::Writers;

/// The interval at which files are tidied and old days are deleted.
const TIDY: Duration = Duration::from_secs(60);
/// The time that a commit waits for further requests if the previous one had several: the clients
/// that have just got a response are about to send the next request.
const PAUSE: Duration = Duration::from_micros(200);
/// The size from which no further request joins a commit.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
const NANOS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

/// The state of the thread.
#[derive(Debug)]
pub(crate) struct Ingest {
    shared: Arc<Shared>,
    writers: Writers,
    usage: Usage,
}

/// Where an entry is stored, or why it is not.
enum Place {
    At(Shelf, i64),
    Decided(Outcome),
}

impl Ingest {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            writers: Writers::new(Arc::clone(&shared)),
            shared,
            usage: Usage::default(),
        }
    }

    /// Handles messages until [`Message::Stop`], or until every sender is dropped.
    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        let mut tidied = Instant::now();
        // the number of jobs in the last commit
        let mut together = 0;
        loop {
            let message = match messages.recv_timeout(TIDY.saturating_sub(tidied.elapsed())) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if together > 1 {
                thread::sleep(PAUSE);
            }
            let (jobs, then) = gather(message, messages);
            together = jobs.len();
            self.commit(jobs);
            match then {
                Some(Message::Stop) => break,
                Some(Message::Damaged(file)) => self.writers.set_aside(&file),
                Some(Message::Tidy(done)) => {
                    self.usage.tidy(&mut self.writers);
                    // the caller may not wait for it
                    let _ = done.send(());
                }
                Some(Message::Store(_)) | None => {}
            }
            if tidied.elapsed() >= TIDY {
                self.usage.tidy(&mut self.writers);
                tidied = Instant::now();
            }
        }
        self.writers.close_all();
    }

    /// Stores the entries of all jobs with one transaction per file, then calls each job's `done`.
    fn commit(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let now = self.shared.options.now();
        let mut outcomes: Vec<Vec<Outcome>> = jobs
            .iter()
            .map(|job| vec![Outcome::Created; job.entries.len()])
            .collect();
        let mut places: BTreeMap<Shelf, Vec<(usize, usize, i64)>> = BTreeMap::new();
        for (job, entries) in jobs.iter().map(|job| &job.entries).enumerate() {
            for (nth, entry) in entries.iter().enumerate() {
                match self.place(entry, now) {
                    Ok(Place::At(shelf, time)) => {
                        places.entry(shelf).or_default().push((job, nth, time));
                    }
                    Ok(Place::Decided(outcome)) => outcomes[job][nth] = outcome,
                    Err(error) => outcomes[job][nth] = Outcome::Failed(Arc::new(error)),
                }
            }
        }
        for (shelf, places) in places {
            let timed = places.iter().map(|&(job, nth, time)| Timed {
                entry: &jobs[job].entries[nth],
                time,
            });
            let stored = self.store(shelf, &timed.collect::<Vec<_>>(), now);
            for (at, (job, nth, _)) in places.into_iter().enumerate() {
                outcomes[job][nth] = match &stored {
                    Ok(stored) => stored[at].clone(),
                    Err(error) => Outcome::Failed(Arc::clone(error)),
                };
            }
        }
        for (job, outcomes) in jobs.into_iter().zip(outcomes) {
            (job.done)(outcomes);
        }
    }

    fn place(&mut self, entry: &Entry, now: i64) -> Result<Place, Error> {
        let today = Day::of(now);
        if !entry.sessions.is_empty() {
            return match entry.time {
                Some(time) if Day::of(time) < self.shared.options.first_day(now) => {
                    Ok(Place::Decided(Outcome::Rejected(Rejected::TooOld)))
                }
                Some(time) if time > now.saturating_add(NANOS_PER_DAY) => {
                    Ok(Place::Decided(Outcome::Rejected(Rejected::TooNew)))
                }
                Some(time) => Ok(Place::At(
                    Shelf {
                        day: Day::of(time),
                        kind: Kind::Session,
                    },
                    time,
                )),
                None => self.place_without_time(entry, Kind::Session, now),
            };
        }
        let Some(time) = entry.time else {
            return self.place_without_time(entry, Kind::NoSession, now);
        };
        let kind = Kind::NoSession;
        for day in days_of_arrival(today) {
            let shelf = Shelf { day, kind };
            let timed = Timed { entry, time };
            if day != today
                && let Some(outcome) = self.look_up(shelf, |writer| writer.existing(timed))?
            {
                return Ok(Place::Decided(outcome));
            }
        }
        Ok(Place::At(Shelf { day: today, kind }, time))
    }

    /// Places a record without a time at its first arrival: now, or earlier if the record was sent
    /// before.
    fn place_without_time(&mut self, entry: &Entry, kind: Kind, now: i64) -> Result<Place, Error> {
        let today = Day::of(now);
        for day in days_of_arrival(today) {
            let shelf = Shelf { day, kind };
            if let Some(time) = self.look_up(shelf, |writer| writer.arrived(entry.id.as_str()))? {
                return Ok(Place::At(shelf, time));
            }
        }
        Ok(Place::At(Shelf { day: today, kind }, now))
    }

    /// Looks something up in a day's file. Returns `None` if it is not found, if the file is
    /// missing, or if the file is damaged and was set aside.
    fn look_up<T>(
        &mut self,
        shelf: Shelf,
        find: impl FnOnce(&DayWriter) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let found = match self.writers.existing(shelf) {
            Ok(Some(writer)) => find(writer),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match found {
            Err(error) if error.is_damaged() => {
                self.set_aside(shelf);
                Ok(None)
            }
            found => found,
        }
    }

    fn store(
        &mut self,
        shelf: Shelf,
        timed: &[Timed<'_>],
        now: i64,
    ) -> Result<Vec<Outcome>, Arc<Error>> {
        self.usage.make_room(&mut self.writers, now)?;
        let bytes: usize = timed
            .iter()
            .map(|timed| timed.entry.line.as_bytes().len())
            .sum();
        self.usage.add(bytes);
        match self.try_store(shelf, timed) {
            Err(error) if error.is_damaged() => {
                self.set_aside(shelf);
                Ok(self.try_store(shelf, timed)?)
            }
            stored => Ok(stored?),
        }
    }

    fn try_store(&mut self, shelf: Shelf, timed: &[Timed<'_>]) -> Result<Vec<Outcome>, Error> {
        let writer = self.writers.writer(shelf)?;
        let outcomes = writer.store(timed)?;
        match writer.settle_if_due() {
            Err(error) if error.is_damaged() => Err(error),
            // nothing is lost: the records are on disk
            Err(error) => {
                self.shared.report(&error.with_causes());
                Ok(outcomes)
            }
            Ok(()) => Ok(outcomes),
        }
    }

    fn set_aside(&mut self, shelf: Shelf) {
        match self.shared.file(shelf) {
            Some(file) => self.writers.set_aside(&file),
            None => damaged::set_aside(&self.shared, shelf),
        }
    }
}

/// The days on which a record that is sent again may have arrived first: today, before midnight, or
/// after it if the clock was set back.
fn days_of_arrival(today: Day) -> [Day; 3] {
    [today, today.minus(1), today.minus(-1)]
}

/// Returns the queued jobs, up to a limit, and the first other message after them.
fn gather(first: Option<Message>, messages: &Receiver<Message>) -> (Vec<Job>, Option<Message>) {
    let mut jobs = Vec::new();
    let mut bytes = 0;
    let mut next = first;
    loop {
        match next {
            Some(Message::Store(job)) => {
                bytes += job
                    .entries
                    .iter()
                    .map(|entry| entry.line.as_bytes().len())
                    .sum::<usize>();
                jobs.push(job);
            }
            other => return (jobs, other),
        }
        if bytes >= GROUP_BYTES {
            return (jobs, None);
        }
        next = messages.try_recv().ok();
    }
}
