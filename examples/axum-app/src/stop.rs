//! Serving until Ctrl-C or SIGTERM, and how long open connections may hold up the end.

use std::{future::pending, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, signal};

/// Requests under way get this long to finish.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn serve_until_told_to_stop(
    listener: TcpListener,
    app: Router,
) -> Result<(), String> {
    let server = axum::serve(listener, app).with_graceful_shutdown(told_to_stop());
    let too_slow = async {
        told_to_stop().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server => served.map_err(|error| error.to_string()),
        () = too_slow => {
            tracing::warn!("Some connections were still open after {GRACE:?}");
            Ok(())
        }
    }
}

async fn told_to_stop() {
    let ctrl_c = async {
        // where the signal cannot be caught, it ends the process by itself
        if signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    };

    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = pending();

    tokio::select! {
        () = ctrl_c => {}
        () = terminate => {}
    }
}
