//! What `ship` reports at its end: what became of the lines.

use openreplay_elastic::ship::Progress;
use serde_json::Value;

use super::faults;
use crate::print::{self, GREEN, YELLOW};

/// The lines of the summary.
pub(super) fn lines(shipped: &Progress) -> Vec<String> {
    let stored = print::count(shipped.stored, "record is stored", "records are stored");
    let mut lines = vec![format!("{GREEN}ok{GREEN:#}  {stored}")];
    for (count, one, several) in [
        (
            shipped.wrapped,
            "line was not a JSON object, and is stored as a message",
            "lines were not JSON objects, and are stored as messages",
        ),
        (
            shipped.nuls,
            "NUL byte before a line was skipped",
            "NUL bytes before lines were skipped",
        ),
        (
            shipped.rejected,
            "record was rejected by Elasticsearch, in its shortest form too",
            "records were rejected by Elasticsearch, in their shortest form too",
        ),
        (
            shipped.unfinished,
            "file ends with an incomplete line, which the next run delivers",
            "files end with incomplete lines, which the next run delivers",
        ),
    ] {
        if count > 0 {
            let text = print::count(count, one, several);
            lines.push(format!("{YELLOW}--{YELLOW:#}  {text}"));
        }
    }
    let faults = shipped.faults.iter();
    lines.extend(faults.map(|(fault, count)| faults::line(*fault, *count, records(shipped))));
    lines
}

/// The faults of the records, for programs.
pub(super) fn faults(shipped: &Progress) -> Vec<Value> {
    faults::json(&shipped.faults, records(shipped))
}

/// How many records were read.
fn records(shipped: &Progress) -> u64 {
    shipped.stored + shipped.rejected + shipped.undelivered
}
