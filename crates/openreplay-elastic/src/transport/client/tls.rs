use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

use crate::transport::connection::{Connection, Identity, Node};
use crate::transport::error::Error;

/// Returns the TLS configuration of a connection. Reads the system's certificates only if an
/// address is https and the connection has no certificates of its own.
pub(super) fn config(connection: &Connection) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(certificates) = &connection.certificates {
        for certificate in certificates {
            roots.add(certificate.clone()).map_err(|error| {
                Error::config("a certificate of the authority cannot be used").with_source(error)
            })?;
        }
    } else if connection.nodes.iter().any(Node::is_https) {
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            return Err(Error::config(
                "this system has no certificates to trust: install its package of them (ca-certificates), \
                 or pass the authority's own",
            ));
        }
    }
    let builder = ClientConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("TLS cannot be set up").with_source(error))?
        .with_root_certificates(roots);
    match connection.identity.as_ref().map(Identity::parts) {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| {
            Error::config("the client's certificate and its private key do not belong together")
                .with_source(error)
        }),
    }
}

/// Returns the provider that the process has installed for all its libraries, or else ring.
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    match CryptoProvider::get_default() {
        Some(provider) => Ok(Arc::clone(provider)),
        #[cfg(feature = "ring")]
        None => Ok(Arc::new(rustls::crypto::ring::default_provider())),
        #[cfg(not(feature = "ring"))]
        None => Err(Error::config(
            "no TLS provider is installed: call `install_default()` of a `rustls::crypto::CryptoProvider` first, or enable the feature `ring`",
        )),
    }
}
