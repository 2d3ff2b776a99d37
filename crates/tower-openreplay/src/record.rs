//! The names, levels and fields of the records and the span.

use std::{error::Error, fmt, time::Duration};

use http::{Method, StatusCode};
use tracing::{Level, Span, field::Value};

const TARGET: &str = "tower_openreplay";

/// The properties of a request that its span and its records contain.
pub(crate) struct Facts<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) route: Option<&'a str>,
}

/// The end of a request, which is the last word of its message.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    Response(StatusCode),
    Failed,
    BodyFailed,
    Cancelled,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(status) => f.write_str(status.as_str()),
            Self::Failed => f.write_str("failed"),
            Self::BodyFailed => f.write_str("body failed"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

pub(crate) fn span(facts: &Facts<'_>) -> Span {
    tracing::info_span!(
        target: TARGET,
        "request",
        method = facts.method.as_str(),
        path = facts.path,
        request_id = facts.request_id,
    )
}

// The level of a callsite is constant, so each level needs its own callsite.
macro_rules! event_at {
    ($level:expr, $($rest:tt)*) => {
        match $level {
            Level::ERROR => tracing::event!(target: TARGET, Level::ERROR, $($rest)*),
            Level::WARN => tracing::event!(target: TARGET, Level::WARN, $($rest)*),
            Level::INFO => tracing::event!(target: TARGET, Level::INFO, $($rest)*),
            Level::DEBUG => tracing::event!(target: TARGET, Level::DEBUG, $($rest)*),
            Level::TRACE => tracing::event!(target: TARGET, Level::TRACE, $($rest)*),
        }
    };
}

pub(crate) fn request(
    level: Level,
    facts: &Facts<'_>,
    event: Event,
    error: Option<&dyn Value>,
    duration: Duration,
) {
    event_at!(
        level,
        error,
        duration_ms = Milliseconds::of(duration).value(),
        request_id = facts.request_id,
        route = facts.route,
        "{} {} {event}",
        facts.method,
        facts.path
    );
}

/// Logs an error that is in no request's record.
pub(crate) fn failure(span: &Span, error: &(dyn Error + 'static), status: StatusCode) {
    let level = level_of(status);
    let status = status.as_u16();
    // A record only has the trace ids of its span if that span is entered.
    let is_elsewhere = Span::current().id() != span.id();
    let _entered = is_elsewhere.then(|| span.enter());
    match level {
        Level::ERROR => {
            tracing::error!(target: TARGET, parent: span, error, status, "request failed");
        }
        _ => tracing::info!(target: TARGET, parent: span, error, status, "request rejected"),
    }
}

/// Returns the level for a response with an attached error.
pub(crate) fn level_of(status: StatusCode) -> Level {
    if status.is_server_error() {
        Level::ERROR
    } else {
        Level::INFO
    }
}

/// Milliseconds, with a fraction only below 10.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Milliseconds {
    Fraction(f64),
    Whole(u64),
}

impl Milliseconds {
    fn of(duration: Duration) -> Self {
        if duration < Duration::from_millis(10) {
            let micros = u32::try_from(duration.as_micros()).unwrap_or_default();
            Self::Fraction(f64::from(micros) / 1000.0)
        } else {
            Self::Whole(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
        }
    }

    fn value(&self) -> &dyn Value {
        match self {
            Self::Fraction(millis) => millis,
            Self::Whole(millis) => millis,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_fractions_below_ten() {
        let rows = [
            (Duration::ZERO, Milliseconds::Fraction(0.0)),
            (Duration::from_nanos(1_999), Milliseconds::Fraction(0.001)),
            (Duration::from_micros(9_999), Milliseconds::Fraction(9.999)),
            (Duration::from_millis(10), Milliseconds::Whole(10)),
            (Duration::from_micros(12_999), Milliseconds::Whole(12)),
            (Duration::MAX, Milliseconds::Whole(u64::MAX)),
        ];
        for (duration, expected) in rows {
            assert_eq!(Milliseconds::of(duration), expected, "{duration:?}");
        }
    }
}
