//! The options of the layer, and the part that is the same in every record.

use std::{fmt, time::SystemTime};

use openreplay_record::field;

use super::{clock::Clock, escape::escape, extra::Extra, named, request};

const DEFAULT_RECORD_LIMIT: usize = 256 * 1024;

/// The options of the layer.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent options, each on or off"
)]
pub(super) struct Options {
    pub(super) target: bool,
    pub(super) source_location: bool,
    pub(super) spans: bool,
    pub(super) fields_in_message: bool,
    pub(super) span_fields_in_message: bool,
    pub(super) span_close: bool,
    pub(super) extra: Extra,
    pub(super) wanted_limit: usize,
    pub(super) record_limit: usize,
    pub(super) clock: Option<Clock>,
    /// The rendered fields that are the same in every record: those of the service and the host,
    /// and constant fields.
    pub(super) constant: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: true,
            source_location: true,
            spans: true,
            fields_in_message: true,
            span_fields_in_message: false,
            span_close: false,
            extra: Extra::default(),
            wanted_limit: DEFAULT_RECORD_LIMIT,
            record_limit: DEFAULT_RECORD_LIMIT,
            clock: None,
            constant: Vec::new(),
        }
    }
}

impl Options {
    /// Returns whether records can contain the fields of a span with this name.
    pub(super) fn reads_span(&self, name: &str) -> bool {
        self.spans || self.span_fields_in_message || request::is_request(name)
    }

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
            .field("span_fields_in_message", &self.span_fields_in_message)
            .field("span_close", &self.span_close)
            .field("extra", &self.extra)
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
    /// The names and values of constant fields.
    pub(super) named: Vec<(String, String)>,
}

impl Service {
    /// Sets a constant field, which replaces an earlier one of the same name.
    pub(super) fn set(&mut self, name: String, value: String) {
        self.named.retain(|(other, _)| *other != name);
        named::check(&name, self.named.iter().map(|(other, _)| other.as_str()));
        self.named.push((name, value));
    }

    pub(super) fn render(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let texts = [
            (field::SERVICE_NAME, &self.name),
            (field::SERVICE_VERSION, &self.version),
            (field::SERVICE_ENVIRONMENT, &self.environment),
            (field::HOST_NAME, &self.host_name),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                out.extend_from_slice(format!(",\"{key}\":\"").as_bytes());
                escape(&mut out, text.as_bytes());
                out.push(b'"');
            }
        }
        for (name, value) in &self.named {
            out.extend_from_slice(b",\"");
            escape(&mut out, name.as_bytes());
            out.extend_from_slice(b"\":\"");
            escape(&mut out, value.as_bytes());
            out.push(b'"');
        }
        out
    }
}
