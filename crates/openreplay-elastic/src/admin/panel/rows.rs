use std::error::Error as StdError;
use std::fmt;
use std::time::SystemTime;

use openreplay_record::{Level, field, panel};
use serde_json::Value;

/// One line of the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Where the row's button takes the replay to; `None` where the panel cannot read the time.
    pub time: Option<SystemTime>,
    /// The time as it stands in the record.
    pub time_text: String,
    /// How the row is marked.
    pub level: Level,
    /// Whether `level` was a word that the panel knows, and not merely read as [`Level::Info`].
    pub level_is_known: bool,
    /// All that is shown of the record: its first line, and when opened, every line.
    pub message: String,
}

impl Row {
    /// What a row shows until it is opened.
    pub fn first_line(&self) -> &str {
        self.message.split('\n').next().unwrap_or_default()
    }
}

/// Why a single record keeps the panel from showing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// The first hit has no `message`, by which the panel tells whose records these are.
    NoMessage,
    /// A hit has no `level` that it could look into.
    NoLevel {
        /// Which of the hits, counted from 0.
        hit: usize,
    },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMessage => f.write_str("the first record has no `message`"),
            Self::NoLevel { hit } => write!(f, "record {} has no `level`", hit + 1),
        }
    }
}

impl StdError for Unreadable {}

/// Reads the sources of hits, in their order, as the panel does.
///
/// # Errors
///
/// Where one record breaks the whole panel.
pub fn rows(sources: &[Value]) -> Result<Vec<Row>, Unreadable> {
    if sources
        .first()
        .is_some_and(|first| is_empty(first.get(field::MESSAGE)))
    {
        return Err(Unreadable::NoMessage);
    }
    sources
        .iter()
        .enumerate()
        .map(|(hit, source)| row(source).ok_or(Unreadable::NoLevel { hit }))
        .collect()
}

fn row(source: &Value) -> Option<Row> {
    let (level, level_is_known) = panel::level(source.get(field::LEVEL)?)?;
    let time_text = match source.get(field::TIMESTAMP) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let message = match source.get(field::MESSAGE) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    Some(Row {
        time: panel::time(source.get(field::TIMESTAMP)),
        time_text,
        level,
        level_is_known,
        message,
    })
}

/// Whether JavaScript treats it as false.
fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Bool(truth)) => !truth,
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::Array(_) | Value::Object(_)) => false,
    }
}
