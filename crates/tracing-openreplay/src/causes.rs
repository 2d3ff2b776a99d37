//! The causes of an error: all of a usual error, the first and the last of one that has too many.

use std::{
    error::Error,
    fmt::{self, Write as _},
    iter,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::text::{Contained, PANICKED};

/// How many causes are kept at the beginning, and how many at the end, where the root cause is.
const FIRST: usize = 24;
const LAST: usize = 8;

/// How many causes are looked at: some errors are their own cause.
const SEARCHED: usize = 1024;

type Cause<'a> = &'a (dyn Error + 'static);

/// An element of a list of causes.
#[derive(Clone, Copy)]
pub(crate) enum Listed<'a> {
    Cause(Cause<'a>),
    /// This many follow, or at least this many if the search ended before the root cause.
    LeftOut {
        count: usize,
        is_endless: bool,
    },
    /// `source()` panicked: further causes are unknown.
    Panicked,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cause(cause) => write!(f, "{cause}"),
            Self::LeftOut { count, is_endless } => {
                let least = if *is_endless { "at least " } else { "" };
                write!(f, "… [{least}{count} causes left out]")
            }
            Self::Panicked => f.write_str(PANICKED),
        }
    }
}

/// Lists the errors that led to this one, nearest first.
pub(crate) fn of(error: Cause<'_>) -> Causes<'_> {
    Causes {
        next: source(error),
        passed: 0,
        last: Last::default(),
    }
}

/// Whether a walk over this error and its sources ends, and nothing in it panics.
pub(crate) fn is_readable(error: Cause<'_>) -> bool {
    struct Nowhere;

    impl fmt::Write for Nowhere {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            Ok(())
        }
    }

    let walk = || {
        let mut errors = iter::successors(Some(error), |error: &Cause<'_>| (*error).source());
        let mut texts = errors.by_ref().take(SEARCHED);
        // a `Display` that fails fails in the layer, too
        texts.all(|error| write!(Nowhere, "{error}").is_ok()) && errors.next().is_none()
    };
    catch_unwind(AssertUnwindSafe(walk)).unwrap_or(false)
}

/// An error and its causes as one line of text, whatever their methods do.
pub(crate) struct OneLine<'a>(pub(crate) Cause<'a>);

impl fmt::Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Contained(&format_args!("{}", self.0)))?;
        for cause in of(self.0) {
            write!(f, ": {:?}", Contained(&format_args!("{cause}")))?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Error(Cause<'a>),
    Root,
    Panicked,
}

fn source(error: Cause<'_>) -> Source<'_> {
    match catch_unwind(AssertUnwindSafe(|| error.source())) {
        Ok(Some(cause)) => Source::Error(cause),
        Ok(None) => Source::Root,
        Err(_) => Source::Panicked,
    }
}

pub(crate) struct Causes<'a> {
    next: Source<'a>,
    passed: usize,
    last: Last<'a>,
}

/// The last causes of an error that has more than the first.
#[derive(Default)]
struct Last<'a> {
    causes: [Option<Cause<'a>>; LAST],
    /// How many were put in, the oldest of which are overwritten.
    count: usize,
    /// How many were taken out or overwritten.
    taken: usize,
}

impl<'a> Iterator for Causes<'a> {
    type Item = Listed<'a>;

    fn next(&mut self) -> Option<Listed<'a>> {
        if let Some(cause) = self.last.take() {
            return Some(Listed::Cause(cause));
        }
        match self.next {
            Source::Root => None,
            Source::Panicked => {
                self.next = Source::Root;
                Some(Listed::Panicked)
            }
            Source::Error(cause) if self.passed < FIRST => {
                self.passed += 1;
                self.next = source(cause);
                Some(Listed::Cause(cause))
            }
            Source::Error(cause) => self.search(cause),
        }
    }
}

impl<'a> Causes<'a> {
    /// Goes on to the root cause.
    fn search(&mut self, cause: Cause<'a>) -> Option<Listed<'a>> {
        let mut next = Source::Error(cause);
        while let Source::Error(cause) = next
            && self.last.count < SEARCHED
        {
            self.last.put(cause);
            next = source(cause);
        }
        let is_endless = matches!(next, Source::Error(_));
        self.next = if is_endless { Source::Root } else { next };
        let count = self.last.count.saturating_sub(LAST);
        self.last.taken = count;
        if count == 0 {
            return self.next();
        }
        Some(Listed::LeftOut { count, is_endless })
    }
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

    /// The nth of a chain that ends at `0`, or whose `source()` panics there.
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
    fn the_first_and_the_last_causes_stay_and_the_others_are_counted() {
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
    fn an_endless_chain_is_left_at_some_point() {
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
        assert_eq!(listed[FIRST], "… [at least 1016 causes left out]");
        assert!(!is_readable(&Own));
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
}
