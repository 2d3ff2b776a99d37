use std::time::{Duration, SystemTime};

use super::Row;

/// Of fewer neighbours one is more than one in a hundred.
const MANY: usize = 100;
const FEW: usize = 5;
/// An engine makes what was written searchable once a second.
const TWO_REFRESHES: Duration = Duration::from_secs(2);

/// How far rows are from the order of their times, which the panel does not mend: it seeks the first row that is not
/// before the replay's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// Pairs of neighbours.
    pub neighbours: usize,
    /// How many of them have the later one first.
    pub out_of_order: usize,
    /// The longest way back in time from the latest row so far to one that follows it.
    pub worst: Duration,
}

impl Order {
    /// Whether following the replay works: one pair in a hundred may be out of order, and no row more than two seconds behind one
    /// before it. So much the engines do not keep apart: what became searchable by the same refresh, or by two that followed each
    /// other.
    pub fn is_kept(&self) -> bool {
        self.is_close() && self.out_of_order * MANY <= self.neighbours
    }

    /// Whether it works as far as can be said: a few pairs, or any of a short session, and no row more than two seconds back.
    pub fn is_nearly_kept(&self) -> bool {
        let cannot_be_said = self.out_of_order <= FEW || self.neighbours < MANY;
        self.is_kept() || (self.is_close() && cannot_be_said)
    }

    fn is_close(&self) -> bool {
        self.worst <= TWO_REFRESHES
    }
}

/// Compares each row's time with the next one's, and with the latest before it.
pub fn order(rows: &[Row]) -> Order {
    let mut order = Order::default();
    let mut times = rows.iter().filter_map(|row| row.time);
    let Some(mut last) = times.next() else {
        return order;
    };
    let mut latest: SystemTime = last;
    for time in times {
        order.neighbours += 1;
        order.out_of_order += usize::from(time < last);
        order.worst = order
            .worst
            .max(latest.duration_since(time).unwrap_or_default());
        latest = latest.max(time);
        last = time;
    }
    order
}
