use std::{
    fmt::{self, Debug},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What stands for the rest of a value whose `Debug`, `Display` or `source()` panics.
pub const PANICKED: &str = "… [panicked while being written]";

/// A value whose `Debug` may panic, and then costs no more than the rest of itself.
///
/// ```
/// use openreplay_record::{Contained, PANICKED};
///
/// struct Bomb;
///
/// impl std::fmt::Debug for Bomb {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("half")?;
///         panic!("no other half");
///     }
/// }
///
/// assert_eq!(format!("{:?}", Contained(&Bomb)), format!("half{PANICKED}"));
/// ```
pub struct Contained<'a>(pub &'a dyn Debug);

impl Debug for Contained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = catch_unwind(AssertUnwindSafe(|| self.0.fmt(f)));
        written.unwrap_or_else(|_| f.write_str(PANICKED))
    }
}
