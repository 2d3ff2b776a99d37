//! The configurations that the page calls tested, over a file of records.

use std::{
    fs, io,
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    Elasticsearch, Engine, StandIn, Terminal,
    engine::{PASSWORD, USER},
    guide,
    ship::Killed,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{PAGE, SESSION, write_records};

pub(crate) const RSYSLOG: Shipper = Shipper {
    heading: "rsyslog",
    before_credentials: "action(type=\"omelasticsearch\"",
    credentials: |user, password| format!(" uid=\"{user}\" pwd=\"{password}\""),
    start: rsyslog,
};

pub(crate) const SYSLOG_NG: Shipper = Shipper {
    heading: "syslog-ng",
    before_credentials: "method(\"POST\")",
    credentials: |user, password| format!(" user(\"{user}\") password(\"{password}\")"),
    start: syslog_ng,
};

#[test]
#[ignore = "needs rsyslog with omelasticsearch"]
fn rsyslog_delivers_the_records_as_they_are() {
    RSYSLOG.delivers();
}

#[test]
#[ignore = "needs rsyslog, Elasticsearch"]
fn what_rsyslog_delivers_openreplay_finds() {
    RSYSLOG.is_found();
}

#[test]
#[ignore = "needs syslog-ng with its http module"]
fn syslog_ng_delivers_the_records_as_they_are() {
    SYSLOG_NG.delivers();
}

#[test]
#[ignore = "needs syslog-ng, Elasticsearch"]
fn what_syslog_ng_delivers_openreplay_finds() {
    SYSLOG_NG.is_found();
}

#[test]
#[ignore = "needs Elasticsearch"]
fn what_ship_delivers_openreplay_finds() {
    is_found(|engine, work| {
        let logs = work.logs();
        let instead = [
            ("http://127.0.0.1:9200", engine.url()),
            ("/var/log/shop", &logs),
        ];
        let [ship] = guide::commands(PAGE, &instead);
        let variables = [
            ("ELASTICSEARCH_USER", USER),
            ("ELASTICSEARCH_PASSWORD", PASSWORD),
        ];
        let mut terminal = Terminal::open(work.0.path(), &variables);
        terminal.start(&ship);
        terminal
    });
}

/// A section of the page, and the program that it configures.
pub(crate) struct Shipper {
    heading: &'static str,
    /// The page names the settings that sign in; they stand behind this.
    before_credentials: &'static str,
    credentials: fn(&str, &str) -> String,
    start: fn(&Path) -> io::Result<Child>,
}

impl Shipper {
    /// Runs it into an endpoint that keeps what it is sent.
    fn delivers(&self) {
        let work = Work::new();
        let server = StandIn::start();
        let written = work.write_records();
        let _running = self.run(&work, &self.configuration(&work, server.address()));
        let sent = wait_for(written.len(), || server.documents());
        assert_eq!(sent, written);
    }

    /// Runs it into the real Elasticsearch, signed in, and sends OpenReplay's query there.
    fn is_found(&self) {
        is_found(|engine, work| {
            let configuration = self.signed_in(work, engine.address(), USER, PASSWORD);
            self.run(work, &configuration)
        });
    }

    /// The configuration with the settings that sign in.
    pub(crate) fn signed_in(
        &self,
        work: &Work,
        address: &str,
        user: &str,
        password: &str,
    ) -> String {
        let credentials = (self.credentials)(user, password);
        let configuration = self.configuration(work, address).replace(
            self.before_credentials,
            &format!("{}{credentials}", self.before_credentials),
        );
        assert!(configuration.contains(password), "{configuration}");
        configuration
    }

    /// As it stands on the page, but for the places and the port.
    fn configuration(&self, work: &Work, address: &str) -> String {
        let port = address.rsplit(':').next().unwrap();
        let folder = work.0.path().to_str().unwrap();
        guide::block(PAGE, self.heading, "text")
            .replace("/var/log/shop", &work.logs())
            .replace("/var/spool/rsyslog", folder)
            .replace("9200", port)
    }

    pub(crate) fn run(&self, work: &Work, configuration: &str) -> Killed {
        fs::write(work.0.path().join("shipper.conf"), configuration).unwrap();
        Killed((self.start)(work.0.path()).expect("the shipper is installed"))
    }
}

/// Sends OpenReplay's query for what the started shipper brings to Elasticsearch of a file of
/// records.
fn is_found<R>(start: impl FnOnce(&Engine, &Work) -> R) {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let key = engine.command(&["api-key", "--json"]).json();
    let work = Work::new();
    let session = SESSION.to_string();
    let mut written = work.write_records();
    written.retain(|record| record["openReplaySession.id"] == session);
    let _running = start(&engine, &work);

    let mut found = wait_for(written.len(), || {
        // "no logs found", at first
        let hits = engine
            .query_as_openreplay(&key, Some(&session))
            .unwrap_or_default();
        hits.iter().map(|hit| hit["_source"].clone()).collect()
    });
    for records in [&mut found, &mut written] {
        records.sort_by_key(|record| record["message"].to_string());
    }
    assert_eq!(found, written);
    assert_eq!(engine.query_as_openreplay(&key, None).unwrap().len(), 1);
}

fn rsyslog(work: &Path) -> io::Result<Child> {
    Command::new("rsyslogd")
        .arg("-n")
        .arg("-f")
        .arg(work.join("shipper.conf"))
        .arg("-i")
        .arg(work.join("pid"))
        .spawn()
}

fn syslog_ng(work: &Path) -> io::Result<Child> {
    // Debian's package conflicts with rsyslog's, so scripts/install unpacks it here
    let unpacked = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/syslog-ng");
    let libraries = format!("{unpacked}/usr/lib/syslog-ng");
    let entries = fs::read_dir(&libraries)?;
    // the modules are in a directory named after the version
    let modules = entries
        .flatten()
        .find(|entry| entry.path().is_dir())
        .expect("its modules");
    Command::new(format!("{unpacked}/usr/sbin/syslog-ng"))
        .env("LD_LIBRARY_PATH", libraries)
        .arg("--module-path")
        .arg(modules.path())
        .args(["--foreground", "--no-caps"])
        .arg("--cfgfile")
        .arg(work.join("shipper.conf"))
        .arg("--pidfile")
        .arg(work.join("pid"))
        .arg("--persist-file")
        .arg(work.join("persist"))
        .arg("--control")
        .arg(work.join("control"))
        .spawn()
}

/// A folder to run a configuration in.
pub(crate) struct Work(TempDir);

impl Work {
    pub(crate) fn new() -> Self {
        let work = TempDir::new().unwrap();
        fs::create_dir(work.path().join("logs")).unwrap();
        Self(work)
    }

    pub(crate) fn logs(&self) -> String {
        format!("{}/logs", self.0.path().display())
    }

    pub(crate) fn write_records(&self) -> Vec<Value> {
        write_records(&self.0.path().join("logs/shop.ndjson"))
    }
}

/// As many records, once they are there.
#[track_caller]
pub(crate) fn wait_for(count: usize, records: impl Fn() -> Vec<Value>) -> Vec<Value> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let records = records();
        if records.len() >= count {
            return records;
        }
        assert!(Instant::now() < end, "of {count} came {records:?}");
        thread::sleep(Duration::from_millis(100));
    }
}
