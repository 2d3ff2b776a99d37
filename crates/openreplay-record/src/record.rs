use std::borrow::Cow;

use serde::Serialize;

use crate::{Level, field, time};

/// A record with the fields that OpenReplay reads, which can be written as JSON.
///
/// ```
/// use openreplay_record::{Level, Record};
///
/// let mut record = Record::now(Level::Warning, "low on stock");
/// record.logger = Some("shop::stock");
/// let json = record.to_json();
/// assert!(json.contains(r#""level":"warning","message":"low on stock""#));
/// assert!(json.contains(r#""log.logger":"shop::stock""#));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// The time in the format of the module [`time`], which is written as both
    /// [`TIMESTAMP`](field::TIMESTAMP) and [`UTC_TIME`](field::UTC_TIME).
    pub time: Cow<'a, str>,
    /// The level, as [`Level::as_str`] returns it.
    pub level: Cow<'a, str>,
    /// The message, with its [prefix](crate::phrase::prefix) if the record belongs to a session.
    pub message: Cow<'a, str>,
    /// Whether the record has the [tag of an error](field::ERROR_TAG).
    pub is_error: bool,
    /// The session's id. Default: none.
    pub session_id: Option<Cow<'a, str>>,
    /// The code that wrote the record, such as a module's path. Default: none.
    pub logger: Option<&'a str>,
    /// The service that wrote the record. Default: none.
    pub service_name: Option<&'a str>,
    /// The [stream](field::STREAM) that the line was written to. Default: none.
    pub stream: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// Creates a record with the current time. A record of [`Level::Error`] gets the tag `error`.
    pub fn now(level: Level, message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            time: time::now().into(),
            level: level.as_str().into(),
            message: message.into(),
            is_error: level == Level::Error,
            session_id: None,
            logger: None,
            service_name: None,
            stream: None,
        }
    }

    /// Returns the record as a JSON object on one line, without a line feed at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and lists of strings can always be serialized")
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;

        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(field::TIMESTAMP, &self.time)?;
        map.serialize_entry(field::UTC_TIME, &self.time)?;
        map.serialize_entry(field::LEVEL, &self.level)?;
        map.serialize_entry(field::MESSAGE, &self.message)?;
        if self.is_error {
            map.serialize_entry(field::TAGS, &[field::ERROR_TAG])?;
        }
        let optional = [
            (field::SESSION_ID, self.session_id.as_deref()),
            (field::LOGGER, self.logger),
            (field::SERVICE_NAME, self.service_name),
            (field::STREAM, self.stream),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_record_has_the_fields_that_openreplay_reads_and_those_that_were_set() {
        let mut record = Record::now(Level::Error, "a \"quoted\"\nmessage");
        record.time = "2026-07-01T12:00:00.250000Z".into();
        let bare = json!({
            "@timestamp": "2026-07-01T12:00:00.250000Z",
            "utc_time": "2026-07-01T12:00:00.250000Z",
            "level": "error",
            "message": "a \"quoted\"\nmessage",
            "tags": ["error"],
        });
        assert!(!record.to_json().contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&record.to_json()).unwrap(),
            bare
        );

        record.is_error = false;
        record.session_id = Some("7".into());
        record.logger = Some("shop");
        record.service_name = Some("orders");
        record.stream = Some("stderr");
        let mut whole = bare;
        whole["openReplaySession.id"] = json!("7");
        whole["log.logger"] = json!("shop");
        whole["service.name"] = json!("orders");
        whole["stream"] = json!("stderr");
        whole.as_object_mut().unwrap().remove("tags");
        assert_eq!(
            serde_json::from_str::<Value>(&record.to_json()).unwrap(),
            whole
        );
    }

    #[test]
    fn only_an_error_has_the_tag() {
        for level in Level::ALL {
            assert_eq!(Record::now(level, "m").is_error, level == Level::Error);
        }
    }
}
