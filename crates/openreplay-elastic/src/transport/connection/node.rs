use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

use super::Auth;
use crate::transport::error::Error;

/// The address of a node, without credentials: scheme, host, port, and the path under which a proxy
/// may serve it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Node {
    base: String,
}

impl Node {
    /// Parses an address. Returns the credentials in it separately.
    pub(super) fn parse(url: &str) -> Result<(Self, Option<Auth>), Error> {
        let url = url.trim();
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(Error::config(
                "an address has no scheme: expected one such as https://elastic:9200",
            ));
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains('@') {
            // probably part of a password, so it is not shown
            return Err(Error::config(
                "an address has an `@` after its host: a `/`, `?` or `#` in a password must be written `%2F`, \
                 `%3F` or `%23`",
            ));
        }
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let base = format!("{scheme}://{host}{path}");
        Ok((Self::checked(&base)?, user.map(credentials).transpose()?))
    }

    pub(super) fn checked(base: &str) -> Result<Self, Error> {
        // the text around scheme and host may be a misplaced password or key, so it is not shown
        let wrong = |what: &str| {
            Error::config(format!(
                "an address {what}: expected one such as https://elastic:9200"
            ))
        };
        let uri: Uri = base
            .parse()
            .map_err(|error: http::uri::InvalidUri| wrong("cannot be read").with_source(error))?;
        let scheme = uri
            .scheme()
            .filter(|scheme| **scheme == Scheme::HTTP || **scheme == Scheme::HTTPS);
        let Some(scheme) = scheme else {
            return Err(wrong("is neither http nor https"));
        };
        let Some(authority) = uri
            .authority()
            .filter(|authority| !authority.host().is_empty())
        else {
            return Err(wrong("has no host"));
        };
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err(wrong("has no port from 1 to 65535 after its colon"));
        }
        if uri.query().is_some() || base.contains('#') {
            return Err(Error::config(format!(
                "the address of {scheme}://{} has a query or a fragment: expected one such as https://elastic:9200",
                authority.host()
            )));
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Self {
            base: format!("{scheme}://{authority}{path}"),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.base
    }

    /// Returns whether the address has a path, under which Elasticsearch is served.
    pub(crate) fn has_path(&self) -> bool {
        self.base.matches('/').count() > 2
    }

    /// Returns whether the host is this machine: `localhost`, a subdomain of it, or a loopback
    /// address.
    pub(crate) fn is_loopback(&self) -> bool {
        let uri: Option<Uri> = self.base.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
        let address: Option<IpAddr> = host.parse().ok();
        address.is_some_and(|address| address.to_canonical().is_loopback())
            || host.eq_ignore_ascii_case("localhost")
            || host.to_ascii_lowercase().ends_with(".localhost")
    }

    pub(crate) fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// Returns the address of a request. `path` starts with a slash.
    pub(crate) fn uri(&self, path: &str) -> Result<Uri, Error> {
        format!("{}{path}", self.base)
            .parse()
            .map_err(|error: http::uri::InvalidUri| {
                Error::config(format!("the path {path:?} cannot be part of an address"))
                    .with_source(error)
            })
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

fn credentials(user_info: &str) -> Result<Auth, Error> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    match (decoded(user), decoded(password)) {
        (Some(user), Some(password)) => Auth::basic(&user, &password),
        _ => Err(Error::config(
            "the user or the password in an address is not percent-encoded UTF-8",
        )),
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            let digits = str::from_utf8(digits)
                .ok()
                .filter(|digits| !digits.starts_with('+'))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}
