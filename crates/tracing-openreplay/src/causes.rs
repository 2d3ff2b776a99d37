//! The causes of an error, listed by [`openreplay_record::causes`].

use std::{error::Error, fmt};

use openreplay_record::causes::WithCauses;
pub(crate) use openreplay_record::causes::{is_readable, of};

/// Displays an error and its causes on one line, even if their methods panic.
pub(crate) struct OneLine<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", WithCauses(self.0))
    }
}
