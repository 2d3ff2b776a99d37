use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use openreplay_buffer::{Diagnostics, Interval, Options};
use tokio::runtime::Runtime;

use super::ElasticWriter;
use super::guard::Guard;
use super::{Shared, worker};
use crate::bulk::{Delivery, Ids, Target};
use crate::topic;
use crate::transport::client::Client;
use crate::transport::connection::ConnectionBuilder;
use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;

/// A builder for an [`ElasticWriter`] and its [`Guard`].
#[derive(Debug)]
#[must_use = "nothing is sent before `build`"]
pub struct ElasticWriterBuilder {
    connection: ConnectionBuilder,
    buffer: Options,
    flush_interval: Duration,
    requests: usize,
    gzip: Option<u32>,
    shutdown_timeout: Duration,
    diagnostics: Diagnostics,
}

impl ElasticWriterBuilder {
    pub(super) fn new(connection: ConnectionBuilder) -> Self {
        Self {
            connection,
            buffer: Options::new("Elasticsearch"),
            flush_interval: Duration::from_secs(1),
            requests: 1,
            gzip: None,
            shutdown_timeout: Duration::from_secs(5),
            diagnostics: Diagnostics::to_stderr("openreplay-elastic"),
        }
    }

    /// Adds a node of the same cluster: see [`ConnectionBuilder::node`].
    pub fn node(self, url: impl Into<String>) -> Self {
        self.connection(|connection| connection.node(url))
    }

    /// Authenticates with an API key: see [`ConnectionBuilder::api_key`].
    pub fn api_key(self, encoded: impl AsRef<str>) -> Self {
        self.connection(|connection| connection.api_key(encoded))
    }

    /// Authenticates with the API key in a file, which may be replaced at any time: see
    /// [`ConnectionBuilder::api_key_file`].
    pub fn api_key_file(self, path: impl Into<PathBuf>) -> Self {
        self.connection(|connection| connection.api_key_file(path))
    }

    /// Authenticates as a user with the password in a file: see
    /// [`ConnectionBuilder::basic_file`].
    pub fn basic_file(self, user: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.connection(|connection| connection.basic_file(user, path))
    }

    /// Connects through a proxy: see [`ConnectionBuilder::proxy`].
    pub fn proxy(self, url: impl Into<String>) -> Self {
        self.connection(|connection| connection.proxy(url))
    }

    /// Connects directly, whatever proxy the environment names: see
    /// [`ConnectionBuilder::no_proxy`].
    pub fn no_proxy(self) -> Self {
        self.connection(ConnectionBuilder::no_proxy)
    }

    /// Authenticates with a client certificate: see [`ConnectionBuilder::client_cert_pem`].
    pub fn client_cert_pem(self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.connection(|connection| connection.client_cert_pem(certificate, key))
    }

    /// Authenticates as a user: see [`ConnectionBuilder::basic`].
    pub fn basic(self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        self.connection(|connection| connection.basic(user, password))
    }

    /// Authenticates with a bearer token: see [`ConnectionBuilder::bearer`].
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.connection(|connection| connection.bearer(token))
    }

    /// Trusts the certificates in this PEM text: see [`ConnectionBuilder::ca_pem`].
    pub fn ca_pem(self, pem: impl Into<Vec<u8>>) -> Self {
        self.connection(|connection| connection.ca_pem(pem))
    }

    /// Sets how long a node may take to accept a connection: see
    /// [`ConnectionBuilder::connect_timeout`].
    pub fn connect_timeout(self, limit: Duration) -> Self {
        self.connection(|connection| connection.connect_timeout(limit))
    }

    /// Sets how long a request may take. Records that get no response in time are sent again in
    /// halves: see [`ConnectionBuilder::request_timeout`].
    pub fn request_timeout(self, limit: Duration) -> Self {
        self.connection(|connection| connection.request_timeout(limit))
    }

    fn connection(mut self, change: impl FnOnce(ConnectionBuilder) -> ConnectionBuilder) -> Self {
        self.connection = change(self.connection);
        self
    }

    /// Sets the memory for records that wait or are in flight, in bytes. Default: 32 MiB, at least
    /// 64 KiB.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.buffer = self.buffer.memory_bytes(bytes);
        self
    }

    /// Sets how long records are gathered before they are sent. Default: 1 second. OpenReplay keeps
    /// the first non-empty response for a session, so it never shows records that arrive later.
    ///
    /// Intervals end at whole multiples of this length since 1970, at the same moments in all apps.
    /// The records of an interval are sent in the quarter of an interval that follows, at most a
    /// quarter of a second. So the hits of a session to which several apps write are in time order,
    /// as long as Elasticsearch keeps up.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Sets how many bytes of records are sent at once, before the interval ends. Default: 1 MiB.
    pub fn flush_bytes(mut self, bytes: usize) -> Self {
        self.buffer = self.buffer.request_bytes(bytes);
        self
    }

    /// Sets how many requests may be in flight at a time. Default: 1, which keeps the records in
    /// order.
    pub fn requests_in_flight(mut self, requests: usize) -> Self {
        self.requests = requests.max(1);
        self
    }

    /// Compresses requests, at a level from 1 to 9. Default: off.
    pub fn gzip(mut self, level: u32) -> Self {
        self.gzip = Some(level);
        self
    }

    /// Sets how long the [`Guard`] goes on sending the remaining records when it is dropped.
    /// Default: 5 seconds.
    pub fn shutdown_timeout(mut self, limit: Duration) -> Self {
        self.shutdown_timeout = limit;
        self
    }

    /// Sets the handler of diagnostics. Default: they are printed on standard error. Each topic is
    /// reported at once, then at most once per minute; the losses since then are reported at the
    /// end. The handler is called on the writer's own thread and must not block.
    pub fn on_diagnostic(mut self, handler: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.diagnostics = Diagnostics::to(handler);
        self
    }

    /// Starts the thread that sends. Needs no Tokio runtime, and does not connect yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if an address, a credential or a certificate cannot be used;
    /// [`ErrorKind::Io`] if the thread cannot start.
    pub fn build(self) -> Result<(ElasticWriter, Guard), Error> {
        let connection = self.connection.build()?;
        let mut deliveries = Vec::new();
        for _ in 0..self.requests {
            let target = Target::new(Client::new(&connection)?);
            deliveries.push(Delivery::new(target, self.gzip));
        }
        let ids = Ids::new(fastrand::u64(..));
        let shared = Arc::new(Shared::new(self.buffer, ids, self.diagnostics));
        let interval = Interval::new(self.flush_interval);
        let clear_text = connection.clear_text_node().map(str::to_owned);
        let sender = Arc::clone(&shared);
        let send = move |runtime| {
            if let Some(node) = clear_text {
                let text = format!("the credentials are sent to {node} in clear text; use https");
                sender.diagnostics().report(topic::CLEAR_TEXT, &text);
            }
            worker::run(&sender, deliveries, interval, runtime);
        };
        start(send).map_err(|error| {
            Error::new(
                ErrorKind::Io,
                "the thread that sends to Elasticsearch cannot start",
            )
            .with_source(error)
        })?;
        let guard = Guard::new(Arc::clone(&shared), self.shutdown_timeout);
        Ok((ElasticWriter { shared }, guard))
    }
}

/// Starts the thread that sends, and waits until its runtime exists.
fn start(send: impl FnOnce(Runtime) + Send + 'static) -> io::Result<()> {
    let (report, started) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("openreplay-elastic".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .build();
            match runtime {
                Ok(runtime) => {
                    let _ = report.send(Ok(()));
                    send(runtime);
                }
                Err(error) => {
                    let _ = report.send(Err(error));
                }
            }
        })?;
    started.recv().map_err(io::Error::other)?
}
