use http::{HeaderMap, HeaderName, Request};
use openreplay_session::SessionId;
use percent_encoding::percent_decode_str;

use crate::names::{OPENREPLAY_SESSION_ID, TOKEN_HEADERS, is_token};

/// Where the session's id is looked for, in this order.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    id_header: HeaderName,
    token_headers: Vec<HeaderName>,
    query_parameter: Option<String>,
    /// The length of the shortest header name, the default ones included: passes over most headers of a browser at once.
    shortest: usize,
}

impl Default for Sources {
    fn default() -> Self {
        let mut sources = Self {
            id_header: OPENREPLAY_SESSION_ID,
            token_headers: Vec::new(),
            query_parameter: None,
            shortest: 0,
        };
        sources.set_token_headers(TOKEN_HEADERS.to_vec());
        sources
    }
}

impl Sources {
    pub(super) fn set_id_header(&mut self, name: HeaderName) {
        self.id_header = name;
        self.measure();
    }

    pub(super) fn set_token_headers(&mut self, names: Vec<HeaderName>) {
        self.token_headers = names;
        self.measure();
    }

    pub(super) fn set_query_parameter(&mut self, name: String) {
        self.query_parameter = Some(name);
    }

    fn measure(&mut self) {
        // of the default names the id's is the shortest
        let default = OPENREPLAY_SESSION_ID.as_str().len();
        let lens = self.token_headers.iter().map(|name| name.as_str().len());
        self.shortest = lens.fold(default.min(self.id_header.as_str().len()), usize::min);
    }

    /// The session of a request. Marks the header values that hold a token as sensitive, those that it does not read, too.
    pub(super) fn session<B>(&self, request: &mut Request<B>) -> Option<SessionId> {
        self.in_headers(request.headers_mut())
            .or_else(|| self.in_query(request.uri().query()?))
    }

    // one pass: for the few headers of a request faster than to hash three names
    fn in_headers(&self, headers: &mut HeaderMap) -> Option<SessionId> {
        let mut id = Found::default();
        let mut token: Option<(usize, SessionId)> = None;
        for (name, value) in headers.iter_mut() {
            if name.as_str().len() < self.shortest {
                continue;
            }
            if *name == self.id_header {
                // a value that is an id needs no search for commas and dots
                if let Ok(session) = SessionId::try_from(value.as_bytes()) {
                    id.add_id(session);
                    continue;
                }
                if is_token(value.as_bytes()) {
                    value.set_sensitive(true);
                }
                pieces(value.as_bytes()).for_each(|piece| id.add(piece));
            } else if let Some(rank) = self.token_headers.iter().position(|header| header == name) {
                value.set_sensitive(true);
                if let Some(session) = last_token(value.as_bytes())
                    && token.is_none_or(|(other, _)| rank <= other)
                {
                    token = Some((rank, session));
                }
            } else if TOKEN_HEADERS.contains(name)
                || *name == OPENREPLAY_SESSION_ID && is_token(value.as_bytes())
            {
                value.set_sensitive(true);
            }
        }
        id.session().or(token.map(|(_, session)| session))
    }

    // ids only: a token in an address is in every log that has the address, and reading it would hide that
    fn in_query(&self, query: &str) -> Option<SessionId> {
        let name = self.query_parameter.as_ref()?;
        let mut found = Found::default();
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if decode(key).eq(name.bytes()) {
                let mut buffer = [0; SessionId::MAX_LEN];
                match fill(&mut buffer, decode(value)) {
                    Some(value) => found.add_plain(value),
                    None => found.malformed = true,
                }
            }
        }
        found.session()
    }
}

/// What the values under one name say together.
#[derive(Default)]
struct Found {
    token: Option<SessionId>,
    id: Option<SessionId>,
    malformed: bool,
}

impl Found {
    fn add(&mut self, value: &[u8]) {
        if !is_token(value) {
            return self.add_plain(value);
        }
        match SessionId::from_token(value) {
            Ok(id) => self.token = Some(id),
            Err(_) => self.malformed = true,
        }
    }

    fn add_plain(&mut self, value: &[u8]) {
        match SessionId::try_from(value) {
            Ok(id) => self.add_id(id),
            Err(error) if error.is_absent() => {}
            Err(_) => self.malformed = true,
        }
    }

    fn add_id(&mut self, id: SessionId) {
        if self.id.is_none_or(|other| other == id) {
            self.id = Some(id);
        } else {
            self.malformed = true;
        }
    }

    fn session(self) -> Option<SessionId> {
        self.token.or(self.id.filter(|_| !self.malformed))
    }
}

fn last_token(value: &[u8]) -> Option<SessionId> {
    // mostly there is one, and nothing else
    let alone = SessionId::from_token(value).ok();
    alone.or_else(|| {
        pieces(value)
            .filter_map(|piece| SessionId::from_token(piece).ok())
            .last()
    })
}

fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

// as a form is decoded: `+` is a space, a broken `%` stands for itself
fn decode(text: &str) -> impl Iterator<Item = u8> {
    text.split('+').enumerate().flat_map(|(at, part)| {
        let space = (at > 0).then_some(b' ');
        space.into_iter().chain(percent_decode_str(part))
    })
}

fn fill(buffer: &mut [u8], bytes: impl Iterator<Item = u8>) -> Option<&[u8]> {
    let mut len = 0;
    for byte in bytes {
        *buffer.get_mut(len)? = byte;
        len += 1;
    }
    Some(&buffer[..len])
}
