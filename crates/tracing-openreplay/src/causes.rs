//! The causes of an error, as [`openreplay_record::causes`] lists them.

use std::{error::Error, fmt};

use openreplay_record::causes::WithCauses;
pub(crate) use openreplay_record::causes::{is_readable, of};

/// An error and its causes as one line of text, whatever their methods do.
pub(crate) struct OneLine<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", WithCauses(self.0))
    }
}
