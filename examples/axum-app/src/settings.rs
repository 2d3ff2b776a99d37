//! What the environment may set. Everything has a default: the app runs without any of it.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use axum::http::Uri;
use openreplay_elastic::{Connection, ConnectionBuilder};

/// Where OpenReplay serves its tracker for pages that have no build step.
const TRACKER_URL: &str = "https://static.openreplay.com/latest/openreplay.js";
/// Where OpenReplay's cloud takes recordings; for a self-hosted one, set `OPENREPLAY_INGEST_POINT`.
const INGEST_POINT: &str = "https://api.openreplay.com/ingest";

/// The app's settings.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `LISTEN_ADDR`
    pub(crate) listen_addr: String,
    /// Set with `OPENREPLAY_PROJECT_KEY`: the page then records its sessions with OpenReplay.
    pub(crate) tracker: Option<Tracker>,
    /// `STORE_DIR`, or `ELASTICSEARCH_URL` if it is set.
    pub(crate) place: Place,
}

/// Where the records are kept.
#[derive(Debug)]
pub(crate) enum Place {
    /// In a store in this folder.
    Store(PathBuf),
    Elasticsearch(Elasticsearch),
}

/// What the page needs to start OpenReplay's tracker.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    /// `OPENREPLAY_PROJECT_KEY`; public: every page that records carries it
    pub(crate) project_key: String,
    /// `OPENREPLAY_INGEST_POINT`
    pub(crate) ingest_point: AbsoluteUrl,
    /// `OPENREPLAY_TRACKER_URL`, if you serve the tracker yourself
    pub(crate) script: AbsoluteUrl,
}

impl Settings {
    pub(crate) fn from_env() -> Result<Self, String> {
        Self::read(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let or = |name, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
        let url = |name, default| AbsoluteUrl::parse(name, or(name, default));

        let tracker = match variable("OPENREPLAY_PROJECT_KEY") {
            Some(project_key) => Some(Tracker {
                project_key,
                ingest_point: url("OPENREPLAY_INGEST_POINT", INGEST_POINT)?,
                script: url("OPENREPLAY_TRACKER_URL", TRACKER_URL)?,
            }),
            None => None,
        };
        let place = match variable("ELASTICSEARCH_URL") {
            Some(url) => Place::Elasticsearch(Elasticsearch {
                url,
                api_key: variable("ELASTICSEARCH_API_KEY"),
            }),
            None => Place::Store(variable("STORE_DIR").map_or_else(default_folder, PathBuf::from)),
        };
        Ok(Self {
            listen_addr: or("LISTEN_ADDR", "127.0.0.1:3000"),
            tracker,
            place,
        })
    }
}

/// `target/axum-app-store`: cargo puts the program into `target/debug` or `target/release`.
fn default_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(2).unwrap_or(Path::new(""));
    target.join("axum-app-store")
}

/// Where Elasticsearch is, and the key to it.
pub(crate) struct Elasticsearch {
    url: String,
    /// `ELASTICSEARCH_API_KEY`, in its encoded form
    api_key: Option<String>,
}

impl Elasticsearch {
    pub(crate) fn connection(&self) -> ConnectionBuilder {
        let connection = Connection::builder(&self.url);
        match &self.api_key {
            Some(key) => connection.api_key(key),
            None => connection,
        }
    }
}

/// Shows nothing: the key is a secret, and the address can hold a password.
impl fmt::Debug for Elasticsearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elasticsearch").finish_non_exhaustive()
    }
}

/// An `http` or `https` URL, and its origin for the content security policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AbsoluteUrl {
    pub(crate) text: String,
    pub(crate) origin: String,
}

impl AbsoluteUrl {
    fn parse(name: &str, text: String) -> Result<Self, String> {
        let uri = text.parse::<Uri>().ok();
        match uri.as_ref().map(|uri| (uri.scheme_str(), uri.authority())) {
            Some((Some(scheme @ ("http" | "https")), Some(authority))) => {
                let origin = format!("{scheme}://{authority}");
                Ok(Self { text, origin })
            }
            _ => Err(format!(
                "{name} is `{text}`: set a complete address, such as {INGEST_POINT}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn needs_no_variable_at_all() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.listen_addr, "127.0.0.1:3000");
        assert!(settings.tracker.is_none());
        let Place::Store(folder) = settings.place else {
            panic!("{settings:?}");
        };
        assert!(folder.ends_with("axum-app-store"), "{folder:?}");
    }

    #[test]
    fn the_records_go_to_elasticsearch_or_to_the_folder_that_is_named() {
        let settings = read(&[("STORE_DIR", "here")]).unwrap();
        assert!(matches!(settings.place, Place::Store(folder) if folder == Path::new("here")));
        let settings = read(&[
            ("STORE_DIR", "here"),
            ("ELASTICSEARCH_URL", "http://u:secret@e"),
        ]);
        let settings = settings.unwrap();
        assert!(matches!(settings.place, Place::Elasticsearch(_)));
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn a_project_key_brings_the_tracker_with_its_origins() {
        let settings = read(&[
            ("OPENREPLAY_PROJECT_KEY", "key"),
            ("OPENREPLAY_INGEST_POINT", "https://replay.test:8443/ingest"),
        ]);
        let tracker = settings.unwrap().tracker.unwrap();
        assert_eq!(tracker.project_key, "key");
        assert_eq!(tracker.ingest_point.origin, "https://replay.test:8443");
        assert_eq!(tracker.script.origin, "https://static.openreplay.com");
    }

    #[test]
    fn an_ingest_point_that_is_no_whole_address_is_rejected_by_its_name() {
        let error = read(&[
            ("OPENREPLAY_PROJECT_KEY", "key"),
            ("OPENREPLAY_INGEST_POINT", "replay.test/ingest"),
        ]);
        assert_eq!(
            error.unwrap_err(),
            "OPENREPLAY_INGEST_POINT is `replay.test/ingest`: set a complete address, such as https://api.openreplay.com/ingest"
        );
    }
}
