//! The faults of records, in the same words for `ship`, `logs` and `check`.

use std::collections::BTreeMap;

use openreplay_record::panel::RecordFault;
use serde_json::{Value, json};

use super::check::mark;
use crate::print::DIM;

/// A line about a fault that so many of the records have.
pub(super) fn line(fault: RecordFault, count: u64, of: u64) -> String {
    let (style, word) = mark(fault.is_hint());
    let (text, remedy) = (fault.describe(count, of), fault.remedy());
    format!("{style}{word}{style:#}  {text} {DIM}-{DIM:#} {remedy}")
}

/// For programs, with the members of `check`'s findings.
pub(super) fn json(faults: &BTreeMap<RecordFault, u64>, of: u64) -> Vec<Value> {
    let each = faults.iter().map(|(fault, count)| {
        json!({
            "fault": fault.name(),
            "hint": fault.is_hint(),
            "records": count,
            "text": fault.describe(*count, of),
            "remedy": fault.remedy(),
        })
    });
    each.collect()
}
