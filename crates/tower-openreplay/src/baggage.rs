//! The session in the member `session.id` of W3C Baggage, see <https://www.w3.org/TR/baggage/>.

use http::{HeaderMap, HeaderName, HeaderValue};
use openreplay_session::SessionId;
use percent_encoding::percent_decode;

use crate::{
    decode::fill,
    verdict::{Candidates, Verdict, is_token},
};

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// OpenTelemetry's name for the id of a session.
const KEY: &[u8] = b"session.id";

/// Returns the verdict on all members `session.id`. Only numeric ids count, since other programs
/// store ids of their own under this name.
pub(crate) fn verdict(headers: &HeaderMap) -> Verdict {
    let mut found = Candidates::default();
    for value in ours(headers) {
        let mut buffer = [0; SessionId::MAX_LEN];
        match fill(&mut buffer, percent_decode(value)) {
            Some(value) => found.add_number(value),
            None => found.add_malformed(),
        }
    }
    found.verdict()
}

/// Sets the member `session.id` to this session, and removes any other member of that name. Members
/// with other names do not change.
pub(crate) fn set(headers: &mut HeaderMap, session: Option<SessionId>) {
    let session = session.filter(|id| id.as_u64().is_some());
    if session.is_none() && ours(headers).next().is_none() {
        return;
    }
    let mut text = Vec::new();
    if let Some(id) = session {
        // The session comes first, so that a receiver that truncates the list keeps it.
        text.extend_from_slice(KEY);
        text.push(b'=');
        text.extend_from_slice(id.as_bytes());
    }
    let mut is_sensitive = false;
    for value in headers.get_all(BAGGAGE) {
        is_sensitive |= value.is_sensitive();
        let others =
            members(value).filter(|member| !member.is_empty() && value_of(member).is_none());
        for member in others {
            if !text.is_empty() {
                text.push(b',');
            }
            text.extend_from_slice(member);
        }
    }
    // One header replaces several, because some receivers only read the first.
    match HeaderValue::from_bytes(&text) {
        Ok(mut value) if !text.is_empty() => {
            value.set_sensitive(is_sensitive);
            headers.insert(BAGGAGE, value);
        }
        _ => {
            headers.remove(BAGGAGE);
        }
    }
}

/// Marks the values that contain a token as sensitive.
pub(crate) fn mark(headers: &mut HeaderMap) {
    if ours(headers).any(holds_token) {
        mark_all(headers);
    }
}

#[cold]
fn mark_all(headers: &mut HeaderMap) {
    for (name, value) in headers.iter_mut() {
        if *name == BAGGAGE && members(value).filter_map(value_of).any(holds_token) {
            value.set_sensitive(true);
        }
    }
}

fn holds_token(value: &[u8]) -> bool {
    is_token(value) || percent_decode(value).any(|byte| byte == b'.')
}

/// Returns the values of all members `session.id`, without decoding them.
fn ours(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(BAGGAGE).into_iter();
    values.flat_map(members).filter_map(value_of)
}

fn members(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let members = value.as_bytes().split(|byte| *byte == b',');
    members.map(<[u8]>::trim_ascii)
}

/// Returns the value of a member `session.id`, without its properties. Keys are case-sensitive and
/// are not decoded.
fn value_of(member: &[u8]) -> Option<&[u8]> {
    let pair = member.split(|byte| *byte == b';').next()?;
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let key = parts.next()?.trim_ascii();
    (key == KEY).then(|| parts.next().unwrap_or_default().trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "session.id=z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1";

    #[test]
    fn only_the_baggage_that_contains_a_token_is_marked_as_sensitive() {
        let rows = [("baggage", TOKEN), ("baggage", "a=1"), ("x-baggage", TOKEN)];
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(name, HeaderValue::from_static(value));
        }
        mark(&mut headers);
        let is_sensitive = |name| {
            let values = headers.get_all(name).into_iter();
            values.map(HeaderValue::is_sensitive).collect::<Vec<_>>()
        };
        assert_eq!(is_sensitive("baggage"), [true, false]);
        assert_eq!(is_sensitive("x-baggage"), [false]);
    }

    #[test]
    fn baggage_that_is_sensitive_stays_sensitive() {
        for marked in [[true, false], [false, true], [false, false]] {
            let mut headers = HeaderMap::new();
            for is_sensitive in marked {
                let mut value = HeaderValue::from_static("user=ann");
                value.set_sensitive(is_sensitive);
                headers.append(BAGGAGE, value);
            }
            set(&mut headers, Some(SessionId::from(42)));
            assert_eq!(headers[BAGGAGE], "session.id=42,user=ann,user=ann");
            let expected = marked.contains(&true);
            assert_eq!(headers[BAGGAGE].is_sensitive(), expected, "{marked:?}");
        }
    }
}
