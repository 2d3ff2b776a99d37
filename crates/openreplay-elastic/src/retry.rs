//! What to do after an answer, or after none: pure, so that whoever delivers does the waiting.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use crate::Error;
use crate::bulk::Item;

/// What a whole request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It was answered record by record.
    Read,
    /// It is too much at once: send each half of it, down to the single record.
    Halve,
    /// Send all of it again.
    Again(Again),
}

/// How to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) pace: Pace,
    /// Whether the request may have been done although no answer says so.
    pub(crate) lost: bool,
    pub(crate) at_least: Option<Duration>,
}

impl From<Pace> for Again {
    fn from(pace: Pace) -> Self {
        Self {
            pace,
            lost: false,
            at_least: None,
        }
    }
}

/// How soon it makes sense to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// The other side is busy or away for a moment.
    Soon,
    /// Somebody has to do something about it first.
    Slow,
}

/// What one record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemDecision {
    /// It is there.
    Stored,
    /// It will be taken another time.
    Again(Pace),
    /// It is kept until the index takes records again.
    OfIndex,
    /// It will not be taken in this form.
    Refused,
    /// It, or another of the request, will not be taken in this form.
    Spoiled,
    /// It may be the record's fault, or the index's.
    Doubtful,
}

const LONGEST: Duration = Duration::from_secs(300);

/// However often somebody is in a hurry.
const MOMENT: Duration = Duration::from_millis(50);

pub(crate) fn after_error(error: &Error) -> Again {
    Again {
        pace: Pace::Soon,
        lost: !error.is_connect(),
        at_least: None,
    }
}

pub(crate) fn after_answer(status: StatusCode, headers: &HeaderMap) -> Decision {
    let again = |pace, lost| {
        Decision::Again(Again {
            pace,
            lost,
            at_least: retry_after(headers),
        })
    };
    match status.as_u16() {
        200 => Decision::Read,
        // 400: one of the lines has spoiled the whole
        400 | 413 => Decision::Halve,
        429 => again(Pace::Soon, false),
        // also from a proxy, behind which it may have been done
        408 | 500.. => again(Pace::Soon, true),
        201..=299 => again(Pace::Slow, true),
        _ => again(Pace::Slow, false),
    }
}

pub(crate) fn after_item(item: &Item<'_>) -> ItemDecision {
    match item.status {
        200 | 201 | 409 => ItemDecision::Stored,
        429 | 500.. => ItemDecision::Again(Pace::Soon),
        404 => ItemDecision::Again(Pace::Slow),
        _ if item.error_name() == "security_exception" => ItemDecision::Again(Pace::Slow),
        _ if item.is_fault_of_index() => ItemDecision::OfIndex,
        401 | 403 => ItemDecision::Again(Pace::Slow),
        _ if item.is_unreadable() => ItemDecision::Spoiled,
        _ if item.is_fault_of_document() => ItemDecision::Refused,
        _ => ItemDecision::Doubtful,
    }
}

/// How long to wait before another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// All of it; who is in a hurry does not wait that long.
    pub(crate) whole: Duration,
    /// What the other side has asked for, and a moment: only the end is a reason not to wait that long.
    pub(crate) least: Duration,
}

/// The pause before the next attempt: doubling, with `jitter` (0 to 1) so that many senders do not come back at once.
pub(crate) fn pause(attempts: u32, again: Again, jitter: f64) -> Pause {
    let (first, most) = match again.pace {
        Pace::Soon => (Duration::from_millis(100), Duration::from_secs(5)),
        Pace::Slow => (Duration::from_secs(1), Duration::from_secs(30)),
    };
    let doubled = first.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let own = doubled
        .min(most)
        .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    let asked = again.at_least.unwrap_or_default();
    let whole = own.max(asked);
    Pause {
        whole,
        least: asked.max(MOMENT).min(whole),
    }
}

/// Seconds only: Elasticsearch and the usual proxies send no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::bulk::ItemError;

    #[test]
    fn decides_by_the_status_of_the_whole() {
        let again = |pace, lost| {
            Decision::Again(Again {
                pace,
                lost,
                at_least: None,
            })
        };
        for (status, decision) in [
            (200, Decision::Read),
            (400, Decision::Halve),
            (413, Decision::Halve),
            (401, again(Pace::Slow, false)),
            (403, again(Pace::Slow, false)),
            (404, again(Pace::Slow, false)),
            (301, again(Pace::Slow, false)),
            (202, again(Pace::Slow, true)),
            (408, again(Pace::Soon, true)),
            (429, again(Pace::Soon, false)),
            (500, again(Pace::Soon, true)),
            (502, again(Pace::Soon, true)),
            (503, again(Pace::Soon, true)),
            (504, again(Pace::Soon, true)),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                after_answer(status, &HeaderMap::new()),
                decision,
                "{status}"
            );
        }
    }

    #[test]
    fn decides_by_the_status_of_a_record() {
        let soon = ItemDecision::Again(Pace::Soon);
        let slow = ItemDecision::Again(Pace::Slow);
        for (status, index, name, decision) in [
            (201, "logs-1", "", ItemDecision::Stored),
            (
                409,
                "logs-1",
                "version_conflict_engine_exception",
                ItemDecision::Stored,
            ),
            (429, "logs-1", "es_rejected_execution_exception", soon),
            (503, "logs-1", "unavailable_shards_exception", soon),
            (500, "logs-1", "null_pointer_exception", soon),
            (403, "logs", "security_exception", slow),
            (404, "logs", "index_not_found_exception", slow),
            (
                403,
                "logs",
                "cluster_block_exception",
                ItemDecision::OfIndex,
            ),
            (
                403,
                "logs-1",
                "cluster_block_exception",
                ItemDecision::OfIndex,
            ),
            (
                400,
                "logs-1",
                "index_closed_exception",
                ItemDecision::OfIndex,
            ),
            (
                400,
                "logs-1",
                "illegal_argument_exception",
                ItemDecision::Doubtful,
            ),
            (400, "logs", "parse_exception", ItemDecision::Spoiled),
            (
                400,
                "logs-1",
                "document_parsing_exception",
                ItemDecision::Refused,
            ),
            (
                400,
                "logs-1",
                "mapper_parsing_exception",
                ItemDecision::Refused,
            ),
            (
                400,
                "logs-1",
                "fail_processor_exception",
                ItemDecision::Doubtful,
            ),
        ] {
            assert_eq!(
                after_item(&item(status, index, name, "")),
                decision,
                "{status} {index} {name}"
            );
        }
        for reason in [
            "pipeline with id [x] does not exist",
            "no write index is defined for alias [logs]",
        ] {
            let item = item(400, "logs-1", "illegal_argument_exception", reason);
            assert_eq!(after_item(&item), ItemDecision::OfIndex, "{reason}");
        }
    }

    fn item<'a>(status: u16, index: &'a str, name: &'a str, reason: &'a str) -> Item<'a> {
        let error = ItemError {
            name: Some(name.into()),
            reason: Some(reason.into()),
        };
        Item {
            index: index.into(),
            status,
            error: Some(error),
        }
    }

    #[test]
    fn waits_longer_each_time_but_not_for_ever() {
        let soon = Again {
            pace: Pace::Soon,
            lost: false,
            at_least: None,
        };
        let slow = Again {
            pace: Pace::Slow,
            ..soon
        };
        let told = Again {
            at_least: Some(Duration::from_secs(7)),
            ..soon
        };
        for (attempts, again, jitter, whole, least) in [
            (1, soon, 1.0, 100, 50),
            (1, soon, 0.0, 50, 50),
            (2, soon, 1.0, 200, 50),
            (99, soon, 1.0, 5_000, 50),
            (1, slow, 1.0, 1_000, 50),
            (99, slow, 0.0, 15_000, 50),
            (1, told, 0.0, 7_000, 7_000),
        ] {
            let expected = Pause {
                whole: Duration::from_millis(whole),
                least: Duration::from_millis(least),
            };
            assert_eq!(pause(attempts, again, jitter), expected);
        }
    }

    #[test]
    fn reads_how_long_to_wait() {
        for (value, seconds) in [
            ("3", Some(3)),
            (" 0 ", Some(0)),
            ("999999", Some(300)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            assert_eq!(
                retry_after(&headers),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
