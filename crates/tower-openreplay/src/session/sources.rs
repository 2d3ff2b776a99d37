use http::{HeaderMap, Request};
use openreplay_session::{Scope, SessionId, current, sync_scope};
use percent_encoding::percent_decode_str;

use crate::{
    decode::fill,
    headers::SessionHeaders,
    verdict::{Candidates, Verdict},
};

/// The sources of the session's id, in the order in which they are read, and whether to insert it
/// into the extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    names: SessionHeaders,
    query_parameter: Option<String>,
    extension: bool,
}

impl Sources {
    pub(super) fn set_headers(&mut self, names: SessionHeaders) {
        self.names = names;
    }

    pub(super) fn set_query_parameter(&mut self, name: String) {
        self.query_parameter = Some(name);
    }

    pub(super) fn set_extension(&mut self) {
        self.extension = true;
    }

    pub(super) fn in_headers(&self, headers: &HeaderMap) -> Option<SessionId> {
        self.names.session_of(headers)
    }

    /// Returns the scope of a request, marks header values that contain a token as sensitive, and
    /// updates the extension.
    pub(super) fn read_and_mark<B>(&self, request: &mut Request<B>) -> Scope {
        let verdict = match self.names.read_and_mark(request.headers_mut()) {
            Verdict::Nothing => self.in_query(request.uri().query().unwrap_or_default()),
            verdict => verdict,
        };
        let scope = match verdict {
            Verdict::Session(id) => Scope::Session(id),
            Verdict::Contradiction => Scope::NoSession,
            Verdict::Nothing => Scope::Unset,
        };
        if self.extension {
            match sync_scope(scope, current) {
                Some(id) => request.extensions_mut().insert(id),
                None => request.extensions_mut().remove::<SessionId>(),
            };
        }
        scope
    }

    // Only ids are read. A token in a URL ends up in every log that contains the URL, and accepting
    // the token would hide this mistake.
    fn in_query(&self, query: &str) -> Verdict {
        let Some(name) = &self.query_parameter else {
            return Verdict::Nothing;
        };
        let mut found = Candidates::default();
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if decode(key).eq(name.bytes()) {
                let mut buffer = [0; SessionId::MAX_LEN];
                match fill(&mut buffer, decode(value)) {
                    Some(value) => found.add_plain(value),
                    None => found.add_malformed(),
                }
            }
        }
        found.verdict()
    }
}

// Decodes like a form: `+` is a space, and an invalid `%` sequence is kept.
fn decode(text: &str) -> impl Iterator<Item = u8> {
    text.split('+').enumerate().flat_map(|(at, part)| {
        let space = (at > 0).then_some(b' ');
        space.into_iter().chain(percent_decode_str(part))
    })
}
