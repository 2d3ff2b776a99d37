//! The address of Elasticsearch and the credentials: from options, the environment, and files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use openreplay_elastic::admin::Age;
use openreplay_elastic::{Client, Connection, ConnectionBuilder};

use crate::exit::Failure;
use crate::print;

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// The URL of Elasticsearch, such as https://elastic:9200; repeat it for each node of a cluster
    /// [env: ELASTICSEARCH_URL]
    #[arg(long, global = true, value_name = "URL")]
    url: Vec<String>,

    /// The id of an Elastic Cloud deployment, as its console shows it, instead of an address
    /// [env: ELASTICSEARCH_CLOUD_ID]
    #[arg(long, global = true, value_name = "ID", conflicts_with = "url")]
    cloud_id: Option<String>,

    /// A PEM file with the certificates of the authorities to trust [default: those of the system]
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,

    /// A PEM file with the client certificate, for Elasticsearch or a proxy in front of it
    /// [default: none]
    #[arg(long, global = true, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,

    /// A PEM file with the private key of the client certificate, without a passphrase [default:
    /// none]
    #[arg(long, global = true, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,

    /// A file with an encoded API key, instead of ELASTICSEARCH_API_KEY; read again on SIGHUP and
    /// after a 401
    #[arg(long, global = true, value_name = "FILE")]
    api_key_file: Option<PathBuf>,

    /// The user's name [env: ELASTICSEARCH_USER]
    #[arg(long, global = true, value_name = "NAME")]
    user: Option<String>,

    /// A file with the user's password, instead of ELASTICSEARCH_PASSWORD; read again on SIGHUP and
    /// after a 401
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// How long a request may take, including its response: a whole number and s, m or h, up to 1h
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = time_limit)]
    request_timeout: Duration,
}

impl ConnectArgs {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let connection = self.connection()?.build()?;
        if let Some(node) = connection.clear_text_node() {
            print::warning(&format!(
                "the credentials are sent to {node} in clear text; use https"
            ));
        }
        Ok(Client::new(&connection)?)
    }

    pub(crate) fn connection(&self) -> Result<ConnectionBuilder, Failure> {
        let mut builder = self.address()?.request_timeout(self.request_timeout);
        if let Some(path) = &self.ca_cert {
            builder = builder.ca_pem(read(path)?);
        }
        if let (Some(certificate), Some(key)) = (&self.client_cert, &self.client_key) {
            builder = builder.client_cert_pem(read(certificate)?, read(key)?);
        }
        self.authenticate(builder)
    }

    fn address(&self) -> Result<ConnectionBuilder, Failure> {
        let cloud_id = match &self.cloud_id {
            None if self.url.is_empty() => variable("ELASTICSEARCH_CLOUD_ID")?,
            id => id.clone(),
        };
        if let Some(id) = cloud_id {
            return Ok(Connection::cloud(id));
        }
        let mut urls = self.urls()?.into_iter();
        let first = urls.next().ok_or_else(|| {
            usage("no address: pass --url or set ELASTICSEARCH_URL, such as http://localhost:9200")
        })?;
        Ok(urls.fold(Connection::builder(first), ConnectionBuilder::node))
    }

    /// An option takes precedence over the environment.
    fn authenticate(&self, builder: ConnectionBuilder) -> Result<ConnectionBuilder, Failure> {
        if let Some(path) = &self.api_key_file {
            return Ok(builder.api_key_file(path));
        }
        let as_user = self.user.is_some() || self.password_file.is_some();
        if !as_user && let Some(key) = variable("ELASTICSEARCH_API_KEY")? {
            return Ok(builder.api_key(key));
        }
        let user = match &self.user {
            Some(user) => Some(user.clone()),
            None => variable("ELASTICSEARCH_USER")?,
        };
        let password = variable("ELASTICSEARCH_PASSWORD")?;
        match (user, &self.password_file, password) {
            (Some(user), Some(path), _) => Ok(builder.basic_file(user, path)),
            (Some(user), None, Some(password)) => {
                Ok(builder.basic(user, password.trim_end_matches(['\r', '\n'])))
            }
            (Some(_), None, None) => Err(usage(
                "a user without a password: set ELASTICSEARCH_PASSWORD or pass --password-file",
            )),
            (None, None, None) => Ok(builder),
            (None, ..) => Err(usage(
                "a password without a user: set ELASTICSEARCH_USER or pass --user",
            )),
        }
    }

    /// Returns the hint for a rejected request if an API key in the environment was used although a
    /// user is set there as well.
    pub(crate) fn passed_over(&self) -> Option<&'static str> {
        let names_nobody =
            self.api_key_file.is_none() && self.user.is_none() && self.password_file.is_none();
        let is_set = |name| variable(name).is_ok_and(|value| value.is_some());
        let both = is_set("ELASTICSEARCH_API_KEY") && is_set("ELASTICSEARCH_USER");
        (names_nobody && both).then_some(
            "ELASTICSEARCH_API_KEY is set and takes precedence over ELASTICSEARCH_USER; unset it to authenticate as the user",
        )
    }

    /// Returns the first address, without credentials.
    pub(crate) fn shown_url(&self) -> Result<String, Failure> {
        let connection = self.connection()?.build()?;
        Ok(connection.nodes().next().unwrap_or_default().to_owned())
    }

    fn urls(&self) -> Result<Vec<String>, Failure> {
        if self.url.iter().any(|url| url.contains('@')) {
            return Err(usage(
                "every user of the machine can read a password on the command line: set ELASTICSEARCH_USER and \
                 ELASTICSEARCH_PASSWORD instead",
            ));
        }
        if !self.url.is_empty() {
            return Ok(self.url.clone());
        }
        let listed = variable("ELASTICSEARCH_URL")?.unwrap_or_default();
        let urls = listed.split(',').map(str::trim);
        Ok(urls
            .filter(|url| !url.is_empty())
            .map(str::to_owned)
            .collect())
    }
}

/// Parses a time limit: long enough for a request over a slow line, and short enough to notice a
/// broken connection.
fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = text.parse::<Age>().map_err(|error| error.to_string())?;
    let limit = Duration::from(limit);
    if (1..=3_600).contains(&limit.as_secs()) {
        Ok(limit)
    } else {
        Err("expected 1s to 1h".to_owned())
    }
}

fn variable(name: &str) -> Result<Option<String>, Failure> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    // the value is left out, since it may be a secret
    let unreadable = |_| Failure::Usage(format!("{name} is not UTF-8: correct it or unset it"));
    value
        .map(|value| value.into_string().map_err(unreadable))
        .transpose()
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))
}

fn usage(text: &str) -> Failure {
    Failure::Usage(text.to_owned())
}
