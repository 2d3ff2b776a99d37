//! The names of the indices behind `logs`, each with a number at its end.

/// The only name that OpenReplay searches, whatever its form contains.
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
pub(crate) fn is_index_name(name: &str) -> bool {
    let is_wrong = |c: char| c.is_whitespace() || c.is_control() || "\\/*?\"<>|,#%:".contains(c);
    !name.is_empty() && !name.contains(is_wrong) && !name.starts_with(['-', '_', '+', '.'])
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
