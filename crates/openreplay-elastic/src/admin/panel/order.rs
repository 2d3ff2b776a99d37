use std::time::{Duration, SystemTime};

use super::Row;

/// At most one pair in this many may be out of order.
const MANY: usize = 100;
/// Up to this many pairs may be coincidence.
const FEW: usize = 5;
/// Records of two successive refreshes have no defined order.
const TWO_REFRESHES: Duration = Duration::from_secs(2);

/// How far rows are from the order of their times, which the panel does not fix: it seeks the
/// first row that is not before the replay's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// Pairs of adjacent rows.
    pub neighbours: usize,
    /// How many of them have the later one first.
    pub out_of_order: usize,
    /// The longest way back in time from the latest row so far to one that follows it.
    pub worst: Duration,
}

impl Order {
    /// Whether following the replay works: no row is more than two seconds earlier than one before
    /// it, and at most one pair in a hundred is out of order.
    pub fn is_kept(&self) -> bool {
        self.is_close() && self.out_of_order * MANY <= self.neighbours
    }

    /// Whether it is kept, or what is out of order is too little to tell: no row is more than two
    /// seconds earlier than one before it, and at most five pairs are out of order, or there are
    /// fewer than a hundred.
    pub fn is_nearly_kept(&self) -> bool {
        let is_too_little = self.out_of_order <= FEW || self.neighbours < MANY;
        self.is_kept() || (self.is_close() && is_too_little)
    }

    fn is_close(&self) -> bool {
        self.worst <= TWO_REFRESHES
    }
}

/// Compares each row's time with the next one's, and with the latest before it.
pub fn measure_order(rows: &[Row]) -> Order {
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
