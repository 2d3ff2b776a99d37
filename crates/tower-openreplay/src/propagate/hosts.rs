use std::{error::Error, fmt, sync::Arc};

use http::{Uri, uri::Authority};

/// The hosts that receive the session.
#[derive(Clone, Debug)]
pub(super) enum Hosts {
    All,
    Named(Arc<[Host]>),
}

impl Hosts {
    pub(super) fn contain(&self, uri: &Uri) -> bool {
        match self {
            Self::All => true,
            Self::Named(hosts) => hosts.iter().any(|host| host.is_of(uri)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Host {
    name: Box<str>,
    port: Option<u16>,
}

impl Host {
    pub(super) fn parse(text: &str) -> Result<Self, HostError> {
        let error = || HostError {
            found: without_user(text),
        };
        let authority: Authority = text.parse().map_err(|_| error())?;
        let name = without_dot(authority.host());
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_v6 = name.starts_with('[') && name.ends_with(']');
        let port = authority.port_u16();
        // Only a port may follow the name. This rejects a user and a port out of range.
        let rest = text.strip_prefix(authority.host()).ok_or_else(error)?;
        let complete = match port {
            Some(_) => rest.starts_with(':'),
            None => rest.is_empty(),
        };
        if complete && !name.is_empty() && (is_v6 || name.bytes().all(is_name)) {
            Ok(Self {
                name: name.into(),
                port,
            })
        } else {
            Err(error())
        }
    }

    fn is_of(&self, uri: &Uri) -> bool {
        let same_name = uri
            .host()
            .is_some_and(|host| without_dot(host).eq_ignore_ascii_case(&self.name));
        same_name && (self.port.is_none() || self.port == port(uri))
    }
}

/// Hides what may be a user and a password.
fn without_user(text: &str) -> Box<str> {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}").into(),
        None => text.into(),
    }
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or_else(|| match uri.scheme_str() {
        Some("http" | "ws") => Some(80),
        Some("https" | "wss") => Some(443),
        _ => None,
    })
}

/// The error returned by [`to_hosts`](crate::PropagateSessionLayer::to_hosts) if a string is not a
/// host.
///
/// The message shows the string. Everything before the last `@` is replaced with `…`, since it may
/// contain a password.
///
/// ```
/// use tower_openreplay::PropagateSessionLayer;
///
/// let error = PropagateSessionLayer::to_hosts(["https://stock.internal/"]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#""https://stock.internal/" is not a host, expected a name or an address with an optional port, such as "stock.internal" or "10.0.0.7:8080""#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    found: Box<str>,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a host, expected a name or an address with an optional port, such as \"stock.internal\" or \"10.0.0.7:8080\"",
            self.found
        )
    }
}

impl Error for HostError {}
