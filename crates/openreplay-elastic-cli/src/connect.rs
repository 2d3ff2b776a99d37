//! Where Elasticsearch is, and who asks: from the options, the environment, and files.

use std::env;
use std::fs;
use std::io;
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
    /// The address, such as https://elastic:9200; repeated for the further nodes of a cluster [env:
    /// ELASTICSEARCH_URL]
    #[arg(long, global = true, value_name = "URL")]
    url: Vec<String>,

    /// A PEM file with the certificate of the authority that signed Elasticsearch's [default: those
    /// that the system trusts]
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,

    /// A file with an API key in its encoded form, instead of ELASTICSEARCH_API_KEY.
    #[arg(long, global = true, value_name = "FILE")]
    api_key_file: Option<PathBuf>,

    /// The user's name [env: ELASTICSEARCH_USER]
    #[arg(long, global = true, value_name = "NAME")]
    user: Option<String>,

    /// A file with the user's password, instead of ELASTICSEARCH_PASSWORD.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// How long a request may take, its response included: a whole number and s, m or h, up to 1h
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
        let mut urls = self.urls()?.into_iter();
        let first = urls.next().ok_or_else(|| {
            usage("no address: give --url, or set ELASTICSEARCH_URL, such as http://localhost:9200")
        })?;
        let mut builder = urls.fold(Connection::builder(first), ConnectionBuilder::node);
        builder = builder.request_timeout(self.request_timeout);
        if let Some(path) = &self.ca_cert {
            builder = builder.ca_pem(fs::read(path).map_err(|error| unreadable(path, &error))?);
        }

        let key = match &self.api_key_file {
            Some(path) => Some(read(path)?),
            None => variable("ELASTICSEARCH_API_KEY")?,
        };
        let user = match &self.user {
            Some(user) => Some(user.clone()),
            None => variable("ELASTICSEARCH_USER")?,
        };
        let password = match &self.password_file {
            Some(path) => Some(read(path)?),
            None => variable("ELASTICSEARCH_PASSWORD")?,
        };
        // what was said by an option goes before what stands in the environment
        let asks_as_user = self.user.is_some() || self.password_file.is_some();
        match (key, user, password) {
            (Some(key), ..) if self.api_key_file.is_some() || !asks_as_user => {
                Ok(builder.api_key(key))
            }
            (_, Some(user), Some(password)) => {
                Ok(builder.basic(user, password.trim_end_matches(['\r', '\n'])))
            }
            (_, Some(_), None) => Err(usage(
                "a user without a password: set ELASTICSEARCH_PASSWORD, or give --password-file",
            )),
            (_, None, Some(_)) => Err(usage(
                "a password without a user: set ELASTICSEARCH_USER, or give --user",
            )),
            (_, None, None) => Ok(builder),
        }
    }

    /// What to say where those who ask may not: the user of the environment was passed over for the
    /// key that stands there too.
    pub(crate) fn passed_over(&self) -> Option<&'static str> {
        let names_nobody =
            self.api_key_file.is_none() && self.user.is_none() && self.password_file.is_none();
        let is_set = |name| variable(name).is_ok_and(|value| value.is_some());
        let both = is_set("ELASTICSEARCH_API_KEY") && is_set("ELASTICSEARCH_USER");
        (names_nobody && both).then_some(
            "ELASTICSEARCH_API_KEY is set and goes before ELASTICSEARCH_USER: unset it to ask as the user",
        )
    }

    /// The addresses as they may be shown.
    pub(crate) fn shown_url(&self) -> Result<String, Failure> {
        let connection = self.connection()?.build()?;
        Ok(connection.nodes().next().unwrap_or_default().to_owned())
    }

    fn urls(&self) -> Result<Vec<String>, Failure> {
        if self.url.iter().any(|url| url.contains('@')) {
            return Err(usage(
                "a password on the command line is seen by every user of the machine: set ELASTICSEARCH_USER and \
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

/// Reads a time limit: long enough for a request over a slow line, and short enough to notice a
/// dead one.
fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = text.parse::<Age>().map_err(|error| error.to_string())?;
    let limit = Duration::from(limit);
    match (1..=3_600).contains(&limit.as_secs()) {
        true => Ok(limit),
        false => Err("expected 1s to 1h".to_owned()),
    }
}

fn variable(name: &str) -> Result<Option<String>, Failure> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    // the value is left out: it may be a secret
    let unreadable = |_| Failure::Usage(format!("{name} is not UTF-8: set it anew, or unset it"));
    value
        .map(|value| value.into_string().map_err(unreadable))
        .transpose()
}

/// A secret.
fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    match text.trim().is_empty() {
        true => Err(Failure::Usage(format!("{} is empty", path.display()))),
        false => Ok(text),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("{} cannot be read: {error}", path.display()))
}

fn usage(text: &str) -> Failure {
    Failure::Usage(text.to_owned())
}
