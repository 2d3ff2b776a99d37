//! A backend for the browser: `SessionLayer` and `json()` as an app has them, and next to
//! its records whatever the browser really sent.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    http::{Version, header},
    middleware,
    serve::Listener,
};
use integration_tests::{Lines, json::object};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot};
use tower_openreplay::SessionLayer;
use tracing_subscriber::prelude::*;

use crate::{bundle::bundle, ingest::Ingest, routes::routes, tls::TlsListener};

/// The versions of HTTP that a browser and the backend speak with each other.
pub(crate) const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

/// A running backend; it stops when dropped.
pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) ingest: Ingest,
    seen: Shared<Vec<Seen>>,
    log: Lines,
    _stop: oneshot::Sender<()>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) version: Version,
    headers: Vec<(String, String)>,
}

impl Seen {
    /// Every value of the header; its name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::start_with(SessionLayer::new(), |app| app)
    }

    /// With layers of the test's own around all else.
    pub(crate) fn start_with(
        session: SessionLayer,
        wrap: impl FnOnce(Router) -> Router + Send + 'static,
    ) -> Self {
        Self::serve("http", session, wrap, |listener| listener)
    }

    /// One that a browser speaks this version of HTTP with.
    pub(crate) fn start_over(version: Version, session: SessionLayer) -> Self {
        match version {
            Version::HTTP_2 => Self::serve("https", session, |app| app, TlsListener::new),
            _ => Self::start_with(session, |app| app),
        }
    }

    fn serve<L: Listener<Addr = SocketAddr>>(
        scheme: &str,
        session: SessionLayer,
        wrap: impl FnOnce(Router) -> Router + Send + 'static,
        listener: impl FnOnce(TcpListener) -> L + Send + 'static,
    ) -> Self {
        bundle();
        let (seen, log, ingest) = (
            Shared::<Vec<Seen>>::default(),
            Lines::default(),
            Ingest::default(),
        );
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::channel::<SocketAddr>();
        let app = wrap(routes(session, &ingest)).layer(middleware::from_fn({
            let seen = Arc::clone(&seen);
            move |request: Request, next: middleware::Next| {
                lock(&seen).push(Seen::from(&request));
                next.run(request)
            }
        }));
        let subscriber = tracing_subscriber::registry()
            .with(tracing_openreplay::json().with_writer(log.clone()))
            .with(tracing_subscriber::filter::LevelFilter::INFO);
        thread::spawn(move || {
            // one thread for all of it: the subscriber is this thread's, and so are the records
            // this site's
            let _guard = tracing::subscriber::set_default(subscriber);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime starts").block_on(async {
                let tcp = TcpListener::bind("127.0.0.1:0")
                    .await
                    .expect("a port is free");
                ready
                    .send(tcp.local_addr().expect("it is bound"))
                    .expect("the test waits");
                tokio::select! {
                    served = axum::serve(listener(tcp), app) => served.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        let address = address.recv().expect("the site starts");
        Self {
            url: format!("{scheme}://{address}"),
            ingest,
            seen,
            log,
            _stop: stop,
        }
    }

    /// The requests to this path, in their order.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = lock(&self.seen);
        seen.iter()
            .filter(|seen| seen.path == path)
            .cloned()
            .collect()
    }

    /// The one request to this path.
    #[track_caller]
    pub(crate) fn one(&self, path: &str) -> Seen {
        let [seen] = &self.seen(path)[..] else {
            panic!("not one request to {path}: {:#?}", self.seen(path))
        };
        seen.clone()
    }

    /// All that was logged, as text.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// The records with this message, once there are so many.
    #[track_caller]
    pub(crate) fn records(&self, message: &str, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let log = self.log();
            let records = log.lines().map(object);
            let found: Vec<_> = records
                .filter(|record| without_prefix(record) == message)
                .collect();
            if found.len() >= count {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "fewer than {count} of {message:?} in\n{log}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The session of the one record with this message; `Null` where it has none.
    #[track_caller]
    pub(crate) fn session_of(&self, message: &str) -> Value {
        let records = self.records(message, 1);
        assert_eq!(records.len(), 1, "{records:#?}");
        let session = records[0]["openReplaySession.id"].clone();
        if let Some(id) = session.as_str() {
            assert_eq!(
                records[0]["message"],
                format!("[openReplaySession.id={id}] {message}")
            );
        }
        session
    }
}

fn without_prefix(record: &Value) -> &str {
    let message = record["message"].as_str().expect("a record has a message");
    match message.split_once("] ") {
        Some((prefix, message)) if prefix.starts_with("[openReplaySession.id=") => message,
        _ => message,
    }
}

impl From<&Request> for Seen {
    fn from(request: &Request) -> Self {
        let text = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        };
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            version: request.version(),
            headers: request.headers().iter().map(text).collect(),
        }
    }
}

type Shared<T> = Arc<Mutex<T>>;

fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
