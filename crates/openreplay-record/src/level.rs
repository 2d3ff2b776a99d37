use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// A level that OpenReplay's panel knows.
///
/// The panel reads any other word as `info`, so a warning must be `warning`, not `warn`, and a
/// trace must be `debug` (`frontend/.../BackendLogs/utils.ts`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "OpenReplay's panel knows these four"
)]
pub enum Level {
    /// `error`
    Error,
    /// `warning`
    Warning,
    /// `info`
    Info,
    /// `debug`
    Debug,
}

impl Level {
    /// All levels, the most severe first. The panel searches for their words in this order.
    pub const ALL: [Self; 4] = [Self::Error, Self::Warning, Self::Info, Self::Debug];

    /// Returns the word for this level in a record.
    ///
    /// ```
    /// # use openreplay_record::Level;
    /// assert_eq!(Level::Warning.as_str(), "warning");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// Returns the level that a line of plain text mentions first, ignoring case.
    ///
    /// The words `fatal`, `critical`, `panic` and `panicked` are errors; `trace` is debug.
    ///
    /// ```
    /// # use openreplay_record::Level;
    /// assert_eq!(Level::named_in("2026-07-01 WARN low on stock"), Some(Level::Warning));
    /// assert_eq!(Level::named_in("no terrors"), None);
    /// ```
    #[must_use]
    pub fn named_in(text: &str) -> Option<Self> {
        text.split(|char: char| !char.is_ascii_alphabetic())
            .find_map(Self::of_word)
    }

    fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 10] = [
            ("error", Level::Error),
            ("fatal", Level::Error),
            ("critical", Level::Error),
            ("panic", Level::Error),
            ("panicked", Level::Error),
            ("warn", Level::Warning),
            ("warning", Level::Warning),
            ("info", Level::Info),
            ("debug", Level::Debug),
            ("trace", Level::Debug),
        ];
        let known = WORDS
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known));
        known.map(|(_, level)| *level)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Parses the word for a level in a record, in lower case. Other names, such as `warn`, are errors.
impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or(LevelError(()))
    }
}

/// The error returned if a string is not a [`Level`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelError(());

impl fmt::Display for LevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown level: expected error, warning, info or debug")
    }
}

impl Error for LevelError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_parsed_from_its_own_word_only() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(level.to_string(), level.as_str());
        }
        for word in ["", "warn", "trace", "Error", "errors", "info "] {
            let error = word.parse::<Level>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "unknown level: expected error, warning, info or debug",
                "{word}"
            );
        }
    }

    #[test]
    fn a_text_has_the_level_that_it_mentions_first() {
        for (text, level) in [
            ("{level=ERROR no}", Some(Level::Error)),
            ("thread 'main' panicked at", Some(Level::Error)),
            ("FATAL: no room", Some(Level::Error)),
            ("critical", Some(Level::Error)),
            ("kernel panic", Some(Level::Error)),
            ("Warn: an error", Some(Level::Warning)),
            ("WARNING", Some(Level::Warning)),
            ("trace of an error", Some(Level::Debug)),
            ("debug", Some(Level::Debug)),
            ("[info] error", Some(Level::Info)),
            ("terrors, warned, information", None),
            ("", None),
        ] {
            assert_eq!(Level::named_in(text), level, "{text}");
        }
    }
}
