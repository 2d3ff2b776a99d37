//! Lists the causes of an error.
//!
//! An error of a third party can be its own cause, and any of its methods can panic. Every function
//! here returns nevertheless, and if a method panics, only the rest of its text is lost. If an
//! error has too many causes, the first and the last are listed.
//!
//! ```
//! use openreplay_record::causes;
//!
//! let io = std::io::Error::from(std::io::ErrorKind::NotFound);
//! let error: Box<dyn std::error::Error> = Box::new(std::io::Error::other(Load(io)));
//! assert_eq!(causes::of(&*error).map(|cause| cause.to_string()).collect::<Vec<_>>(), ["entity not found"]);
//! assert_eq!(causes::WithCauses(&*error).to_string(), "no price: entity not found");
//!
//! #[derive(Debug)]
//! struct Load(std::io::Error);
//!
//! impl std::fmt::Display for Load {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//!         f.write_str("no price")
//!     }
//! }
//!
//! impl std::error::Error for Load {
//!     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
//!         Some(&self.0)
//!     }
//! }
//! ```

use std::{
    error::Error,
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{Contained, PANICKED};

/// The number of causes that are listed at the beginning and at the end, where the root cause is.
const FIRST: usize = 24;
const LAST: usize = 8;

/// The maximum number of causes that are visited, since some errors are their own cause.
const SEARCHED: usize = 1024;

type Cause<'a> = &'a (dyn Error + 'static);

/// An element in a list of causes. Its `Display` implementation never panics.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "each element must be written, or a cause would be silently dropped"
)]
pub enum Listed<'a> {
    /// The cause of the previous error.
    Cause(Cause<'a>),
    /// A number of causes that are not listed.
    LeftOut {
        /// The number of causes.
        count: usize,
        /// Whether there are more causes than were counted, because the search ended before the
        /// root cause.
        is_endless: bool,
    },
    /// `source()` panicked, so further causes are unknown.
    Panicked,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cause(cause) => contained(*cause, f),
            Self::LeftOut { count, is_endless } => {
                let least = if *is_endless { "at least " } else { "" };
                write!(f, "… [{least}{count} causes left out]")
            }
            Self::Panicked => f.write_str(PANICKED),
        }
    }
}

fn contained(error: Cause<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:?}", Contained(&format_args!("{error}")))
}

/// Returns an iterator over the causes of an error, the nearest first.
///
/// If there are more than 32 causes, the first 24 and the last 8 are listed, with the number of
/// causes in between.
#[must_use]
pub fn of(error: Cause<'_>) -> Causes<'_> {
    Causes {
        walk: Walk::from(error),
        last: Last::default(),
    }
}

/// Returns an iterator over all causes of an error, the nearest first.
///
/// The iterator ends after 1,024 causes, or if `source()` panics.
pub fn all(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    Walk::from(error)
}

/// Returns whether other code can safely display an error and its causes: the chain of causes is
/// finite, and none of their methods panics or fails.
#[must_use]
pub fn is_readable(error: Cause<'_>) -> bool {
    struct Discard;

    impl fmt::Write for Discard {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            Ok(())
        }
    }

    // A `Display` that returns an error here would also return one in other code.
    let is_written = |error: Cause<'_>| {
        let write = || write!(Discard, "{error}").is_ok();
        catch_unwind(AssertUnwindSafe(write)).unwrap_or(false)
    };
    let mut walk = Walk::from(error);
    is_written(error) && walk.by_ref().all(is_written) && matches!(walk.next, Source::Root)
}

/// Displays an error and its causes on one line: `no price: entity not found`.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a wrapper of one value")]
pub struct WithCauses<'a>(pub Cause<'a>);

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        contained(self.0, f)?;
        for cause in of(self.0) {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

/// An iterator over the causes of an error, created by [`of`].
#[derive(Debug)]
pub struct Causes<'a> {
    walk: Walk<'a>,
    last: Last<'a>,
}

impl<'a> Iterator for Causes<'a> {
    type Item = Listed<'a>;

    fn next(&mut self) -> Option<Listed<'a>> {
        if let Some(cause) = self.last.take() {
            return Some(Listed::Cause(cause));
        }
        if self.walk.passed < FIRST
            && let Some(cause) = self.walk.next()
        {
            return Some(Listed::Cause(cause));
        }
        match self.walk.next {
            Source::Root => None,
            Source::Panicked => {
                self.walk.next = Source::Root;
                Some(Listed::Panicked)
            }
            Source::Error(_) => self.search(),
        }
    }
}

impl<'a> Causes<'a> {
    /// Visits all further causes up to the root cause.
    fn search(&mut self) -> Option<Listed<'a>> {
        for cause in self.walk.by_ref() {
            self.last.put(cause);
        }
        let is_endless = matches!(self.walk.next, Source::Error(_));
        if is_endless {
            self.walk.next = Source::Root;
        }
        let count = self.last.count.saturating_sub(LAST);
        self.last.taken = count;
        if count == 0 {
            return self.next();
        }
        Some(Listed::LeftOut { count, is_endless })
    }
}

/// An iterator over `source()`, which all functions here use.
#[derive(Debug)]
struct Walk<'a> {
    next: Source<'a>,
    passed: usize,
}

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Error(Cause<'a>),
    Root,
    Panicked,
}

impl<'a> Source<'a> {
    fn of(error: Cause<'a>) -> Self {
        match catch_unwind(AssertUnwindSafe(|| error.source())) {
            Ok(Some(cause)) => Self::Error(cause),
            Ok(None) => Self::Root,
            Err(_) => Self::Panicked,
        }
    }
}

impl<'a> Walk<'a> {
    fn from(error: Cause<'a>) -> Self {
        Self {
            next: Source::of(error),
            passed: 0,
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Cause<'a>;

    fn next(&mut self) -> Option<Cause<'a>> {
        let Source::Error(cause) = self.next else {
            return None;
        };
        if self.passed == SEARCHED {
            return None;
        }
        self.passed += 1;
        self.next = Source::of(cause);
        Some(cause)
    }
}

/// A ring of the last causes of an error with more than [`FIRST`] causes.
#[derive(Debug, Default)]
struct Last<'a> {
    causes: [Option<Cause<'a>>; LAST],
    /// The number of causes that were added, the oldest of which are overwritten.
    count: usize,
    /// The number of causes that were taken or overwritten.
    taken: usize,
}

impl<'a> Last<'a> {
    fn put(&mut self, cause: Cause<'a>) {
        self.causes[self.count % LAST] = Some(cause);
        self.count += 1;
    }

    fn take(&mut self) -> Option<Cause<'a>> {
        if self.taken == self.count {
            return None;
        }
        let cause = self.causes[self.taken % LAST];
        self.taken += 1;
        cause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nth error of a chain that ends at `0`, where `source()` may panic.
    #[derive(Debug)]
    struct Nth(usize, Option<Box<Nth>>, bool);

    impl fmt::Display for Nth {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)
        }
    }

    impl Error for Nth {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            assert!(self.0 > 0 || !self.2, "a source's own");
            self.1.as_deref().map(|error| error as _)
        }
    }

    fn chain(causes: usize, panics: bool) -> Nth {
        (1..=causes).fold(Nth(0, None, panics), |cause, nth| {
            Nth(nth, Some(Box::new(cause)), panics)
        })
    }

    fn listed(error: &(dyn Error + 'static)) -> Vec<String> {
        of(error).map(|listed| listed.to_string()).collect()
    }

    #[test]
    fn the_first_and_the_last_causes_are_listed_and_the_others_are_counted() {
        for causes in 0..100_usize {
            let all: Vec<_> = (0..causes).rev().map(|nth| nth.to_string()).collect();
            let mut expected = all.clone();
            if let Some(left_out) = causes.checked_sub(FIRST + LAST).filter(|&count| count > 0) {
                let mark = format!("… [{left_out} causes left out]");
                expected.splice(FIRST..causes - LAST, [mark]);
            }
            let error = chain(causes, false);
            assert_eq!(listed(&error), expected);
            assert!(is_readable(&error));
        }
    }

    #[test]
    fn the_search_in_an_endless_chain_ends() {
        #[derive(Debug)]
        struct Own;

        impl fmt::Display for Own {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("own")
            }
        }

        impl Error for Own {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(self)
            }
        }

        let listed = listed(&Own);
        assert_eq!(listed.len(), FIRST + 1 + LAST);
        assert_eq!(listed[FIRST], "… [at least 992 causes left out]");
        assert!(!is_readable(&Own));
        assert_eq!(all(&Own).count(), SEARCHED);
        assert_eq!(
            WithCauses(&Own).to_string().matches("own").count(),
            1 + FIRST + LAST
        );
    }

    #[test]
    fn a_source_that_panics_ends_the_list_with_a_mark() {
        for causes in [0, 1, FIRST, FIRST + LAST, FIRST + LAST + 9] {
            let error = chain(causes, true);
            let mut expected = listed(&chain(causes, false));
            expected.push(PANICKED.to_owned());
            assert_eq!(listed(&error), expected);
            assert!(!is_readable(&error));
        }
    }

    #[test]
    fn all_causes_are_found() {
        for causes in [0, 1, FIRST + LAST, 100] {
            let error = chain(causes, false);
            let all: Vec<_> = all(&error).map(ToString::to_string).collect();
            assert!(
                all.iter().eq(&(0..causes)
                    .rev()
                    .map(|nth| nth.to_string())
                    .collect::<Vec<_>>())
            );
        }
    }

    #[test]
    fn a_text_that_panics_is_cut_and_further_causes_are_listed() {
        #[derive(Debug)]
        struct Half(Nth);

        impl fmt::Display for Half {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                panic!("a display's own");
            }
        }

        impl Error for Half {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }

        let error = Half(chain(1, false));
        assert_eq!(
            WithCauses(&error).to_string(),
            format!("half{PANICKED}: 1: 0")
        );
        assert!(!is_readable(&error));
        let outer = std::io::Error::other(Half(chain(0, false)));
        assert_eq!(listed(&outer), ["0"]);
    }
}
