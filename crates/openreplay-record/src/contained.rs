use std::{
    fmt::{self, Debug},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The text that replaces the rest of a value whose `Debug`, `Display` or `source()` panics.
pub const PANICKED: &str = "… [panicked while being written]";

/// The text that replaces the rest of a value whose `Debug` or `Display` returns an error.
pub const FAILED: &str = "… [failed to be written]";

/// A wrapper that contains panics and errors in the `Debug` implementation of a value.
///
/// If the implementation panics, [`PANICKED`] replaces the rest of the value; if it returns an
/// error, [`FAILED`] does. Code such as `to_string()` panics at such an error.
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
#[expect(clippy::exhaustive_structs, reason = "a wrapper of one value")]
pub struct Contained<'a>(pub &'a dyn Debug);

impl Debug for Contained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = catch_unwind(AssertUnwindSafe(|| self.0.fmt(f)));
        match written {
            Ok(Ok(())) => Ok(()),
            // If the formatter itself fails, it fails again.
            Ok(Err(_)) => f.write_str(FAILED),
            Err(_) => f.write_str(PANICKED),
        }
    }
}
