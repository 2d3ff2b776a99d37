use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use openreplay_elastic::admin::{Age, Size};
use openreplay_store::{Keys, Store, StoreService};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::allocator;
use crate::exit::{Failure, Outcome};
use crate::print;
use crate::signals;

/// Keep records on this machine and serve OpenReplay, without Elasticsearch
///
/// Apps and shippers send records to this server as they would to Elasticsearch, and
/// OpenReplay reads the records in exact time order. On its first start, the server
/// creates one key for OpenReplay and one for the apps, and prints both:
///
///   openreplay-elastic serve --data /var/lib/openreplay-store
///   openreplay-elastic serve --data . --listen 0.0.0.0:9200 --tls-cert c.pem --tls-key k.pem
///
/// The server stops on SIGTERM and on Ctrl-C. It can also be killed at any moment:
/// acknowledged records are on disk.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The folder for the records and the keys, which is created if it is missing [required]
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9200")]
    listen: SocketAddr,

    /// How long to keep records, such as 30d (or h, m, s); rounded up to whole days
    #[arg(long, value_name = "AGE", default_value = "14d")]
    max_age: Age,

    /// The maximum size of the records on disk: a whole number and kb, mb, gb or tb. If it is
    /// exceeded, the earliest days are deleted
    #[arg(long, value_name = "SIZE", default_value = "20gb")]
    max_size: Size,

    /// A PEM file with the certificate and those of its authorities, to serve https [default: http]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// A PEM file with the certificate's private key [default: http]
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Let every client search and add records without a key; only on a loopback address
    #[arg(long)]
    no_keys: bool,
}

/// How long open requests may continue after the signal to stop.
const GRACE: Duration = Duration::from_secs(3);
/// How long a client may take for a TLS handshake, and for the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a connection reads at a time. Many connections together must not take much memory.
const BUFFER: usize = 64 * 1024;

impl Args {
    pub(super) async fn run(&self, json: bool) -> Result<Outcome, Failure> {
        if self.no_keys && !self.listen.ip().is_loopback() {
            return Err(Failure::Usage(format!(
                "--no-keys on {} would let every client that reaches it read and write; leave it out, or listen on 127.0.0.1",
                self.listen
            )));
        }
        allocator::return_large_buffers();
        let tls = self.tls()?;
        // before the keys exist: only the start that creates them prints them
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            Failure::Usage(format!(
                "cannot listen on {}: {error}; choose another --listen",
                self.listen
            ))
        })?;
        let store = Store::builder(&self.data)
            .max_age(self.max_age.into())
            .max_bytes(self.max_size.bytes())
            .open()?;
        let is_new = !self.keys_file().exists();
        let keys = if self.no_keys {
            Keys::none()
        } else {
            Keys::open(&self.data)?
        };
        // A program that reads the address may stop the server at once.
        let signals = signals::install()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        self.introduce(&url, &keys, is_new, json)?;
        let stop = async {
            signals.stopped().await;
        };
        serve(listener, tls, store.service(keys), stop).await;
        // accepted records are on disk; this closes the files
        drop(store);
        print::note("stopped");
        Ok(Outcome::Done)
    }

    fn keys_file(&self) -> PathBuf {
        self.data.join("keys.json")
    }

    /// Prints the address and, on the first start, the keys. Secrets go to standard output only.
    fn introduce(&self, url: &str, keys: &Keys, is_new: bool, json: bool) -> Result<(), Failure> {
        let (openreplay, writer) = (keys.openreplay(), keys.writer());
        if json {
            print::json(&json!({
                "url": url,
                "id": openreplay.as_ref().map(|key| &key.id),
                "api_key": openreplay.as_ref().map(|key| &key.api_key),
                "encoded": openreplay.as_ref().map(openreplay_store::Key::encoded),
                "writer": writer.as_ref().map(openreplay_store::Key::encoded),
            }))?;
            return Ok(());
        }
        let (Some(openreplay), Some(writer)) = (openreplay, writer) else {
            print::note(&format!("listening on {url}, without keys"));
            return Ok(());
        };
        if !is_new {
            let file = print::path(&self.keys_file());
            print::note(&format!("listening on {url}; the keys are in {file}"));
            return Ok(());
        }
        print::form(&[
            ("URL", url),
            ("API Key ID", &openreplay.id),
            ("API Key", &openreplay.api_key),
            ("Indexes", "logs"),
        ])?;
        print::note(
            "\nThe URL must be one at which OpenReplay's own server reaches this machine. For the apps:\n",
        );
        print::line(&format!("  ELASTICSEARCH_URL={url}"))?;
        print::line(&format!("  ELASTICSEARCH_API_KEY={}", writer.encoded()))?;
        let file = print::path(&self.keys_file());
        print::note(&format!("\nBoth keys are in {file}.\nlistening on {url}"));
        Ok(())
    }

    fn tls(&self) -> Result<Option<TlsAcceptor>, Failure> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            if !self.listen.ip().is_loopback() {
                print::warning(
                    "clients send their keys in clear text; pass --tls-cert and --tls-key, or let only a proxy with TLS reach this address",
                );
            }
            return Ok(None);
        };
        let unusable = |path: &PathBuf, why: String| {
            Failure::Usage(format!("{} cannot be used: {why}", path.display()))
        };
        let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(certificate, error.to_string()))?;
        let private =
            PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(chain, private)
            })
            .map_err(|error| unusable(certificate, error.to_string()))?;
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}

/// Accepts connections until the signal to stop, then lets open requests finish.
async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: StoreService,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // such as too many open files: other connections may end
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        let (watcher, service) = (graceful.watcher(), service.clone());
        match &tls {
            None => {
                tokio::spawn(connection(stream, service, watcher));
            }
            Some(tls) => {
                let handshake = tokio::time::timeout(PATIENCE, tls.accept(stream));
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = handshake.await {
                        connection(stream, service, watcher).await;
                    }
                });
            }
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: StoreService,
    watcher: Watcher,
) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(BUFFER);
    let service = TowerToHyperService::new(service);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // a client that disconnects needs no response
    let _ = watcher.watch(connection).await;
}
