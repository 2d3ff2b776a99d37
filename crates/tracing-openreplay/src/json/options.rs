//! What a record is made with, and what is the same in every record.

use std::{fmt, time::SystemTime};

use super::{clock::Clock, escape::escape};

const DEFAULT_RECORD_LIMIT: usize = 256 * 1024;

/// What a record is made with.
pub(super) struct Options {
    pub(super) target: bool,
    pub(super) source_location: bool,
    pub(super) spans: bool,
    pub(super) fields_in_message: bool,
    pub(super) wanted_limit: usize,
    pub(super) record_limit: usize,
    pub(super) clock: Option<Clock>,
    /// The part that is the same in every record: of the service, the host and the process.
    pub(super) constant: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: true,
            source_location: true,
            spans: true,
            fields_in_message: true,
            wanted_limit: DEFAULT_RECORD_LIMIT,
            record_limit: DEFAULT_RECORD_LIMIT,
            clock: None,
            constant: Vec::new(),
        }
    }
}

impl Options {
    pub(super) fn now(&self) -> SystemTime {
        let now = self.clock.as_ref().and_then(Clock::now);
        now.unwrap_or_else(SystemTime::now)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("target", &self.target)
            .field("source_location", &self.source_location)
            .field("spans", &self.spans)
            .field("fields_in_message", &self.fields_in_message)
            .field("record_limit", &self.record_limit)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) host_name: Option<String>,
    pub(super) process_id: bool,
}

impl Service {
    pub(super) fn render(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let texts = [
            ("service.name", &self.name),
            ("service.version", &self.version),
            ("service.environment", &self.environment),
            ("host.name", &self.host_name),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                out.extend_from_slice(format!(",\"{key}\":\"").as_bytes());
                escape(&mut out, text.as_bytes());
                out.push(b'"');
            }
        }
        if self.process_id {
            out.extend_from_slice(format!(",\"process.pid\":{}", std::process::id()).as_bytes());
        }
        out
    }
}
