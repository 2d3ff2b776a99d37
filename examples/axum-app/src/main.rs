//! An axum app whose log records OpenReplay shows next to the replay of the session that caused them.
//!
//! ```text
//! cargo run -p axum-app          then open http://127.0.0.1:3000
//! curl -i -H 'openReplaySession.id: 4950498349085463837' 127.0.0.1:3000/api/error
//! ```
//!
//! Where to look: `app.rs` for the layers and their order, `logs.rs` for the log, `routes.rs` for handlers that know
//! nothing of either. `page.rs`, `records.rs` and `tail.rs` are the page that shows it all, and nothing a
//! service needs.

mod app;
mod logs;
mod page;
mod records;
mod routes;
mod settings;
mod stop;
mod tail;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use tokio::net::TcpListener;

use crate::{settings::Settings, tail::Tail};

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
    let tail = Tail::default();
    let elasticsearch = logs::init(tail.clone(), settings.elasticsearch.as_ref())?;

    let served = serve(&settings, tail).await;
    // the last records are on their way: give them time
    if let Some(elasticsearch) = elasticsearch {
        elasticsearch.finish().await;
    }
    served
}

async fn serve(settings: &Settings, tail: Tail) -> Result<(), String> {
    let reader = settings
        .elasticsearch
        .as_ref()
        .map(logs::reader)
        .transpose()?;
    let app = app::app(settings, tail, reader);

    let listener = listen(&settings.listen_addr).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    tracing::info!("Listening on http://{address}");

    stop::serve_until_told_to_stop(listener, app).await?;
    tracing::info!("Stopped");
    Ok(())
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on `{address}`: {error}; set LISTEN_ADDR to an address that is free, such as 127.0.0.1:3001"
        )
    })
}
