//! One request with records, and what its answer makes of them.

use bytes::Bytes;

use super::answer;
use super::batch::Batch;
use super::deliver::{Attempt, Delivery, Events};
use super::{items, reduce, say};
use crate::client::Encoding;
use crate::retry::{self, Again, Decision, Pace};
use crate::{Answer, Error};

impl Delivery {
    pub(super) async fn attempt(&mut self, batch: &mut Batch, events: &impl Events) -> Attempt {
        batch.attempts += 1;
        if let Err(unknown) = self.place.bind(&self.target, batch, events).await {
            if unknown.is_about_index() {
                self.place.forget();
            }
            say::unknown(&unknown, self.target.alias(), events);
            return Attempt::again(batch, unknown.again);
        }
        let (body, encoding) = match &mut self.gzip {
            Some(gzip) => (vec![gzip.compress(&batch.body())], Encoding::GzippedLines),
            None => (batch.body(), Encoding::Lines),
        };
        let index = batch.bound.as_deref();
        match self.target.send(index, body, encoding).await {
            Ok(answer) => self.answered(batch, answer, events),
            Err(error) => {
                let text = say::with_causes(&error);
                self.again(batch, retry::after_error(&error), None, &text, events)
            }
        }
    }

    fn answered(&mut self, batch: &mut Batch, answer: Answer, events: &impl Events) -> Attempt {
        let status = answer.status().as_u16();
        match retry::after_answer(answer.status(), answer.headers()) {
            Decision::Read => self.read(batch, answer.body(), events),
            Decision::Halve => match answer.ok() {
                // a proxy's "bad request" says nothing about the records
                Err(error) if status == 400 && error.name().is_none() => {
                    let slow = Pace::Slow.into();
                    self.again(batch, slow, Some(status), &error.to_string(), events)
                }
                _ if batch.records() > 1 => {
                    let (first, second) = batch.halves();
                    Attempt::Left(vec![first, second], None)
                }
                outcome => self.too_much_alone(batch, status, &why(outcome), events),
            },
            Decision::Again(how) => self.again(batch, how, Some(status), &why(answer.ok()), events),
        }
    }

    fn read(&mut self, batch: &mut Batch, body: &Bytes, events: &impl Events) -> Attempt {
        if let Some(index) = answer::all_stored(body, batch.records()) {
            self.place.learn(batch, index);
            for piece in &batch.pieces {
                events.stored(piece.tag, piece.records);
            }
            return Attempt::Done;
        }
        let Some(items) = answer::read(body, batch.records()) else {
            say::unreadable(events);
            self.place.lost(batch);
            return Attempt::again(batch, Pace::Soon.into());
        };
        items::after(batch, &items, &mut self.place, self.target.alias(), events)
    }

    /// A single record that was refused as a whole request.
    fn too_much_alone(
        &mut self,
        batch: &mut Batch,
        status: u16,
        why: &str,
        events: &impl Events,
    ) -> Attempt {
        if !batch.minimal || status == 400 && batch.is_doubted {
            let pieces: Vec<_> = batch.each().collect();
            let refused = pieces.iter().map(|piece| (piece, why));
            return match reduce::reduced(batch, refused, events) {
                Some(reduced) => Attempt::Left(vec![reduced], None),
                None => Attempt::Done,
            };
        }
        if status == 400 {
            // a question that has an answer will tell that it is the record's fault
            batch.is_doubted = true;
            return Attempt::Left(vec![std::mem::take(batch)], None);
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
        if how.lost {
            self.place.lost(batch);
        }
        Attempt::again(batch, how)
    }
}

fn why(outcome: Result<Answer, Error>) -> String {
    outcome
        .err()
        .map_or_else(String::new, |error| error.to_string())
}
