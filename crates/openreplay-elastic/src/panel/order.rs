use std::time::Duration;

use super::Row;

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
    /// The longest way back in time from one row to the next.
    pub worst: Duration,
}

impl Order {
    /// Whether following the replay works: a few pairs, or one in a hundred, may be out of order, by two seconds at most. So much
    /// the engines do not keep apart: what became searchable by the same refresh, or by two that followed each other.
    pub fn is_kept(&self) -> bool {
        let few = self.out_of_order <= FEW || self.out_of_order * 100 <= self.neighbours;
        few && self.worst <= TWO_REFRESHES
    }
}

/// Compares each row's time with the next one's.
pub fn order(rows: &[Row]) -> Order {
    let mut order = Order::default();
    let times: Vec<_> = rows.iter().filter_map(|row| row.time).collect();
    for pair in times.windows(2) {
        order.neighbours += 1;
        if let Ok(back) = pair[0].duration_since(pair[1])
            && !back.is_zero()
        {
            order.out_of_order += 1;
            order.worst = order.worst.max(back);
        }
    }
    order
}
