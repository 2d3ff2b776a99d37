//! The writer uses the TLS provider that the process has installed, here one with a single cipher
//! suite.

use std::time::Duration;

use integration_tests::{StandIn, TlsProxy};
use openreplay_elastic::ElasticWriter;
use tokio_rustls::rustls::CipherSuite;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

#[test]
fn the_writer_uses_the_provider_that_the_process_has_installed() {
    let provider = CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256],
        ..ring::default_provider()
    };
    provider.install_default().unwrap();
    let server = StandIn::start();
    let tls = TlsProxy::start(server.address(), "127.0.0.1");
    let builder = ElasticWriter::builder(tls.url()).ca_pem(tls.authority());
    let (writer, guard) = builder.build().unwrap();
    writer.write_line(b"{}");
    assert!(guard.shutdown(Duration::from_secs(60)).is_complete());
    let suites = tls.cipher_suites();
    assert!(!suites.is_empty());
    let only = CipherSuite::TLS13_CHACHA20_POLY1305_SHA256;
    assert!(suites.iter().all(|suite| *suite == only), "{suites:?}");
}
