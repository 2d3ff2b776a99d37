use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::transport::error::Error;

/// The certificate with which this client authenticates itself to the server, and its private key.
#[derive(Clone)]
pub(crate) struct Identity(Arc<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>);

impl Identity {
    pub(super) fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, Error> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| no_certificate().with_source(error))?;
        if chain.is_empty() {
            return Err(no_certificate());
        }
        // the cause is left out, since an error must contain nothing of the key
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            Error::config(
                "the client's private key cannot be used: expected PEM text with a `-----BEGIN PRIVATE KEY-----` that has no passphrase",
            )
        })?;
        Ok(Self(Arc::new((chain, key))))
    }

    pub(crate) fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let (chain, key) = &*self.0;
        (chain.clone(), key.clone_key())
    }
}

fn no_certificate() -> Error {
    Error::config(
        "the client's certificate cannot be used: expected PEM text with at least one `-----BEGIN CERTIFICATE-----`",
    )
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
