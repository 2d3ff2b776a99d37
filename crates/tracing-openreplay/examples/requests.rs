//! Logs in two concurrent sessions, with spawned work: `cargo run -p tracing-openreplay --example
//! requests`
//!
//! Each line on standard output is a record with the session that caused it.

use std::{error::Error, io};

use openreplay_session::{InCurrentSession as _, SessionId, scope};
use tracing::{Instrument as _, error, info, info_span};

#[tokio::main]
async fn main() {
    tracing_openreplay::json()
        .with_service_name("requests")
        .init();

    info!("no session yet");
    // In a web service, `tower_openreplay::SessionLayer` does this.
    let anna = scope(SessionId::from(4_950_498_349_085_463_837), request("anna"));
    let bob = scope(SessionId::from(4_950_498_349_085_463_838), request("bob"));
    tokio::join!(anna, bob);
}

async fn request(user: &'static str) {
    let span = info_span!("request", user);
    async {
        info!("Endpoint accessed");
        let by_session = tokio::spawn(async { info!("spawned") }.in_current_session());
        let by_span = tokio::spawn(async { info!("spawned in the span") }.in_current_span());
        // The panic is logged as well, and only ends this task.
        let broken = tokio::spawn(async { panic!("out of stock") }.in_current_session());
        let _ = tokio::join!(by_session, by_span, broken);

        let failure = io::Error::from(io::ErrorKind::ConnectionRefused);
        error!(error = &failure as &dyn Error, "Error: no answer");
    }
    .instrument(span)
    .await;
}
