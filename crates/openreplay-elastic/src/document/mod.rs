//! What is stored of a line: the record that it is or becomes, and the minimal form of a record
//! that was rejected.

#[cfg(any(feature = "admin", feature = "ship"))]
pub(crate) use self::line::{Stored, record_from, record_of_line};
#[cfg(feature = "ship")]
pub(crate) use self::line::{without_mark, without_nuls};
#[cfg(feature = "ship")]
pub(crate) use self::members::Members;
pub(crate) use self::minimal::minimal;

#[cfg(any(feature = "admin", feature = "ship"))]
mod line;
mod members;
mod minimal;
