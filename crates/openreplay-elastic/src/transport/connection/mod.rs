//! The addresses of Elasticsearch, and the credentials for it.
//!
//! ```
//! use openreplay_elastic::Connection;
//!
//! let connection = Connection::builder("https://elastic-1:9200")
//!     .node("https://elastic-2:9200")
//!     .api_key("VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==")
//!     .build()?;
//! assert_eq!(connection.nodes().collect::<Vec<_>>(), ["https://elastic-1:9200", "https://elastic-2:9200"]);
//! assert!(!format!("{connection:?}").contains("VnVh"));
//! # Ok::<(), openreplay_elastic::Error>(())
//! ```

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;

pub use self::auth::Auth;
pub(crate) use self::auth_file::AuthFile;
pub(crate) use self::identity::Identity;
pub(crate) use self::node::Node;
use self::proxy::ProxyChoice;
pub(crate) use self::proxy::{Proxies, Proxy};
use crate::transport::error::Error;

mod auth;
mod auth_file;
mod cloud;
mod identity;
mod node;
mod pem;
mod proxy;
#[cfg(test)]
mod tests;

/// The validated addresses and credentials for a [`Client`](crate::Client).
///
/// The `Debug` output shows the nodes and the kind of the credentials, never a secret.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(crate) nodes: Vec<Node>,
    pub(crate) auth: Auth,
    /// The file that the credentials come from, if there is one.
    pub(crate) auth_file: Option<AuthFile>,
    pub(crate) proxies: Proxies,
    pub(crate) identity: Option<Identity>,
    /// The only certificates to trust. If there are none, those of the system.
    pub(crate) certificates: Option<Vec<CertificateDer<'static>>>,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
}

impl Connection {
    /// Creates a builder with one node's address, such as `https://elastic:9200`.
    ///
    /// A user and a password in the address (`https://user:password@elastic:9200`) become the
    /// credentials and are not kept in the address.
    pub fn builder(url: impl Into<String>) -> ConnectionBuilder {
        ConnectionBuilder::default().node(url)
    }

    /// Creates a builder with an Elastic Cloud id, as the cloud console shows it.
    pub fn cloud(id: impl Into<String>) -> ConnectionBuilder {
        ConnectionBuilder {
            cloud_id: Some(id.into()),
            ..ConnectionBuilder::default()
        }
    }

    /// Returns the nodes' addresses, without credentials.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(Node::as_str)
    }

    /// Returns the credentials.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Returns the first address to which the credentials are sent in clear text: over http, to a
    /// host other than this machine.
    ///
    /// ```
    /// # use openreplay_elastic::Connection;
    /// let key = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==";
    /// let node = |url| Connection::builder(url).api_key(key).build().unwrap();
    /// assert_eq!(node("http://elastic:9200").clear_text_node(), Some("http://elastic:9200"));
    /// assert_eq!(node("https://elastic:9200").clear_text_node(), None);
    /// assert_eq!(node("http://localhost:9200").clear_text_node(), None);
    /// ```
    pub fn clear_text_node(&self) -> Option<&str> {
        clear_text_node(&self.nodes, &self.auth)
    }
}

/// Returns the first node that gets credentials over http, if its host is not this machine.
pub(super) fn clear_text_node<'a>(nodes: &'a [Node], auth: &Auth) -> Option<&'a str> {
    let mut remote = nodes
        .iter()
        .filter(|node| !node.is_https() && !node.is_loopback());
    remote.next().filter(|_| !auth.is_none()).map(Node::as_str)
}

/// A builder for a [`Connection`].
#[derive(Debug)]
#[must_use = "nothing is connected before `build`"]
pub struct ConnectionBuilder {
    urls: Vec<Secret>,
    cloud_id: Option<String>,
    auth: Option<Result<Auth, Error>>,
    auth_file: Option<AuthFile>,
    proxy: ProxyChoice,
    identity: Option<Result<Identity, Error>>,
    ca_pem: Option<Vec<u8>>,
    connect_timeout: Duration,
    request_timeout: Duration,
}

impl Default for ConnectionBuilder {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            cloud_id: None,
            auth: None,
            auth_file: None,
            proxy: ProxyChoice::default(),
            identity: None,
            ca_pem: None,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
        }
    }
}

impl ConnectionBuilder {
    /// Adds a node of the same cluster. If a node is unreachable, the next one is used.
    pub fn node(mut self, url: impl Into<String>) -> Self {
        self.urls.push(Secret(url.into()));
        self
    }

    /// Authenticates with an API key, in the form that Elasticsearch returns as `encoded`.
    /// `id:api_key` is accepted, too.
    pub fn api_key(self, encoded: impl AsRef<str>) -> Self {
        self.auth(Auth::api_key(encoded.as_ref()))
    }

    /// Authenticates as a user.
    pub fn basic(self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        self.auth(Auth::basic(user.as_ref(), password.as_ref()))
    }

    /// Authenticates with a bearer token, such as that of a service account.
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.auth(Auth::bearer(token.as_ref()))
    }

    /// Authenticates with the API key in this file, encoded or as `id:api_key`. The file is read
    /// again if Elasticsearch rejects the key (401), so a rotated key needs no restart.
    pub fn api_key_file(self, path: impl Into<PathBuf>) -> Self {
        self.auth_file(AuthFile::api_key(path.into()))
    }

    /// Authenticates as a user, with the password in this file. The file is read again if
    /// Elasticsearch rejects the password (401).
    pub fn basic_file(self, user: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.auth_file(AuthFile::password(user.into(), path.into()))
    }

    fn auth(mut self, auth: Result<Auth, Error>) -> Self {
        self.auth = Some(auth);
        self.auth_file = None;
        self
    }

    fn auth_file(mut self, file: AuthFile) -> Self {
        self.auth = None;
        self.auth_file = Some(file);
        self
    }

    /// Connects through this http proxy, such as `http://proxy:3128`. The address may contain a
    /// user and a password. https uses a tunnel (`CONNECT`). Connections to loopback addresses are
    /// always direct. Default: the variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
    /// `NO_PROXY`, in upper or lower case, as curl reads them.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyChoice::Url(Secret(url.into()));
        self
    }

    /// Connects directly and ignores these variables.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyChoice::None;
        self
    }

    /// Authenticates the connection with a client certificate, if it uses https. Both arguments are
    /// PEM texts: the certificate, followed by those of its authorities, and its private key, which
    /// must not have a passphrase.
    pub fn client_cert_pem(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.identity = Some(Identity::parse(certificate.as_ref(), key.as_ref()));
        self
    }

    /// Trusts the certificates in this PEM text, instead of those that the system trusts.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// Sets how long a node may take to accept a connection. Default: 5 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long a request may take, including its whole response. Default: 30 seconds. Records
    /// that get no response in time are sent again in halves, so a longer limit helps only if a
    /// single record takes too long.
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = limit;
        self
    }

    /// Checks all options. Does not connect yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if an address, a credential or a certificate
    /// cannot be used. The text names it and what is expected.
    pub fn build(self) -> Result<Connection, Error> {
        let auth = match &self.auth_file {
            Some(file) => Some(file.read()?),
            None => self.auth.transpose()?,
        };
        let (nodes, auth) = nodes(self.cloud_id.as_deref(), &self.urls, auth)?;
        let addresses: Vec<_> = nodes
            .iter()
            .map(|node| node.uri("/"))
            .collect::<Result<_, _>>()?;
        let proxies = self.proxy.build(&addresses)?;
        let certificates = self.ca_pem.as_deref().map(pem::certificates).transpose()?;
        Ok(Connection {
            nodes,
            auth: auth.unwrap_or_default(),
            auth_file: self.auth_file,
            proxies,
            identity: self.identity.transpose()?,
            certificates,
            connect_timeout: self.connect_timeout,
            request_timeout: self.request_timeout,
        })
    }
}

/// Returns the nodes, of which there is at least one, and the credentials: `auth`, or those in an
/// address.
fn nodes(
    cloud_id: Option<&str>,
    urls: &[Secret],
    mut auth: Option<Auth>,
) -> Result<(Vec<Node>, Option<Auth>), Error> {
    let mut nodes = Vec::new();
    if let Some(id) = cloud_id {
        nodes.push(cloud::node(id)?);
    }
    for Secret(url) in urls {
        let (node, user) = Node::parse(url)?;
        nodes.push(node);
        match (user, &auth) {
            (Some(user), None) => auth = Some(user),
            (Some(user), Some(given)) if user != *given => {
                return Err(Error::config(
                    "there are two different credentials, one of them in an address: keep only one",
                ));
            }
            _ => {}
        }
    }
    if nodes.is_empty() {
        return Err(Error::config(
            "there is no address: expected one such as https://elastic:9200",
        ));
    }
    Ok((nodes, auth))
}

/// An address as passed by the caller, which may contain a password.
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
