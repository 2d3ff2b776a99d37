//! The log: one record a line on stdout, errors and panics included; and the same to Elasticsearch, where there is one.

use std::time::Duration;

use openreplay_elastic::{Client, ElasticWriter, writer::Guard};
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt as _};

use crate::{settings::Elasticsearch, tail::Tail};

/// Writes every record to stdout, to the page's memory and to Elasticsearch.
///
/// Keep what it returns until the end: it sends the last records.
pub(crate) fn init(
    tail: Tail,
    elasticsearch: Option<&Elasticsearch>,
) -> Result<Option<Sending>, String> {
    let here = std::io::stdout.and(tail);
    let (writer, sending) = match elasticsearch {
        Some(elasticsearch) => {
            let builder = ElasticWriter::with_connection(elasticsearch.connection());
            let (there, guard) = builder.build().map_err(|error| named(&error))?;
            (BoxMakeWriter::new(here.and(there)), Some(Sending(guard)))
        }
        None => (BoxMakeWriter::new(here), None),
    };
    tracing_openreplay::json()
        .with_service_name("axum-app")
        .with_service_version(env!("CARGO_PKG_VERSION"))
        .with_writer(writer)
        .init();
    Ok(sending)
}

/// The records on their way to Elasticsearch.
pub(crate) struct Sending(Guard);

impl Sending {
    /// Waits for them, and reports the remaining records.
    pub(crate) async fn finish(self) {
        let finish = || self.0.shutdown(Duration::from_secs(5));
        match tokio::task::spawn_blocking(finish).await {
            Ok(sent) if sent.is_complete() => {}
            Ok(sent) => eprintln!(
                "axum-app: {} records did not reach Elasticsearch",
                sent.left()
            ),
            Err(panicked) => eprintln!("axum-app: {panicked}"),
        }
    }
}

/// What reads the records back for the page.
pub(crate) fn reader(elasticsearch: &Elasticsearch) -> Result<Client, String> {
    let connection = elasticsearch
        .connection()
        .build()
        .map_err(|error| named(&error))?;
    Client::new(&connection).map_err(|error| named(&error))
}

fn named(error: &openreplay_elastic::Error) -> String {
    format!("ELASTICSEARCH_URL: {error}")
}
