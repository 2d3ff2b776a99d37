//! An axum app whose log records OpenReplay shows next to the replay of the session that caused
//! them.
//!
//! ```text
//! cargo run -p axum-app          then open http://127.0.0.1:3000
//! curl -i -H 'openReplaySession.id: 4950498349085463837' 127.0.0.1:3000/api/error
//! ```
//!
//! Where to look: `app.rs` for the layers and their order, `kept.rs` for the store, `logs.rs` for
//! the log, `routes.rs` for handlers that know nothing of any of them. `page.rs` and `records.rs`
//! are the page that shows it all, and nothing a service needs.

mod app;
mod kept;
mod logs;
mod page;
mod records;
mod routes;
mod settings;
mod stop;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use tokio::net::TcpListener;

use crate::{
    kept::Kept,
    settings::{Place, Settings},
};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("axum-app: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let settings = Settings::from_env()?;
    let listener = listen(&settings.listen_addr).await?;
    let url = listener.local_addr().map_err(|error| error.to_string())?;
    let url = format!("http://{url}");
    let (writer, kept, delivery) = kept::open(&settings.place)?;
    logs::init(writer);
    introduce(&url, &settings.place, &kept);

    tracing::info!("Listening on {url}");
    let app = app::app(settings.tracker.as_ref(), kept);
    let served = stop::serve_until_told_to_stop(listener, app).await;
    if served.is_ok() {
        tracing::info!("Stopped");
    }
    // the last records are on their way
    delivery.finish().await;
    served
}

/// Prints where the records are and what to paste into OpenReplay's form. Not to the log: the key
/// is a secret.
fn introduce(url: &str, place: &Place, kept: &Kept) {
    let (Place::Store(folder), Kept::Store { keys, .. }) = (place, kept) else {
        return;
    };
    eprintln!("The records are kept in {}", folder.display());
    if let Some(key) = keys.openreplay() {
        eprintln!("In OpenReplay: Preferences, Integrations, Elasticsearch; then \"Add\":");
        eprintln!("  URL         {url}/openreplay");
        eprintln!("  API Key ID  {}", key.id);
        eprintln!("  API Key     {}", key.api_key);
        eprintln!("  Indexes     logs");
    }
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on `{address}`: {error}; set LISTEN_ADDR to an address that is free, such as 127.0.0.1:3001"
        )
    })
}
