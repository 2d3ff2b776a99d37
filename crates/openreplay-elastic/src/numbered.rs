//! The names of the indices behind `logs`, each with a number at its end.

#[cfg(feature = "admin")]
use crate::transport::error::Error;
#[cfg(feature = "admin")]
use crate::transport::kind::Precondition;

#[cfg(any(feature = "admin", feature = "ship"))]
/// The name that OpenReplay searches, whichever were entered in its form.
pub(crate) const LOGS: &str = "logs";

/// `logs-000009` gives `logs-000010`.
pub(crate) fn next_name(name: &str) -> Option<String> {
    let (prefix, digits) = name.rsplit_once('-')?;
    let next = number(name)?.checked_add(1)?;
    Some(format!("{prefix}-{next:0width$}", width = digits.len()))
}

/// What the name ends in.
pub(crate) fn number(name: &str) -> Option<u64> {
    let (_, digits) = name.rsplit_once('-')?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(feature = "admin")]
/// What to do where `logs` writes to `from`, or should, and the next index is there already.
pub(crate) fn next_in_use(from: &str, next: &str) -> Error {
    Error::unmet(
        Precondition::NextIndexInUse,
        format!(
            "an index {next} is there, but `logs` does not write to it: nothing was changed. If it is of an earlier \
             `openreplay-elastic rotate`, let `logs` write to it (POST /_aliases {{\"actions\": [{{\"add\": {{\"index\": \"{from}\", \
             \"alias\": \"logs\", \"is_write_index\": false}}}}, {{\"add\": {{\"index\": \"{next}\", \"alias\": \"logs\", \
             \"is_write_index\": true}}}}]}}); else reindex it under another name and delete it. Then run this again"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_next_index() {
        let cases = [
            ("logs-000001", Some("logs-000002")),
            ("logs-000009", Some("logs-000010")),
            ("logs-999999", Some("logs-1000000")),
            ("my-logs-1", Some("my-logs-2")),
            ("logs", None),
            ("logs-", None),
            ("logs-+1", None),
            ("logs-99999999999999999999", None),
        ];
        for (name, next) in cases {
            assert_eq!(next_name(name).as_deref(), next, "{name}");
        }
    }
}
