use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::transport::connection::{Connection, Node};
use crate::transport::error::Error;

/// What to trust. Reads the system's certificates only where an address is https and no others are
/// given.
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
                 or give the authority's own",
            ));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("TLS cannot be set up").with_source(error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
