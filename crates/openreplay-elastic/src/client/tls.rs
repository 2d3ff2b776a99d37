use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::connection::{Connection, Node};
use crate::error::Error;

/// What to trust. Reads the system's certificates only where an address is https and no others are given.
pub(super) fn config(connection: &Connection) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = &connection.ca_pem {
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|error| {
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

/// The certificates in a PEM text, of which there has to be one at least.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = || {
        Error::config(
            "the certificates of the authority cannot be used: expected PEM text with at least one \
             `-----BEGIN CERTIFICATE-----`",
        )
    };
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong().with_source(error))?;
    if found.is_empty() {
        return Err(wrong());
    }
    Ok(found)
}

/// Whether TLS is what failed, somewhere down the causes.
pub(super) fn is_cause_of(error: &(dyn StdError + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // an `io::Error` gives the source of what it wraps, not what it wraps
    let inner = match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
        Some(Some(inner)) => Some(inner as &(dyn StdError + 'static)),
        _ => error.source(),
    };
    inner.is_some_and(is_cause_of)
}
