//! Where the records are kept: in a store inside the app or, if `ELASTICSEARCH_URL` is set, in
//! Elasticsearch.

use std::{path::Path, time::Duration};

use openreplay_elastic::{Client, ElasticWriter, admin::panel};
use openreplay_session::SessionId;
use openreplay_store::{Flushed, Keys, Store};
use serde_json::Value;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::settings::{Elasticsearch, Place};

/// OpenReplay requests at most this many records of a session.
const SHOWN: usize = 1_000;

/// What the records are read from.
#[derive(Clone)]
pub(crate) enum Kept {
    Store { store: Store, keys: Keys },
    Elasticsearch(Client),
}

/// What delivers the records in the background.
pub(crate) enum Delivery {
    Store(openreplay_store::Guard),
    Elasticsearch(openreplay_elastic::writer::Guard),
}

/// Opens the place: for the log to write to, for the page to read from, and for `main` to finish at
/// the end.
pub(crate) fn open(place: &Place) -> Result<(BoxMakeWriter, Kept, Delivery), String> {
    match place {
        Place::Store(folder) => open_store(folder).map_err(|error| {
            if error.is_locked() {
                // the error advises another folder
                format!("{error} with STORE_DIR")
            } else {
                format!("{error:?}; set STORE_DIR to keep the records in another folder")
            }
        }),
        Place::Elasticsearch(elasticsearch) => {
            connect(elasticsearch).map_err(|error| format!("ELASTICSEARCH_URL: {error}"))
        }
    }
}

fn open_store(folder: &Path) -> Result<(BoxMakeWriter, Kept, Delivery), openreplay_store::Error> {
    let store = Store::open(folder)?;
    let keys = Keys::open(folder)?;
    let (writer, guard) = store.writer()?;
    let kept = Kept::Store { store, keys };
    Ok((BoxMakeWriter::new(writer), kept, Delivery::Store(guard)))
}

fn connect(
    elasticsearch: &Elasticsearch,
) -> Result<(BoxMakeWriter, Kept, Delivery), openreplay_elastic::Error> {
    let (writer, guard) = ElasticWriter::with_connection(elasticsearch.connection()).build()?;
    let kept = Kept::Elasticsearch(Client::new(&elasticsearch.connection().build()?)?);
    let delivery = Delivery::Elasticsearch(guard);
    Ok((BoxMakeWriter::new(writer), kept, delivery))
}

impl Kept {
    /// The records of a session, as OpenReplay gets them.
    pub(crate) async fn records_of(&self, session: SessionId) -> Result<Vec<Value>, String> {
        match self {
            Self::Store { store, .. } => {
                let store = store.clone();
                let read = move || store.session(&session, SHOWN);
                let records = tokio::task::spawn_blocking(read).await;
                let records = records.map_err(|panicked| panicked.to_string())?;
                let records = records.map_err(|error| format!("the store: {error}"))?;
                let sources = records.iter().map(openreplay_store::Record::to_source);
                // only JSON objects are stored
                Ok(sources
                    .filter_map(|source| serde_json::from_str(&source).ok())
                    .collect())
            }
            Self::Elasticsearch(client) => match panel::session(client, &session).await {
                Ok(found) => Ok(found.sources()),
                Err(error) => Err(format!("Elasticsearch: {error}")),
            },
        }
    }
}

impl Delivery {
    /// Delivers the remaining records, for at most 5 seconds, and reports those that are left.
    pub(crate) async fn finish(self) {
        let limit = Duration::from_secs(5);
        let (place, shutdown): (_, Box<dyn FnOnce() -> Flushed + Send>) = match self {
            Self::Store(guard) => ("the store", Box::new(move || guard.shutdown(limit))),
            Self::Elasticsearch(guard) => {
                ("Elasticsearch", Box::new(move || guard.shutdown(limit)))
            }
        };
        match tokio::task::spawn_blocking(shutdown).await {
            Ok(flushed) if flushed.is_complete() => {}
            Ok(flushed) => eprintln!("axum-app: {} records did not reach {place}", flushed.left()),
            Err(panicked) => eprintln!("axum-app: {panicked}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_store_that_is_in_use_names_the_variable_for_another_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Store(folder.path().to_owned());
        let _first = open(&place).unwrap();
        let error = open(&place).err().unwrap();
        let advice = "; stop that process, or choose another folder with STORE_DIR";
        assert!(error.ends_with(advice), "{error}");
    }
}
