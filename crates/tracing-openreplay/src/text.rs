//! Formats values for both `json()` and `with_session()`.

use std::fmt::{self, Display};

pub(crate) use openreplay_record::{Contained, FAILED, PANICKED};

/// Displays bytes in the format of `tracing`: `[00 ff]`.
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
