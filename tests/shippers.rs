//! The configurations of docs/shippers.md, run by the real shippers, into an endpoint that keeps what it is sent.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    Elasticsearch,
    engine::{PASSWORD, USER},
};
use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;
use tempfile::TempDir;
use tracing::{error, info, subscriber::with_default};
use tracing_subscriber::{Registry, prelude::*};

const PAGE: &str = include_str!("../docs/shippers.md");
const SESSION: u64 = 4_950_498_349_085_463_837;

#[test]
#[ignore = "needs rsyslog with omelasticsearch"]
fn rsyslog_delivers_the_records_as_they_are() {
    delivers("## rsyslog\n", rsyslog);
}

#[test]
#[ignore = "needs rsyslog, Elasticsearch"]
fn what_rsyslog_delivers_openreplay_finds() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let key = engine.command(&["api-key", "--json"]).json();

    let shipper = Shipper::new("## rsyslog\n");
    let port = engine.address().rsplit(':').next().unwrap();
    let action = "action(type=\"omelasticsearch\"";
    let configuration = shipper.configuration(port).replace(
        action,
        &format!("{action} uid=\"{USER}\" pwd=\"{PASSWORD}\""),
    );
    assert!(configuration.contains(PASSWORD), "{configuration}");
    let session = SESSION.to_string();
    let mut written = shipper.write_records();
    written.retain(|record| record["openReplaySession.id"] == session);
    let _running = shipper.run(&configuration, rsyslog);

    let end = Instant::now() + Duration::from_secs(20);
    let hits = loop {
        // "no logs found", at first
        let hits = engine
            .ask_as_openreplay(&key, Some(&session))
            .unwrap_or_default();
        if hits.len() >= written.len() {
            break hits;
        }
        assert!(Instant::now() < end, "of {} came {hits:?}", written.len());
        thread::sleep(Duration::from_millis(200));
    };
    let mut found: Vec<_> = hits.iter().map(|hit| hit["_source"].clone()).collect();
    for records in [&mut found, &mut written] {
        records.sort_by_key(|record| record["message"].to_string());
    }
    assert_eq!(found, written);
    assert_eq!(engine.ask_as_openreplay(&key, None).unwrap().len(), 1);
}

fn rsyslog(work: &Path) -> std::io::Result<Child> {
    Command::new("rsyslogd")
        .arg("-n")
        .arg("-f")
        .arg(work.join("shipper.conf"))
        .arg("-i")
        .arg(work.join("pid"))
        .spawn()
}

#[test]
#[ignore = "needs syslog-ng with its http module"]
fn syslog_ng_delivers_the_records_as_they_are() {
    delivers("## syslog-ng\n", |work| {
        let file = |name: &str| work.join(name).into_os_string().into_string().unwrap();
        // Debian's package cannot stand beside rsyslog's, so scripts/install unpacks it here
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
            .args([
                "--foreground",
                "--no-caps",
                "--cfgfile",
                &file("shipper.conf"),
                "--pidfile",
                &file("pid"),
            ])
            .args([
                "--persist-file",
                &file("persist"),
                "--control",
                &file("control"),
            ])
            .spawn()
    });
}

#[test]
fn the_record_answers_what_datadog_and_dynatrace_are_asked() {
    let directory = TempDir::new().unwrap();
    let records = write_records(&directory.path().join("shop.ndjson"));
    // as OpenReplay's clients for the two put it: backend/pkg/integrations/clients
    let phrase = "openReplaySession.id=4950498349085463837";
    let found = |record: &&Value| record["message"].as_str().unwrap().contains(phrase);
    let is_bad =
        |record: &&Value| ["warning", "error"].contains(&record["level"].as_str().unwrap());
    assert_eq!(records.iter().filter(found).count(), 3);
    assert_eq!(records.iter().filter(found).filter(is_bad).count(), 1);
}

/// Runs a shipper with the page's configuration for it, over a file of records.
fn delivers(heading: &'static str, start: impl FnOnce(&Path) -> std::io::Result<Child>) {
    let shipper = Shipper::new(heading);
    let endpoint = Endpoint::start();
    let configuration = shipper.configuration(&endpoint.port.to_string());
    let written = shipper.write_records();
    let _running = shipper.run(&configuration, start);
    assert_eq!(endpoint.wait_for(written.len()), written);
}

/// A section of the page, and a folder to run its configuration in.
struct Shipper {
    heading: &'static str,
    work: TempDir,
}

impl Shipper {
    fn new(heading: &'static str) -> Self {
        let work = TempDir::new().unwrap();
        fs::create_dir(work.path().join("logs")).unwrap();
        Self { heading, work }
    }

    /// As it stands on the page, but for the places and the port.
    fn configuration(&self, port: &str) -> String {
        let section = PAGE.split(self.heading).nth(1);
        let block = section
            .expect("a section of that name")
            .split("```text\n")
            .nth(1);
        let configuration = block.unwrap().split("```").next().unwrap();
        let work = self.work.path().to_str().unwrap();
        configuration
            .replace("/var/log/shop", &format!("{work}/logs"))
            .replace("/var/spool/rsyslog", work)
            .replace("9200", port)
    }

    fn write_records(&self) -> Vec<Value> {
        write_records(&self.work.path().join("logs/shop.ndjson"))
    }

    fn run(
        &self,
        configuration: &str,
        start: impl FnOnce(&Path) -> std::io::Result<Child>,
    ) -> Running {
        fs::write(self.work.path().join("shipper.conf"), configuration).unwrap();
        Running(start(self.work.path()).expect("the shipper is installed"))
    }
}

/// Records such as an app writes, among them what shippers stumble over.
fn write_records(path: &Path) -> Vec<Value> {
    let file = Arc::new(File::create(path).unwrap());
    with_default(
        Registry::default().with(tracing_openreplay::json().with_writer(file)),
        || {
            sync_scope(SessionId::from(SESSION), || {
                info!(
                    items = 3,
                    path = "C:\\cart\t\"%20\" ${HOST} $(echo) \u{1f6d2} \u{1}",
                    "cart opened"
                );
                error!("first line\nsecond line");
                info!("{}", "long ".repeat(20_000));
            });
            info!("no session");
        },
    );
    let written = fs::read_to_string(path).unwrap();
    written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Answers `_bulk` as Elasticsearch does when all is well.
struct Endpoint {
    port: u16,
    documents: mpsc::Receiver<Value>,
}

impl Endpoint {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, documents) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || while serve(&stream, &sender).is_some() {});
            }
        });
        Self { port, documents }
    }

    fn wait_for(&self, count: usize) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(20);
        let next = || {
            self.documents
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .ok()
        };
        let documents: Vec<_> = std::iter::from_fn(next).take(count).collect();
        assert_eq!(documents.len(), count, "{documents:?}");
        documents
    }
}

/// Serves one request; `None` at the end of the connection.
fn serve(mut stream: &TcpStream, documents: &mpsc::Sender<Value>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    if lower.contains("expect: 100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).ok()?;

    let body = String::from_utf8(body).expect("UTF-8");
    let lines: Vec<Value> = body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let mut items = Vec::new();
    for pair in lines.chunks(2) {
        let [action, document] = pair else {
            panic!("an action without a document: {pair:?}");
        };
        let (name, target) = action.as_object().unwrap().iter().next().unwrap();
        assert_eq!(target["_index"], "logs");
        documents.send(document.clone()).ok()?;
        items.push(format!(
            r#"{{"{name}":{{"_index":"logs-000001","status":201}}}}"#
        ));
    }
    let answer = format!(
        r#"{{"took":1,"errors":false,"items":[{}]}}"#,
        items.join(",")
    );
    let head = format!(
        "HTTP/1.1 200 OK\r\nx-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(format!("{head}{answer}").as_bytes()).ok()
}
