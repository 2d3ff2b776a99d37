use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::json;

/// Keeps what a subscriber writes, for all that it is cloned to.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Returns what was written since the last time, as it is.
    ///
    /// # Panics
    ///
    /// If a writer has panicked.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Returns the same as records: each line is exactly [one JSON object](json::object).
    ///
    /// # Panics
    ///
    /// If a line is anything else, or the last one is not ended.
    #[must_use]
    #[track_caller]
    pub fn records(&self) -> Vec<Value> {
        let text = String::from_utf8(self.take()).unwrap();
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "the last line is not ended: {text:?}"
        );
        text.split_terminator('\n').map(json::object).collect()
    }

    /// Returns all that was written as text, and keeps it.
    ///
    /// # Panics
    ///
    /// If it is not text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
