use http::{HeaderMap, Request};
use openreplay_session::{SessionId, current};
use percent_encoding::percent_decode_str;

use crate::{
    decode::fill,
    headers::{Candidates, SessionHeaders, Verdict},
};

/// Where the session's id is looked for, in this order, and where it is put.
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

    /// Returns the session that a request names. Marks the header values that hold a token as
    /// sensitive.
    pub(super) fn session<B>(&self, request: &mut Request<B>) -> Option<SessionId> {
        let session = match self.names.read_and_mark(request.headers_mut()) {
            Verdict::Session(id) => Some(id),
            Verdict::Contradiction => None,
            Verdict::Nothing => request.uri().query().and_then(|query| self.in_query(query)),
        };
        if self.extension {
            match session.or_else(current) {
                Some(id) => request.extensions_mut().insert(id),
                None => request.extensions_mut().remove::<SessionId>(),
            };
        }
        session
    }

    // ids only: a token in an address is in every log that has the address, and reading it would
    // hide that
    fn in_query(&self, query: &str) -> Option<SessionId> {
        let name = self.query_parameter.as_ref()?;
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
        found.verdict().session()
    }
}

// as a form is decoded: `+` is a space, a broken `%` stands for itself
fn decode(text: &str) -> impl Iterator<Item = u8> {
    text.split('+').enumerate().flat_map(|(at, part)| {
        let space = (at > 0).then_some(b' ');
        space.into_iter().chain(percent_decode_str(part))
    })
}
