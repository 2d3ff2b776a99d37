//! Whose fault it is that a record is not taken: its own, or the index's and the engine's.
//!
//! What fails for a while costs no record, however long that while is: a record is at fault only where others are
//! taken at the same time.

use std::time::{Duration, Instant};

use super::answer::Item;
use super::batch::Batch;
use crate::retry::{self, ItemDecision, Pace};

/// How long an engine has to stumble over a record that is sent alone, before it is asked to take another in its place.
pub(super) const OWN_FAULT: Duration = Duration::from_secs(180);

/// How often records are sent together that the engine stumbles over, or that get no answer.
pub(super) const TOGETHER: u32 = 8;

/// After so many attempts a single record no longer holds up the others, though it may not be at fault.
const ODD_ONE: u32 = 4;

/// How many records may be set aside while others are taken.
const ASIDE: usize = 64;

/// What an answer means for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stored,
    /// It will be taken another time.
    Later(Pace),
    /// It may be at fault, or it will be taken another time.
    Doubted(Pace),
    /// It is kept until the index takes records again.
    OfIndex,
    /// It, or another of the request, is at fault.
    Spoiled,
    /// It will not be taken in this form.
    Refused,
}

/// `takes_others`: the same answer says of others that they are stored.
pub(super) fn fate(
    batch: &Batch,
    item: &Item<'_>,
    alias: &str,
    takes_others: bool,
    now: Instant,
) -> Fate {
    match retry::after_item(item) {
        ItemDecision::Stored => Fate::Stored,
        ItemDecision::Again(pace) if item.status == 500 => match is_own(batch, now) {
            true => Fate::Refused,
            false => Fate::Doubted(pace),
        },
        ItemDecision::Again(pace) => Fate::Later(pace),
        ItemDecision::OfIndex => Fate::OfIndex,
        ItemDecision::Spoiled if batch.records() > 1 => Fate::Spoiled,
        ItemDecision::Spoiled | ItemDecision::Refused => Fate::Refused,
        ItemDecision::Doubtful => {
            // under the alias it is answered before it comes to an index, as by a pipeline
            let may_be_of_index = batch.minimal || item.index == alias;
            match may_be_of_index && !takes_others && !batch.is_blamed {
                true => Fate::Doubted(Pace::Slow),
                false => Fate::Refused,
            }
        }
    }
}

/// Whether the engine stumbles over this record only: it was sent alone for long, and another was just taken.
pub(super) fn is_own(batch: &Batch, now: Instant) -> bool {
    batch.is_blamed && is_long_alone(batch, now)
}

pub(super) fn is_long_alone(batch: &Batch, now: Instant) -> bool {
    batch
        .alone
        .is_some_and(|since| now.saturating_duration_since(since) >= OWN_FAULT)
}

/// How many records may be set aside for these, so that they do not hold up the others.
pub(super) fn aside(batch: &Batch, takes_others: bool) -> usize {
    match takes_others {
        true => ASIDE,
        false if batch.records() == 1 && batch.faults >= ODD_ONE => 1,
        false => 0,
    }
}

/// One of the records may be what the engine stumbles over: they do not stay together for ever.
pub(super) fn apart(batches: Vec<Batch>, faults: u32, now: Instant) -> Vec<Batch> {
    let mut batches = match faults {
        TOGETHER.. => batches.into_iter().flat_map(Batch::halved).collect(),
        _ => batches,
    };
    for batch in batches.iter_mut().filter(|batch| batch.records() == 1) {
        batch.alone.get_or_insert(now);
    }
    batches
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::bulk::{ItemError, Piece};

    fn batch(records: usize, change: impl Fn(&mut Batch)) -> Batch {
        let mut batch = Batch::new(vec![Piece {
            bytes: Bytes::from("{\"create\":{}}\n{}\n".repeat(records)),
            records,
            tag: 0,
        }]);
        change(&mut batch);
        batch
    }

    fn item(status: u16, index: &'static str, name: &'static str) -> Item<'static> {
        let error = ItemError {
            name: Some(name.into()),
            reason: None,
        };
        Item {
            index: index.into(),
            status,
            error: Some(error),
        }
    }

    #[test]
    fn a_record_is_at_fault_only_where_others_are_taken() {
        let now = Instant::now() + OWN_FAULT;
        let new = |batch: &mut Batch| batch.alone = Some(now);
        let old = |batch: &mut Batch| batch.alone = Some(now - OWN_FAULT);
        let old_and_blamed = |batch: &mut Batch| {
            old(batch);
            batch.is_blamed = true;
        };
        let minimal = |batch: &mut Batch| batch.minimal = true;
        let minimal_and_blamed = |batch: &mut Batch| {
            batch.minimal = true;
            batch.is_blamed = true;
        };
        let whole = |_: &mut Batch| {};
        let (soon, slow) = (Fate::Doubted(Pace::Soon), Fate::Doubted(Pace::Slow));
        let trouble = item(500, "logs-1", "null_pointer_exception");
        let pipeline = item(400, "logs", "illegal_argument_exception");
        let unknown = item(400, "logs-1", "some_exception");
        let unreadable = item(400, "logs", "parse_exception");
        type Change<'a> = &'a dyn Fn(&mut Batch);
        let cases: [(&str, usize, Change<'_>, &Item<'_>, bool, Fate); 14] = [
            ("500, new", 1, &new, &trouble, false, soon),
            ("500, others taken", 9, &whole, &trouble, true, soon),
            ("500 for long", 1, &old, &trouble, false, soon),
            (
                "500, another taken",
                1,
                &old_and_blamed,
                &trouble,
                false,
                Fate::Refused,
            ),
            ("pipeline fails for all", 9, &whole, &pipeline, false, slow),
            (
                "pipeline fails for some",
                9,
                &whole,
                &pipeline,
                true,
                Fate::Refused,
            ),
            (
                "pipeline, another taken",
                1,
                &old_and_blamed,
                &pipeline,
                false,
                Fate::Refused,
            ),
            (
                "pipeline fails for all minimal ones",
                9,
                &minimal,
                &pipeline,
                false,
                slow,
            ),
            ("unknown, whole", 9, &whole, &unknown, false, Fate::Refused),
            ("unknown, minimal", 9, &minimal, &unknown, false, slow),
            (
                "unknown, minimal, others taken",
                9,
                &minimal,
                &unknown,
                true,
                Fate::Refused,
            ),
            (
                "unknown, minimal, others were",
                1,
                &minimal_and_blamed,
                &unknown,
                false,
                Fate::Refused,
            ),
            (
                "unreadable, one of many",
                9,
                &whole,
                &unreadable,
                false,
                Fate::Spoiled,
            ),
            (
                "unreadable, alone",
                1,
                &whole,
                &unreadable,
                false,
                Fate::Refused,
            ),
        ];
        for (name, records, change, item, takes_others, expected) in cases {
            let batch = batch(records, change);
            let fate = fate(&batch, item, "logs", takes_others, now);
            assert_eq!(fate, expected, "{name}");
        }
    }

    #[test]
    fn records_that_the_engine_stumbles_over_are_sent_apart() {
        let now = Instant::now();
        let together = apart(vec![batch(9, |_| {})], TOGETHER - 1, now);
        assert_eq!(together.len(), 1);
        assert_eq!(together[0].alone, None);
        let mut batches = vec![batch(9, |_| {})];
        for _ in 0..4 {
            batches = apart(batches, TOGETHER, now);
        }
        let records: Vec<_> = batches.iter().map(Batch::records).collect();
        assert_eq!(records, [1; 9]);
        let later = apart(batches, TOGETHER, now + OWN_FAULT);
        assert!(later.iter().all(|batch| batch.alone == Some(now)));
    }
}
