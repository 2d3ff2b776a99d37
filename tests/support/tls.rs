//! TLS in front of a server that speaks none, with a certificate of an authority made for it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Passes what comes in by TLS on to a target, and back, until dropped.
#[derive(Debug)]
pub struct TlsProxy {
    address: SocketAddr,
    authority: String,
    _runtime: Runtime,
}

impl TlsProxy {
    /// Listens on 127.0.0.1, with a certificate for `name`, which may be another host's.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn start(target: &str, name: &str) -> Self {
        Self::with(target, certified(name, false))
    }

    /// As [`start`](Self::start), with a certificate that has expired.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn start_expired(target: &str, name: &str) -> Self {
        Self::with(target, certified(name, true))
    }

    fn with(target: &str, (config, authority): (ServerConfig, String)) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let target = target.to_owned();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, target) = (acceptor.clone(), target.clone());
                tokio::spawn(async move {
                    // a client that does not trust the certificate hangs up
                    let mut client = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(target).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            address,
            authority,
            _runtime: runtime,
        }
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The authority's certificate, as PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// Writes `certificate.pem` and `key.pem` for a server that goes by this name. Returns the authority's certificate as PEM.
///
/// # Panics
///
/// When they cannot be written.
#[must_use]
pub fn write_certificate(folder: &Path, name: &str) -> String {
    let issued = Issued::to(name, false);
    let certificate = pem("CERTIFICATE", issued.certificate.der());
    fs::write(folder.join("certificate.pem"), certificate).expect("a file");
    let key = pem("PRIVATE KEY", &issued.key.serialize_der());
    fs::write(folder.join("key.pem"), key).expect("a file");
    issued.authority
}

/// A certificate, its key, and the certificate of its authority as PEM.
struct Issued {
    certificate: Certificate,
    key: KeyPair,
    authority: String,
}

impl Issued {
    fn to(name: &str, has_expired: bool) -> Self {
        let key = || KeyPair::generate().expect("ring makes keys");
        let mut authority = CertificateParams::default();
        // two of the same name would be told apart by their keys only
        let called = format!("the authority of {name}");
        authority
            .distinguished_name
            .push(DnType::CommonName, called);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = key();
        let itself = authority
            .self_signed(&authority_key)
            .expect("the key is good");
        let authority = Issuer::new(authority, authority_key);

        let server_key = key();
        let mut server =
            CertificateParams::new([name.to_owned()]).expect("a host's name or address");
        if has_expired {
            server.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let server = server
            .signed_by(&server_key, &authority)
            .expect("the keys are good");
        Self {
            certificate: server,
            key: server_key,
            authority: pem("CERTIFICATE", itself.der()),
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// What a server needs that goes by this name, and the authority's certificate as PEM.
fn certified(name: &str, has_expired: bool) -> (ServerConfig, String) {
    let issued = Issued::to(name, has_expired);
    let key = PrivateKeyDer::Pkcs8(issued.key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![issued.certificate.into()], key)
        .expect("the key belongs to the certificate");
    (config, issued.authority)
}
