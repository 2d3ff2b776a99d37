//! What is wrong with records as the panel reads them.

use openreplay_record::{field, phrase, session_of};
use openreplay_session::SessionId;
use serde_json::Value;

use super::{Fault, Report};
use crate::admin::panel::{self, Row, SearchResult};

/// What is read of the records of sessions.
pub(crate) const READ: [&str; 4] = [field::TIMESTAMP, field::LEVEL, field::MESSAGE, "body.text"];

/// Records of sessions: each would stand alone in a panel.
pub(super) fn look_at(report: &mut Report, records: &[Value]) {
    let count =
        |is_bad: &dyn Fn(&Value) -> bool| records.iter().filter(|record| is_bad(record)).count();
    let of = records.len();
    // what a wired stream makes of a message
    let renamed = count(&|record| {
        record.get(field::MESSAGE).is_none() && record.pointer("/body/text").is_some()
    });
    if renamed > 0 {
        report.find(
            Fault::WiredStreams,
            format!("{renamed} of {of} records have `body.text` and no `message`: a wired stream renamed it"),
        );
    }
    let no_message = count(&|record| !record.get(field::MESSAGE).is_some_and(Value::is_string));
    if no_message > 0 {
        report.find(
            Fault::NoMessage,
            format!("{no_message} of {of} records have no `message`"),
        );
    }
    let no_level = count(&|record| {
        !matches!(
            record.get(field::LEVEL),
            Some(Value::String(_) | Value::Array(_))
        )
    });
    if no_level > 0 {
        report.find(
            Fault::NoLevel,
            format!("{no_level} of {of} records have no `level`"),
        );
    }
    let readable: Vec<Row> = records
        .iter()
        .filter_map(|record| panel::rows(std::slice::from_ref(record)).ok())
        .flatten()
        .collect();
    let unknown = readable.iter().filter(|row| !row.level_is_known).count();
    if unknown > 0 {
        report.find(
            Fault::UnknownLevel,
            format!("{unknown} of {of} records have a `level` that the panel reads as info"),
        );
    }
    let no_time = readable.iter().filter(|row| row.time.is_none()).count();
    if no_time > 0 {
        report.find(
            Fault::NoTime,
            format!("{no_time} of {of} records have no `@timestamp` that the panel can read"),
        );
    }
}

/// A session's records: what one panel would show.
pub(super) fn look_at_session(report: &mut Report, session: &SessionId, asked: &SearchResult) {
    let shown = asked.hits.len();
    if shown == 0 {
        report.find(
            Fault::SessionNotFound,
            format!("no record has `{}` in its `message`", phrase::of(session)),
        );
        return;
    }
    if asked.total > shown as u64 {
        report.find(
            Fault::TooMany,
            format!("session {session} has {} records", asked.total),
        );
    }
    let sources = asked.sources();
    look_at(report, &sources);
    let Ok(rows) = panel::rows(&sources) else {
        return;
    };
    let order = panel::measure_order(&rows);
    let fault = match (order.is_kept(), order.is_nearly_kept()) {
        (true, _) => return,
        (_, true) => Fault::NearlyInOrder,
        _ => Fault::OutOfOrder,
    };
    report.find(
        fault,
        format!(
            "session {session}: {} of {} neighbours come out of order, up to {:.3} s back in time",
            order.out_of_order,
            order.neighbours,
            order.worst.as_secs_f64()
        ),
    );
}

/// Whether a panel could show it, or would if its `message` were there: what names no session is in none.
pub(super) fn is_of_a_session(record: &Value) -> bool {
    match record.get(field::MESSAGE).and_then(Value::as_str) {
        Some(message) => session_of(message).is_some(),
        None => record.to_string().contains("openReplaySession"),
    }
}
