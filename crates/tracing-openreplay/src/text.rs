//! How a value reads, for `json()` and `with_session()` alike.

use std::{
    fmt::{self, Debug, Display},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What stands for the rest of a value whose `Debug`, `Display` or `source()` panics.
pub(crate) const PANICKED: &str = "… [panicked while being written]";

/// Bytes as `tracing` itself shows them: `[00 ff]`.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, byte) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{byte:02x}")?;
        }
        f.write_str("]")
    }
}

/// A value whose `Debug` may panic, and then costs no more than itself.
pub(crate) struct Contained<'a>(pub(crate) &'a dyn Debug);

impl Debug for Contained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = catch_unwind(AssertUnwindSafe(|| self.0.fmt(f)));
        written.unwrap_or_else(|_| f.write_str(PANICKED))
    }
}
