use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use openreplay_elastic::admin::Age;
use openreplay_elastic::admin::api_key::{self, ApiKey, ApiKeyOptions};
use openreplay_store::{Keys, Rights};
use serde_json::json;

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, BOLD};

/// Create the API key that OpenReplay needs, and print which part goes where
///
/// The key can read `logs` and nothing else. It is printed only once, on standard
/// output. Each run creates another key.
///
/// The command needs a user with the cluster privilege manage_own_api_key, because
/// a key cannot create keys with privileges. If security is off, there are no keys,
/// and OpenReplay's form accepts any text.
///
/// Examples:
///
///   openreplay-elastic api-key --expires-in 90d     for OpenReplay's form
///   openreplay-elastic api-key --writer             for the app, or for `ship`
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// More indices for the key, separated by commas: to read, or with --writer to add records to.
    /// OpenReplay itself searches only `logs` [default: only `logs`]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    index: Vec<String>,

    /// Set an expiry: a whole number and d, h, m or s, such as 90d [default: never]
    #[arg(long, value_name = "AGE")]
    expires_in: Option<Age>,

    /// Create exactly the key of OpenReplay's documentation, which can administer the whole cluster
    #[arg(long)]
    documented: bool,

    /// Create the key for the app or `ship` instead: it can add records to `logs`, but not read
    /// them
    #[arg(long, conflicts_with = "documented")]
    writer: bool,

    /// Let the app's key read `logs` as well, for an app that shows its own records
    #[arg(long, requires = "writer")]
    read: bool,

    /// Create a key for the store in this folder, also with --writer and --read; the store may be
    /// in use [default: a key for Elasticsearch]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["documented", "expires_in", "index"])]
    data: Option<PathBuf>,
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        if let Some(folder) = &self.data {
            return self.create_in_store(folder, json);
        }
        let options = match (self.documented, self.writer) {
            (true, _) => ApiKeyOptions::documented(),
            (_, true) => ApiKeyOptions::writer(),
            _ => ApiKeyOptions::reader(),
        };
        let mut options = self.index.iter().fold(options, ApiKeyOptions::index);
        if self.read {
            options = options.allow_read();
        }
        if let Some(age) = self.expires_in {
            options = options.expires_in(age);
        }
        let key = api_key::create(&connect.client()?, &options).await?;
        if json {
            print::json(&key)?;
        } else if self.writer {
            print::line(&format!(
                "{BOLD}ELASTICSEARCH_API_KEY{BOLD:#}={}",
                key.encoded
            ))?;
            print::note(
                "This is the key of the app and of `openreplay-elastic ship`. It is not shown again.",
            );
        } else {
            self.show(&key, &connect.shown_url()?)?;
        }
        Ok(Outcome::Done)
    }

    /// Prints which part of the key goes into which field of OpenReplay's form.
    fn show(&self, key: &ApiKey, url: &str) -> io::Result<()> {
        let indexes = if self.index.is_empty() {
            "logs".to_owned()
        } else {
            format!("logs,{}", self.index.join(","))
        };
        print::form(&[
            ("URL", url),
            ("API Key ID", &key.id),
            ("API Key", &key.api_key),
            ("Indexes", &indexes),
        ])?;
        print::note(
            "\nThe URL must be one at which OpenReplay's own server reaches Elasticsearch. The key is not shown again.\n\
             To send OpenReplay's requests:\n",
        );
        // No secret on standard error, which may end up in logs. The key is validated, so it
        // needs no quotes in a shell.
        print::line(&format!(
            "  ELASTICSEARCH_API_KEY={} openreplay-elastic check",
            key.encoded
        ))?;
        Ok(())
    }

    /// Creates the key in the folder. A server that has the store open accepts it at once.
    fn create_in_store(&self, folder: &Path, json: bool) -> Result<Outcome, Failure> {
        let (name, rights) = match (self.writer, self.read) {
            (true, true) => ("app", Rights::ReadWrite),
            (true, false) => ("app", Rights::Write),
            _ => ("openreplay-api-key", Rights::Read),
        };
        // `Keys::open` would create the folder
        if !contains_store(folder) {
            return Err(Failure::Usage(format!(
                "{} contains no store; pass the folder of `openreplay-elastic serve --data`",
                folder.display()
            )));
        }
        let key = Keys::open(folder)?.create(name, rights)?;
        if json {
            let (id, api_key, encoded) = (&key.id, &key.api_key, key.encoded());
            print::json(&json!({"id": id, "api_key": api_key, "name": name, "encoded": encoded}))?;
        } else if self.writer {
            print::line(&format!(
                "{BOLD}ELASTICSEARCH_API_KEY{BOLD:#}={}",
                key.encoded()
            ))?;
        } else {
            print::form(&[
                ("API Key ID", &key.id),
                ("API Key", &key.api_key),
                ("Indexes", "logs"),
            ])?;
        }
        print::note("The key is not shown again.");
        Ok(Outcome::Done)
    }
}

/// Returns whether a folder contains a store, or the files of days from a backup of one.
fn contains_store(folder: &Path) -> bool {
    let exists = |file: &str| folder.join(file).exists();
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    exists("lock")
        || exists("keys.json")
        || files.any(|file| file.file_name().to_str().is_some_and(is_day))
}

/// Such as `2026-07-01.sqlite`.
fn is_day(name: &str) -> bool {
    name.split_at_checked("2026-07-01".len())
        .is_some_and(|(day, kind)| {
            day.parse::<Date>().is_ok() && matches!(kind, ".sqlite" | "-no-session.sqlite")
        })
}
