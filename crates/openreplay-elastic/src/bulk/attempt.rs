//! One request with records, and what its answer makes of them.

use std::time::Instant;

use bytes::Bytes;

use super::answer;
use super::batch::Batch;
use super::deliver::{Attempt, Delivery, Events, Wait};
use super::pause::Pauses;
use super::{fault, note, reduce, say};
use crate::client::Encoding;
use crate::retry::{self, Again, Decision, Pace};
use crate::{Answer, Error};

impl Delivery {
    pub(super) async fn attempt(
        &mut self,
        batch: &mut Batch,
        events: &impl Events,
        pauses: &impl Pauses,
    ) -> Attempt {
        if batch.bytes() > self.room.limit() && batch.records() > 1 {
            let (first, rest) = batch.split(self.room.limit());
            return Attempt::Left(vec![first, rest], None);
        }
        batch.attempts += 1;
        match self.bind(batch, pauses.now(), events).await {
            Ok(true) => {}
            Ok(false) => return Attempt::Done,
            Err(unknown) => {
                if unknown.is_about_index() {
                    self.place.forget();
                }
                say::unknown(&unknown, self.target.alias(), events);
                return all_of_it(batch, unknown.again);
            }
        }
        let (body, encoding) = match &mut self.gzip {
            Some(gzip) => (vec![gzip.compress(&batch.body())], Encoding::GzippedLines),
            None => (batch.body(), Encoding::Lines),
        };
        let index = batch.bound.as_deref();
        let mut attempt = match self.target.send(index, body, encoding).await {
            Ok(answer) => self.answered(batch, answer, pauses.now(), events),
            Err(error) => {
                let text = say::with_causes(&error);
                self.again(batch, retry::after_error(&error), None, &text, events)
            }
        };
        if let Attempt::Left(left, Some(wait)) = &mut attempt
            && let [one] = &mut left[..]
            && wait.is_doubt
            && fault::is_long_alone(one, pauses.now())
        {
            one.is_blamed = note::is_taken(&self.target, one).await;
        }
        attempt
    }

    fn answered(
        &mut self,
        batch: &mut Batch,
        answer: Answer,
        now: Instant,
        events: &impl Events,
    ) -> Attempt {
        let status = answer.status().as_u16();
        match status {
            413 if !self.room.too_much(batch.bytes()) => {
                let soon = Pace::Soon.into();
                return self.again(batch, soon, Some(status), &why(answer.ok()), events);
            }
            200 => self.room.passed(batch.bytes()),
            _ => {}
        }
        let decision = retry::after_answer(answer.status(), answer.headers());
        if decision == Decision::Read {
            return self.read(batch, answer.body(), now, events);
        }
        let outcome = answer.ok();
        let is_told = matches!(&outcome, Err(error) if error.name().is_some());
        let why = why(outcome);
        match decision {
            Decision::Halve if (is_told || status == 413) && batch.records() > 1 => {
                Attempt::Left(std::mem::take(batch).halved(), None)
            }
            Decision::Halve if is_told || status == 413 => {
                self.too_much_alone(batch, status, &why, events)
            }
            decision => {
                let how = match decision {
                    Decision::Again(how) => how,
                    // a proxy's "bad request" says little about the records
                    _ => Pace::Slow.into(),
                };
                // what stands in front of the engine may stumble over one, too
                let is_doubt =
                    status == 500 && is_told || matches!(status, 400 | 403 | 406) && !is_told;
                if !is_doubt {
                    return self.again(batch, how, Some(status), &why, events);
                }
                say::trouble(Some(status), &why, self.target.alias(), events);
                self.doubt(batch, how, &why, now, events)
            }
        }
    }

    /// One of the records may be what the whole request was refused for.
    fn doubt(
        &mut self,
        batch: &mut Batch,
        how: Again,
        why: &str,
        now: Instant,
        events: &impl Events,
    ) -> Attempt {
        if fault::is_own(batch, now) {
            return refused(batch, why, false, events);
        }
        batch.faults += 1;
        if how.lost {
            self.place.lost(batch);
        }
        let wait = Wait {
            aside: fault::aside(batch, false),
            is_doubt: true,
            ..Wait::new(batch, how)
        };
        let faults = batch.faults;
        let parts = fault::apart(vec![once_more(batch)], faults, now);
        Attempt::Left(parts, Some(wait))
    }

    fn read(
        &mut self,
        batch: &mut Batch,
        body: &Bytes,
        now: Instant,
        events: &impl Events,
    ) -> Attempt {
        if let Some(index) = answer::all_stored(body, batch.records()) {
            self.place.learn(batch, index, self.target.alias(), now);
            for piece in &batch.pieces {
                events.stored(piece.tag, piece.records);
            }
            return Attempt::Done;
        }
        let Some(items) = answer::read(body, batch.records()) else {
            let why = say::unreadable(events);
            let how = Again {
                lost: true,
                ..Pace::Soon.into()
            };
            return self.doubt(batch, how, why, now, events);
        };
        self.after_items(batch, &items, now, events)
    }

    /// A single record that was refused as a whole request.
    fn too_much_alone(
        &mut self,
        batch: &mut Batch,
        status: u16,
        why: &str,
        events: &impl Events,
    ) -> Attempt {
        if !batch.is_doubted {
            // it may have been said for another reason: a question that has an answer comes in between
            batch.is_doubted = true;
            return Attempt::Left(vec![std::mem::take(batch)], None);
        }
        if !batch.minimal || status == 400 {
            return refused(batch, why, false, events);
        }
        // it is short: whatever says 413 takes nothing at all
        self.again(batch, Pace::Slow.into(), Some(status), why, events)
    }

    fn again(
        &mut self,
        batch: &mut Batch,
        how: Again,
        status: Option<u16>,
        why: &str,
        events: &impl Events,
    ) -> Attempt {
        if status == Some(404) {
            self.place.forget();
        }
        say::trouble(status, why, self.target.alias(), events);
        // what is refused as too much for now may be so each time
        if how.lost || status == Some(429) {
            batch.faults += 1;
        }
        if how.lost {
            self.place.lost(batch);
        }
        // nobody knows what the index would have said
        batch.blocked = None;
        all_of_it(batch, how)
    }
}

/// All of it once more; in parts, where it fails again and again.
fn all_of_it(batch: &mut Batch, how: Again) -> Attempt {
    let wait = Wait::new(batch, how);
    let batch = once_more(batch);
    let batches = match batch.faults {
        fault::TOGETHER.. => batch.halved(),
        _ => vec![batch],
    };
    Attempt::Left(batches, Some(wait))
}

/// What was held against it was for this time.
fn once_more(batch: &mut Batch) -> Batch {
    Batch {
        is_blamed: false,
        is_doubted: false,
        ..std::mem::take(batch)
    }
}

fn refused(batch: &Batch, why: &str, takes_others: bool, events: &impl Events) -> Attempt {
    let pieces: Vec<_> = batch.each().collect();
    let refused = pieces.iter().map(|piece| (piece, why));
    match reduce::reduced(batch, refused, takes_others, events) {
        Some(reduced) => Attempt::Left(vec![reduced], None),
        None => Attempt::Done,
    }
}

fn why(outcome: Result<Answer, Error>) -> String {
    outcome
        .err()
        .map_or_else(String::new, |error| error.to_string())
}
