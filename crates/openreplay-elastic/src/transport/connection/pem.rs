use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::transport::error::Error;

/// Reads the certificates in a PEM text, at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
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
