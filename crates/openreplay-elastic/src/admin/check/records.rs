//! What is wrong with records as the panel reads them.

use openreplay_record::panel::RecordFault;
use openreplay_record::{field, phrase, session_of};
use openreplay_session::SessionId;
use serde_json::Value;

use super::{Fault, Finding, Report};
use crate::admin::panel::{self, Hit, SearchResult};

/// What is read of the records of sessions.
pub(crate) const READ: [&str; 5] = [
    field::TIMESTAMP,
    field::LEVEL,
    field::MESSAGE,
    "body.text",
    "fields.message",
];

/// Records of sessions: each would stand alone in a panel.
pub(crate) fn examine<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<Finding> {
    let (mut of, mut renamed) = (0, 0);
    let mut counts = RecordFault::ALL.map(|fault| (fault, 0));
    for record in records {
        of += 1;
        // what a wired stream makes of a message
        if record.get(field::MESSAGE).is_none() && record.pointer("/body/text").is_some() {
            renamed += 1;
        }
        let faults = RecordFault::of(record);
        for (fault, count) in &mut counts {
            *count += u64::from(faults.contains(fault));
        }
    }
    let mut findings = Vec::new();
    if renamed > 0 {
        findings.push(Finding::new(
            Fault::WiredStreams,
            format!("{renamed} of {of} records have `body.text` and no `message`: a wired stream renamed it"),
        ));
    }
    for (fault, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        findings.push(Finding::new(fault.into(), fault.describe(count, of)));
    }
    findings
}

/// A session's records: what one panel would show.
pub(super) fn examine_session(report: &mut Report, session: &SessionId, result: &SearchResult) {
    let shown = result.hits.len();
    if shown == 0 {
        report.find(
            Fault::SessionNotFound,
            format!("no record has `{}` in its `message`", phrase::of(session)),
        );
        return;
    }
    if result.total > shown as u64 {
        report.find(
            Fault::TooMany,
            format!("session {session} has {} records", result.total),
        );
    }
    let sources = result.sources();
    report.add(examine(&sources));
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
            "session {session}: {} of {} adjacent rows are out of order, by up to {:.3} s",
            order.out_of_order,
            order.neighbours,
            order.worst.as_secs_f64()
        ),
    );
}

/// Whether a panel could show it, or would if its `message` were there: a record that names no
/// session is shown in none.
pub(super) fn is_of_a_session(hit: &Hit) -> bool {
    match hit.source.get(field::MESSAGE).and_then(Value::as_str) {
        Some(message) => session_of(message).is_some(),
        None => hit.names_session,
    }
}
