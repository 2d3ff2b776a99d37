use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use super::answer::{self, Item};
use super::gzip::Gzip;
use super::target::{Target, Unknown};
use super::{Batch, Piece, frame, minimal};
use crate::client::Encoding;
use crate::diagnostics::Topic;
use crate::retry::{self, Again, Decision, ItemDecision, Pace};
use crate::text;

/// What a delivery tells while it goes on.
pub(crate) trait Events {
    /// Records are stored.
    fn stored(&self, tag: u64, records: usize);
    /// A record was refused, in its minimal form too.
    fn refused(&self, tag: u64, why: &str);
    /// Something that the operator may want to know.
    fn say(&self, topic: Topic, text: &str);
}

/// How long an engine has to stumble over a record that is sent alone, before that counts as the record's fault.
const OWN_FAULT: Duration = Duration::from_secs(180);

/// How often records are sent together that the engine stumbles over.
const TOGETHER: u32 = 8;

const ALIAS_ONLY: Duration = Duration::from_secs(600);

/// Delivers batch after batch, each until all of its records are stored or refused.
#[derive(Debug)]
pub(crate) struct Delivery {
    target: Target,
    gzip: Option<Gzip>,
    /// The index behind the alias, as the last answer said.
    index: Option<String>,
    /// Since when it is known that these credentials may write to the alias only, not to the indices behind it.
    alias_only: Option<Instant>,
}

/// What became of an attempt.
enum Attempt {
    Done,
    /// These are left, to be sent at once or after a pause.
    Left(Vec<Batch>, Option<(Again, u32)>),
}

impl Delivery {
    pub(crate) fn new(target: Target, gzip: Option<u32>) -> Self {
        Self {
            target,
            gzip: gzip.map(Gzip::new),
            index: None,
            alias_only: None,
        }
    }

    /// Delivers it all. `hurry` ends a wait between two attempts.
    ///
    /// Dropping the future gives up what has not been told of yet.
    pub(crate) async fn deliver(&mut self, batch: Batch, events: &impl Events, hurry: &Notify) {
        let mut work = VecDeque::from([batch]);
        while let Some(mut batch) = work.pop_front() {
            match self.attempt(&mut batch, events).await {
                Attempt::Done => {}
                Attempt::Left(left, pause) => {
                    for batch in left.into_iter().rev() {
                        work.push_front(batch);
                    }
                    if let Some((again, attempts)) = pause {
                        wait(retry::pause(attempts, again, fastrand::f64()), hurry).await;
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, batch: &mut Batch, events: &impl Events) -> Attempt {
        batch.attempts += 1;
        if let Err(unknown) = self.bind(batch, events).await {
            if unknown.is_fault_of_index {
                self.explain_index(&unknown.text, events);
            } else {
                self.explain(unknown.status, &unknown.text, events);
            }
            return again(batch, unknown.again);
        }
        let (body, encoding) = match &mut self.gzip {
            Some(gzip) => (vec![gzip.compress(&batch.body())], Encoding::GzippedLines),
            None => (batch.body(), Encoding::Lines),
        };
        let outcome = self
            .target
            .send(batch.bound.as_deref(), body, encoding)
            .await;
        let (decision, text) = match &outcome {
            Ok(answer) if answer.status() == 400 && !is_told_by_elasticsearch(answer) => {
                (Decision::Again(Pace::Slow.into()), String::new())
            }
            Ok(answer) => (
                retry::after_answer(answer.status(), answer.headers()),
                String::new(),
            ),
            Err(error) => (retry::after_error(error), with_causes(error)),
        };
        match (decision, outcome) {
            (Decision::Read, Ok(answer)) => match self.read(batch, answer.body(), events) {
                Some(attempt) => attempt,
                None => {
                    events.say(
                        Topic::Answer,
                        "an answer to _bulk could not be read; asking again",
                    );
                    self.lost(batch);
                    let lost = Again {
                        lost: true,
                        ..Pace::Soon.into()
                    };
                    again(batch, lost)
                }
            },
            (Decision::Halve, Ok(answer)) if batch.records() == 1 => {
                let status = answer.status().as_u16();
                let why = answer
                    .ok()
                    .err()
                    .map_or_else(String::new, |error| error.to_string());
                if batch.minimal && !self.refuses_alone(status).await {
                    self.explain(Some(status), &why, events);
                    return again(batch, Pace::Slow.into());
                }
                reduce(batch, &why, events)
            }
            (Decision::Halve, _) => {
                let (first, second) = batch.halves();
                Attempt::Left(vec![first, second], None)
            }
            (Decision::Again(how), outcome) => {
                let status = outcome.as_ref().ok().map(|answer| answer.status().as_u16());
                let text = match outcome.map(crate::Answer::ok) {
                    Ok(Err(error)) => error.to_string(),
                    _ => text,
                };
                self.explain(status, &text, events);
                if how.lost {
                    self.lost(batch);
                }
                again(batch, how)
            }
            (Decision::Read, Err(_)) => again(batch, Pace::Soon.into()),
        }
    }

    /// Whether a small record that was answered so, with no other beside it, is at fault itself.
    async fn refuses_alone(&self, status: u16) -> bool {
        // it is short: whatever says 413 takes nothing at all
        status != 413 && self.target.write_index().await.is_ok()
    }

    /// Keeps in mind where a batch may be that got no answer.
    fn lost(&self, batch: &mut Batch) {
        if batch.bound.is_none() && batch.lost.is_none() {
            batch.lost = Some(self.index.clone());
        }
    }

    /// Before a batch is sent: which index it has to stay with, if any.
    async fn bind(&mut self, batch: &mut Batch, events: &impl Events) -> Result<(), Unknown> {
        if self.index.is_none() {
            // what an answer is lost for later is only known to be in the index that was known before
            self.index = Some(self.target.write_index().await?);
        }
        if let Some(bound) = &batch.bound {
            let now = self.target.write_index().await?;
            // what is gone, or takes nothing and is not the one to be mended, must not hold the records up
            if *bound != now && (batch.is_blocked || !self.target.has_index(bound).await?) {
                batch.bound = None;
            }
            self.index = Some(now);
        }
        batch.is_blocked = false;
        let Some(before) = batch.lost.clone() else {
            return Ok(());
        };
        let now = self.target.write_index().await?;
        let mut found = None;
        let mut candidates = vec![now.clone()];
        if let Some(before) = before.filter(|before| *before != now) {
            candidates.insert(0, before);
        }
        if candidates.len() > 1 {
            // the alias has moved on meanwhile: it was before that request, or after it
            let ids = some_ids(batch);
            'search: for index in &candidates {
                if *index != now && !self.target.has_index(index).await? {
                    continue;
                }
                for id in &ids {
                    if self.target.holds(index, id).await? == Some(true) {
                        found = Some(index.clone());
                        break 'search;
                    }
                }
            }
        }
        self.index = Some(now.clone());
        batch.lost = None;
        if self.is_alias_only() {
            events.say(Topic::AliasOnly, &alias_only(self.target.alias()));
        } else {
            batch.bound = Some(found.unwrap_or(now));
        }
        Ok(())
    }

    /// Somebody may have given the credentials more since.
    fn is_alias_only(&self) -> bool {
        self.alias_only.is_some_and(|at| at.elapsed() < ALIAS_ONLY)
    }

    /// `None` where it is no answer to this batch.
    fn read(&mut self, batch: &mut Batch, body: &Bytes, events: &impl Events) -> Option<Attempt> {
        if let Some(index) = answer::all_stored(body, batch.records()) {
            self.learn(batch, index);
            for piece in &batch.pieces {
                events.stored(piece.tag, piece.records);
            }
            return Some(Attempt::Done);
        }
        let items = answer::read(body, batch.records())?;
        batch.faults += 1;
        let mut left = Vec::new();
        let mut refused = Vec::new();
        let mut pace = None;
        let mut is_fault_of_index = false;
        // these may be stored although it says no: they have to stay with their index
        let mut troubled = BTreeMap::new();
        for (item, piece) in items.iter().zip(batch.each()) {
            if item.status == 500 && batch.alone() >= OWN_FAULT {
                // nothing but the record itself is left as a reason
                refused.push((piece, item.to_string()));
                continue;
            }
            match retry::after_item(item, self.target.alias()) {
                ItemDecision::Stored => {
                    self.learn(batch, &item.index);
                    events.stored(piece.tag, 1);
                }
                ItemDecision::Again(at) => {
                    if pace.is_none_or(|pace| pace < at) {
                        pace = Some(at);
                        self.explain(Some(item.status), &item.to_string(), events);
                    }
                    if item.status >= 500 && batch.bound.is_none() {
                        let index = item.index.as_ref();
                        let is_index = !index.is_empty() && index != self.target.alias();
                        if is_index && !self.is_alias_only() {
                            troubled
                                .entry(index.to_owned())
                                .or_insert_with(Vec::new)
                                .push(piece);
                            continue;
                        }
                    }
                    left.push(piece);
                }
                ItemDecision::Doubtful if batch.minimal => {
                    // even its fixed fields are not taken: somebody has to look at the index
                    pace = Some(Pace::Slow);
                    self.explain_index(&item.to_string(), events);
                    left.push(piece);
                }
                ItemDecision::OfIndex => {
                    pace = Some(Pace::Slow);
                    is_fault_of_index = true;
                    self.explain_index(&item.to_string(), events);
                    left.push(piece);
                }
                ItemDecision::Refused | ItemDecision::Doubtful => {
                    self.learn(batch, &item.index);
                    refused.push((piece, item.to_string()));
                }
            }
        }
        let mut batches = Vec::new();
        let mut reduced = Vec::new();
        for (piece, why) in refused {
            reduced.extend(reduced_piece(batch, &piece, &why, events));
        }
        if !reduced.is_empty() {
            batches.push(minimal_batch(batch, reduced));
        }
        if !left.is_empty() {
            let mut left = batch.with(left);
            left.is_blocked = is_fault_of_index;
            self.unbind_where_needed(&mut left, &items, events);
            batches.push(left);
        }
        for (index, pieces) in troubled {
            batches.push(Batch {
                bound: Some(index),
                ..batch.with(pieces)
            });
        }
        let has_500 = items.iter().any(|item| item.status == 500);
        if has_500 && batch.faults >= TOGETHER {
            // in case that one of them is what the engine stumbles over
            batches = batches
                .into_iter()
                .flat_map(|batch| match batch.records() {
                    0 | 1 => vec![batch],
                    _ => <[Batch; 2]>::from(batch.halves()).into(),
                })
                .collect();
        }
        if has_500 {
            for batch in batches.iter_mut().filter(|batch| batch.records() == 1) {
                batch.alone.get_or_insert_with(Instant::now);
            }
        }
        let pause = pace.map(|pace| (pace.into(), batch.attempts));
        Some(if batches.is_empty() {
            Attempt::Done
        } else {
            Attempt::Left(batches, pause)
        })
    }

    fn learn(&mut self, batch: &Batch, index: &str) {
        if batch.bound.is_none() && !index.is_empty() && self.index.as_deref() != Some(index) {
            self.index = Some(index.to_owned());
        }
    }

    /// An index that is gone, or that these credentials do not reach, must not hold the records up.
    fn unbind_where_needed(&mut self, batch: &mut Batch, items: &[Item<'_>], events: &impl Events) {
        if batch.bound.is_none() {
            return;
        }
        if items.iter().any(Item::is_forbidden) {
            self.alias_only = Some(Instant::now());
            events.say(Topic::AliasOnly, &alias_only(self.target.alias()));
            batch.bound = None;
        } else if items
            .iter()
            .any(|item| item.status == 404 || item.would_make_index())
        {
            batch.bound = None;
        }
    }

    fn explain_index(&mut self, text: &str, events: &impl Events) {
        // which one takes records next has to be asked
        self.index = None;
        let alias = self.target.alias();
        events.say(
            Topic::Missing,
            &format!(
                "{}; `{alias}` leads to no index that takes records: look at its write index with `openreplay-elastic \
                 check`; keeping the records and trying again",
                shortened(text)
            ),
        );
    }

    fn explain(&mut self, status: Option<u16>, text: &str, events: &impl Events) {
        let alias = self.target.alias();
        let (topic, advice) = match status {
            Some(401) => (
                Topic::Credentials,
                "; check the API key, or the user and the password".to_owned(),
            ),
            Some(403) => (
                Topic::Credentials,
                format!("; they need `create_doc` on `{alias}` and `{alias}-*`"),
            ),
            Some(404) => {
                // whatever comes back under that name may be another index
                self.index = None;
                (
                    Topic::Missing,
                    format!("; `{alias}` has to be an alias: run `openreplay-elastic setup`"),
                )
            }
            Some(300..=499) if status != Some(429) => {
                (Topic::Answer, "; is the address right?".to_owned())
            }
            _ => (Topic::Away, String::new()),
        };
        events.say(
            topic,
            &format!(
                "{}{advice}; keeping the records and trying again",
                shortened(text)
            ),
        );
    }
}

/// A proxy's "bad request" says nothing about the records.
fn is_told_by_elasticsearch(answer: &crate::Answer) -> bool {
    answer
        .clone()
        .ok()
        .is_err_and(|error| error.name().is_some())
}

fn alias_only(alias: &str) -> String {
    format!(
        "the credentials allow writing to `{alias}` but not to the indices behind it, so a record may be there twice \
         after a rollover: give them `create_doc` on `{alias}-*` too"
    )
}

fn again(batch: &mut Batch, how: Again) -> Attempt {
    let attempts = batch.attempts;
    Attempt::Left(vec![std::mem::take(batch)], Some((how, attempts)))
}

/// A single refused record: once more with its fixed fields only, or never again.
fn reduce(batch: &Batch, why: &str, events: &impl Events) -> Attempt {
    let pieces: Vec<_> = batch
        .each()
        .filter_map(|piece| reduced_piece(batch, &piece, why, events))
        .collect();
    if pieces.is_empty() {
        return Attempt::Done;
    }
    Attempt::Left(vec![minimal_batch(batch, pieces)], None)
}

/// A refused record with its fixed fields only; `None` where that is what was refused.
fn reduced_piece(batch: &Batch, piece: &Piece, why: &str, events: &impl Events) -> Option<Piece> {
    if batch.minimal {
        events.say(
            Topic::Refused,
            &format!("a record was refused: {}", shortened(why)),
        );
        events.refused(piece.tag, why);
        return None;
    }
    let line = minimal::minimal(frame::document(&piece.bytes));
    events.say(
        Topic::Reduced,
        &format!(
            "a record was refused, and is sent with its fixed fields only: {}",
            shortened(why)
        ),
    );
    Some(Piece {
        bytes: frame::with_document(&piece.bytes, &line).into(),
        ..*piece
    })
}

fn minimal_batch(batch: &Batch, pieces: Vec<Piece>) -> Batch {
    Batch {
        minimal: true,
        attempts: 0,
        alone: None,
        ..batch.with(pieces)
    }
}

/// The first, the middle and the last: a request that was done in part was done from its start.
fn some_ids(batch: &Batch) -> Vec<String> {
    let ids: Vec<_> = batch.each().map(|piece| piece.bytes).collect();
    let mut some = vec![0, ids.len() / 2, ids.len().saturating_sub(1)];
    some.dedup();
    some.into_iter()
        .filter_map(|at| ids.get(at))
        .map(|record| String::from_utf8_lossy(frame::id(record)).into_owned())
        .collect()
}

fn shortened(text: &str) -> &str {
    text::shortened(text, 300).trim_end()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

async fn wait(pause: Duration, hurry: &Notify) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = hurry.notified() => {}
    }
}
