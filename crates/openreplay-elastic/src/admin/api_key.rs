//! Creates the API key that OpenReplay reads with.
//!
//! ```no_run
//! use openreplay_elastic::admin::api_key::{self, ApiKeyOptions};
//!
//! # async fn example(client: openreplay_elastic::Client) -> Result<(), openreplay_elastic::Error> {
//! let key = api_key::create(&client, &ApiKeyOptions::reader()).await?;
//! println!("API Key ID: {}", key.id);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::admin::api;
use crate::admin::engine::{Engine, Flavor};
use crate::admin::units::Age;
use crate::numbered::{LOGS, is_index_name};
use crate::transport::client::{Client, Response};
use crate::transport::error::Error;
use crate::transport::kind::{ErrorKind, Precondition};

/// The indices that [`setup`](crate::admin::setup) and [`rotate`](crate::admin::rotate) name, and
/// Elasticsearch's own rollover: `logs-` and six digits, seven in the end. As a regular expression
/// it leaves other people's `logs-20260701` and `logs-app-default` alone.
const BEHIND: &str = "/logs-[0-9]{6,7}/";

/// What the key may do, and for how long.
#[derive(Clone, Debug)]
pub struct ApiKeyOptions {
    role: Role,
    indices: Vec<String>,
    expires_in: Option<Age>,
}

#[derive(Clone, Copy, Debug)]
enum Role {
    Reader,
    Documented,
    Writer { reads: bool },
}

impl ApiKeyOptions {
    /// For OpenReplay: it may read `logs` and nothing else, which is all that OpenReplay needs.
    #[must_use]
    pub fn reader() -> Self {
        Self::new(Role::Reader, &[LOGS])
    }

    /// For OpenReplay: exactly the key of its documentation. Its holder can administer the
    /// whole cluster.
    #[must_use]
    pub fn documented() -> Self {
        Self::new(Role::Documented, &["*log*"])
    }

    /// For the app and for `ship`: it may add records to `logs`, and neither read nor change any.
    /// It names the indices behind too, since a batch is repeated to the very index that it first
    /// went to.
    #[must_use]
    pub fn writer() -> Self {
        Self::new(Role::Writer { reads: false }, &[LOGS, BEHIND])
    }

    fn new(role: Role, indices: &[&str]) -> Self {
        Self {
            role,
            indices: indices.iter().map(|&name| name.to_owned()).collect(),
            expires_in: None,
        }
    }

    /// Adds a further index or alias. Default: `logs` alone.
    #[must_use]
    pub fn index(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !self.indices.contains(&name) {
            self.indices.push(name);
        }
        self
    }

    /// Allows a [`writer`](Self::writer)'s key to read, too, for an app that shows its own records.
    /// Default: off.
    #[must_use]
    pub fn allow_read(mut self) -> Self {
        if let Role::Writer { reads } = &mut self.role {
            *reads = true;
        }
        self
    }

    /// Sets an expiry. Takes a [`Duration`] or an [`Age`]. Default: never.
    #[must_use]
    pub fn expires_in(mut self, age: impl Into<Age>) -> Self {
        self.expires_in = Some(age.into());
        self
    }

    fn body(&self) -> Result<Value, Error> {
        self.check()?;
        let (name, role) = match self.role {
            Role::Reader | Role::Documented => ("openreplay-api-key", "openreplay-role"),
            Role::Writer { .. } => ("openreplay-writer", "openreplay-writer-role"),
        };
        let privileges = match self.role {
            Role::Reader | Role::Documented => &["read"][..],
            Role::Writer { reads: false } => &["create_doc"],
            Role::Writer { reads: true } => &["create_doc", "read"],
        };
        let cluster = match self.role {
            Role::Documented => &["all"][..],
            Role::Reader | Role::Writer { .. } => &[],
        };
        let indices = json!([{"names": self.indices, "privileges": privileges}]);
        let mut body = json!({
            "name": name,
            "role_descriptors": {role: {"cluster": cluster, "indices": indices}},
        });
        if let Some(age) = self.expires_in {
            body["expiration"] = age.to_string().into();
        }
        Ok(body)
    }

    /// Fails if the key could not be created, or could not be used.
    fn check(&self) -> Result<(), Error> {
        if let Some(name) = self
            .indices
            .iter()
            .find(|name| *name != BEHIND && !is_index_name(&name.replace('*', "x")))
        {
            return Err(Error::config(format!(
                "{name:?} cannot be an index's name: expected one without spaces, commas or slashes"
            )));
        }
        if self
            .expires_in
            .is_some_and(|age| Duration::from(age).is_zero())
        {
            return Err(Error::config(
                "the expiry is 0; expected a time such as 90d",
            ));
        }
        Ok(())
    }
}

/// A new key. Its `Debug` text leaves the secret out.
#[derive(Clone, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// The field "API Key ID" of OpenReplay's form.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it expires, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<u64>,
    /// The field "API Key".
    pub api_key: String,
    /// Both in one, as this crate's [`Connection`](crate::Connection) takes them.
    pub encoded: String,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

/// Creates a key. Each call creates another one.
///
/// # Errors
///
/// [`is_precondition`](Error::is_precondition) if security is off, so that the engine has no keys;
/// [`is_forbidden`](Error::is_forbidden) if the caller lacks the privilege;
/// [`is_config`](Error::is_config) for options that no key can have. Elasticsearch rejects requests
/// with an API key: a key cannot create keys with privileges.
pub async fn create(client: &Client, options: &ApiKeyOptions) -> Result<ApiKey, Error> {
    let body = options.body()?;
    match api::send(client, Method::POST, "/_security/api_key", &body).await {
        Ok(response) => valid(&response),
        Err(error) if error.is_not_found() && is_store(client).await => Err(error.explained(
            "a key of openreplay-store is created in the store's folder: run `openreplay-elastic api-key --data DIR` on its machine, \
             with --writer for the key of an app or `ship`",
        )),
        Err(error) if is_no_security(&error) => Err(Error::unmet(
            Precondition::NoSecurity,
            "the server has no API keys: security is disabled, or the server is not Elasticsearch. Every client has full access, and \
             OpenReplay's form accepts any text as API Key ID and API Key",
        )
        .with_source(error)),
        Err(error) if has_reason(&error, "derived api keys") => Err(error.explained(
            "an API key cannot create a key with privileges; use a user and a password",
        )),
        Err(error) if error.is_forbidden() => Err(error.explained(
            "creating a key requires the cluster privilege manage_own_api_key; use a user with this privilege",
        )),
        Err(error) => Err(error),
    }
}

/// The parts of a key end up in forms and command lines: one with other characters is none that
/// Elasticsearch creates.
fn valid(response: &Response) -> Result<ApiKey, Error> {
    let key: ApiKey = response.json()?;
    let is_plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_+/=.".contains(&byte))
    };
    let parts = [&key.id, &key.api_key, &key.encoded];
    if parts.into_iter().all(|part| is_plain(part)) {
        return Ok(key);
    }
    Err(Error::new(
        ErrorKind::UnexpectedResponse,
        "the response contains a key with invalid characters, which is not shown",
    )
    .with_remedy("check the address"))
}

async fn is_store(client: &Client) -> bool {
    let engine = Engine::detect(client).await;
    engine.is_ok_and(|engine| engine.flavor == Flavor::Store)
}

/// Without its security, Elasticsearch does not know the request.
fn is_no_security(error: &Error) -> bool {
    has_reason(error, "no handler found") || error.status() == Some(StatusCode::METHOD_NOT_ALLOWED)
}

fn has_reason(error: &Error, part: &str) -> bool {
    error.reason().is_some_and(|reason| reason.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_no_more_privileges_than_needed() {
        let body = ApiKeyOptions::reader()
            .expires_in(Duration::from_secs(90 * 24 * 60 * 60))
            .body()
            .unwrap();
        assert_eq!(
            body,
            json!({
                "name": "openreplay-api-key",
                "expiration": "90d",
                "role_descriptors": {"openreplay-role": {
                    "cluster": [],
                    "indices": [{"names": ["logs"], "privileges": ["read"]}],
                }},
            })
        );
    }

    #[test]
    fn the_documented_one_is_the_documented_one() {
        assert_eq!(
            ApiKeyOptions::documented().body().unwrap(),
            json!({
                "name": "openreplay-api-key",
                "role_descriptors": {"openreplay-role": {
                    "cluster": ["all"],
                    "indices": [{"names": ["*log*"], "privileges": ["read"]}],
                }},
            })
        );
    }

    #[test]
    fn rejects_a_key_that_expires_at_once() {
        let options = ApiKeyOptions::reader().expires_in(Duration::ZERO);
        assert!(options.body().unwrap_err().is_config());
    }

    #[test]
    fn rejects_a_name_that_no_index_can_have() {
        let error = ApiKeyOptions::reader()
            .index("logs, other")
            .body()
            .unwrap_err();
        assert!(error.is_config());
    }

    #[test]
    fn rejects_a_key_that_a_shell_would_execute() {
        for (member, text) in [
            ("encoded", "x;touch${IFS}f;#"),
            ("id", "a b"),
            ("api_key", "\u{1b}[2J"),
            ("encoded", ""),
        ] {
            let mut key =
                json!({"id": "an-id", "name": "n", "api_key": "a_B-1", "encoded": "YTpi+/=="});
            let response = |key: &Value| {
                Response::new(
                    StatusCode::OK,
                    http::HeaderMap::new(),
                    key.to_string().into(),
                )
            };
            assert!(valid(&response(&key)).is_ok());
            key[member] = json!(text);
            let error = valid(&response(&key)).unwrap_err();
            assert!(error.is_unexpected_response());
            assert!(
                text.is_empty() || !error.to_string().contains(text),
                "{error}"
            );
        }
    }

    #[test]
    fn keeps_the_secret_out_of_debug_texts() {
        let key: ApiKey = serde_json::from_value(json!({
            "id": "an-id", "name": "n", "api_key": "top-secret", "encoded": "c2VjcmV0",
        }))
        .unwrap();
        let text = format!("{key:?}");
        assert!(text.contains("an-id") && !text.contains("secret") && !text.contains("c2Vj"));
    }
}
