//! What the app does. The handlers log as in any app. They mention the session only to hand it to
//! spawned work.

use std::{convert::Infallible, fmt, io, time::Duration};

use axum::{
    Router,
    http::StatusCode,
    response::sse::{Event, Sse},
    routing::get,
};
use futures_util::{Stream, stream};
use openreplay_session::{InCurrentSession as _, in_current_session};
use tower_openreplay::Failure;
use tracing::{info, warn};

pub(crate) fn api() -> Router {
    Router::new()
        .route("/api/endpoint", get(endpoint))
        .route("/api/error", get(error))
        .route("/api/panic", get(panic))
        .route("/api/spawn", get(spawn))
        .route("/api/stream", get(stream))
}

async fn endpoint() -> &'static str {
    info!("Endpoint accessed");
    "Success"
}

/// Logged once with its causes, by `RequestLogLayer`. The client gets a bare 500.
async fn error() -> Result<&'static str, Failure> {
    warn!(order = 1042, attempts = 3, "The price service is slow");
    price_of_order(1042)?;
    Ok("Success")
}

/// Logged by the panic hook, and turned into a response by `CatchPanicLayer`: see `app.rs`.
async fn panic() -> String {
    let prices: Vec<u32> = Vec::new();
    format!("The cheapest costs {}", prices[0])
}

/// Work that outlives the request: `in_current_session()` hands the session on to it.
async fn spawn() -> (StatusCode, &'static str) {
    tokio::spawn(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            info!("Confirmation sent, from a spawned task");
        }
        .in_current_session(),
    );
    tokio::task::spawn_blocking(in_current_session(|| {
        info!("Invoice rendered, on a blocking thread");
    }));
    (StatusCode::ACCEPTED, "Accepted")
}

/// Server-sent events; the stream runs, and logs, long after this function has returned.
async fn stream() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let progress = Progress { sent: 0 };
    Sse::new(stream::unfold(progress, |mut progress| async move {
        if progress.sent == Progress::STEPS {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        progress.sent += 1;
        info!("Export: step {} of {}", progress.sent, Progress::STEPS);
        let event = Event::default()
            .event("step")
            .data(progress.sent.to_string());
        Some((Ok(event), progress))
    }))
}

/// How far an export has come. When the client hangs up, its drop is the last to log, and still in
/// the session.
struct Progress {
    sent: u32,
}

impl Progress {
    const STEPS: u32 = 5;
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.sent < Self::STEPS {
            warn!("Export: the client left after step {}", self.sent);
        }
    }
}

fn price_of_order(order: u32) -> Result<u32, PriceError> {
    let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
    Err(PriceError {
        order,
        cause: refused,
    })
}

#[derive(Debug)]
struct PriceError {
    order: u32,
    cause: io::Error,
}

impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no price for order {}", self.order)
    }
}

impl std::error::Error for PriceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
