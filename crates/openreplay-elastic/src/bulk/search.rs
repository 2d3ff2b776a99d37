//! Where records are after a lost response, if the alias may have moved on meanwhile, possibly more
//! than once.

use super::batch::Batch;
use super::wire::{Presence, QueryError, Wire, record_id};
use crate::numbered::next_name;

/// No index is rolled over more often than this around one lost response.
const ROLLOVERS: usize = 64;

/// Searches each index from one to the other for records of the batch, up to the first that has
/// one.
pub(super) async fn search(
    wire: &impl Wire,
    batch: &Batch,
    from: &str,
    to: &str,
) -> Result<Vec<(String, Presence)>, QueryError> {
    let ids = some_ids(batch);
    let mut found = Vec::new();
    for index in since(from, to) {
        if index != to && !wire.has_index(&index).await? {
            continue;
        }
        for id in &ids {
            let presence = wire.holds(&index, id).await?;
            found.push((index.clone(), presence));
            if presence == Presence::Present {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// The indices from one to the other, as far as their names tell: those that were created in
/// between are numbered.
fn since(from: &str, to: &str) -> Vec<String> {
    let next = |name: &String| next_name(name).filter(|next| next != to);
    let mut names: Vec<_> = std::iter::successors(Some(from.to_owned()), next)
        .take(ROLLOVERS)
        .collect();
    if names.len() == ROLLOVERS {
        names.truncate(1);
    }
    names.push(to.to_owned());
    names
}

/// The first, the middle and the last: a request that was executed in part was executed from its
/// start, and a record may have been rejected.
fn some_ids(batch: &Batch) -> Vec<String> {
    let ids: Vec<_> = batch.each().map(|piece| piece.bytes).collect();
    let mut some = vec![0, ids.len() / 2, ids.len().saturating_sub(1)];
    some.dedup();
    some.into_iter()
        .filter_map(|at| ids.get(at))
        .map(|record| String::from_utf8_lossy(record_id(record)).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_indices_in_between() {
        for (from, to, expected) in [
            ("logs-000001", "logs-000002", "logs-000001 logs-000002"),
            (
                "logs-000009",
                "logs-000012",
                "logs-000009 logs-000010 logs-000011 logs-000012",
            ),
            ("logs-000012", "logs-000009", "logs-000012 logs-000009"),
            ("old", "logs-000001", "old logs-000001"),
        ] {
            assert_eq!(since(from, to).join(" "), expected);
        }
    }
}
