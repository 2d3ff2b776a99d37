//! TLS in front of a server without TLS, with a certificate of an authority of its own.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{CipherSuite, RootCertStore, ServerConfig};

/// Accepts TLS connections and forwards them to a target, until dropped.
#[derive(Debug)]
pub struct TlsProxy {
    address: SocketAddr,
    authority: String,
    suites: Suites,
    _runtime: Runtime,
}

/// The years in which certificates expire.
const VALID: i32 = 4_000;
const EXPIRED: i32 = 2_020;

/// The cipher suite of each connection.
type Suites = Arc<Mutex<Vec<CipherSuite>>>;

/// The certificate of a client, and its private key, as PEM.
#[derive(Debug)]
pub struct ClientCertificate {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl TlsProxy {
    /// Listens on 127.0.0.1, with a certificate for `name`, which may be another host's.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(target: &str, name: &str) -> Self {
        Self::of(target, &Authority::new(name), name, VALID)
    }

    /// As [`start`](Self::start), with a certificate that has expired.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start_expired(target: &str, name: &str) -> Self {
        Self::of(target, &Authority::new(name), name, EXPIRED)
    }

    /// As [`start`](Self::start), but requires the client certificate that it returns.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn demanding_certificates(target: &str, name: &str) -> (Self, ClientCertificate) {
        let authority = Authority::new(name);
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.clone()).expect("it is one");
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let config = authority.server(name, VALID, verifier.build().expect("there is a root"));
        let client = authority.client();
        (Self::with(target, config, authority.pem), client)
    }

    fn of(target: &str, authority: &Authority, name: &str, end: i32) -> Self {
        let config = authority.server(name, end, WebPkiClientVerifier::no_client_auth());
        Self::with(target, config, authority.pem.clone())
    }

    fn with(target: &str, config: ServerConfig, authority: String) -> Self {
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
        let (target, suites) = (target.to_owned(), Suites::default());
        let seen = Arc::clone(&suites);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, target) = (acceptor.clone(), target.clone());
                tokio::spawn(forward(acceptor, client, target, Arc::clone(&seen)));
            }
        });
        Self {
            address,
            authority,
            suites,
            _runtime: runtime,
        }
    }

    /// Returns `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Returns the cipher suite of each connection so far.
    #[must_use]
    pub fn cipher_suites(&self) -> Vec<CipherSuite> {
        lock(&self.suites).clone()
    }

    /// Returns the authority's certificate, as PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// Writes `certificate.pem` and `key.pem` for a server of this name. Returns the authority's
/// certificate as PEM.
///
/// # Panics
///
/// If they cannot be written.
#[must_use]
pub fn write_certificate(folder: &Path, name: &str) -> String {
    let authority = Authority::new(name);
    let (certificate, key) = authority.issue(name, VALID);
    let certificate = pem("CERTIFICATE", certificate.der());
    fs::write(folder.join("certificate.pem"), certificate).expect("a file");
    let key = pem("PRIVATE KEY", &key.serialize_der());
    fs::write(folder.join("key.pem"), key).expect("a file");
    authority.pem
}

async fn forward(
    acceptor: TlsAcceptor,
    client: TcpStream,
    target: String,
    suites: Suites,
) -> io::Result<(u64, u64)> {
    // a client that does not trust the certificate hangs up
    let mut client = acceptor.accept(client).await?;
    if let Some(suite) = client.get_ref().1.negotiated_cipher_suite() {
        lock(&suites).push(suite.suite());
    }
    let mut server = TcpStream::connect(target).await?;
    copy_bidirectional(&mut client, &mut server).await
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        // two authorities of the same name would differ in their keys only
        let called = format!("the authority of {name}");
        params.distinguished_name.push(DnType::CommonName, called);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = key();
        let itself = params.self_signed(&key).expect("the key is good");
        Self {
            pem: pem("CERTIFICATE", itself.der()),
            certificate: itself.into(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Issues a certificate for a host's name or address, valid until this year, and its key.
    fn issue(&self, name: &str, end: i32) -> (Certificate, KeyPair) {
        let key = key();
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_after = rcgen::date_time_ymd(end, 1, 1);
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("the keys are good");
        (certificate, key)
    }

    /// Returns the TLS configuration of a server of this name.
    fn server(&self, name: &str, end: i32, verifier: Arc<dyn ClientCertVerifier>) -> ServerConfig {
        let (certificate, key) = self.issue(name, end);
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.into()], key)
            .expect("the key belongs to the certificate")
    }

    fn client(&self) -> ClientCertificate {
        let (certificate, key) = self.issue("a client", VALID);
        ClientCertificate {
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
        }
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("ring generates keys")
}

fn pem(what: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {what}-----\n{text}\n-----END {what}-----\n")
}
