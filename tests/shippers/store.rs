//! Shippers that deliver to a served store: OpenReplay gets the records unchanged and in time
//! order.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use integration_tests::port::free_port;
use integration_tests::process::Example;
use integration_tests::ship::Killed;
use integration_tests::{Serve, guide, query_as_openreplay};
use openreplay_session::{SessionId, sync_scope};
use openreplay_store::{Keys, Rights};
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing::{info, subscriber::with_default};
use tracing_subscriber::{Registry, prelude::*};

use crate::run::{RSYSLOG, SYSLOG_NG, Shipper, Work, wait_for};
use crate::{PAGE, SESSION};

#[test]
#[ignore = "needs rsyslog with omelasticsearch, OpenReplay's Go client"]
fn openreplay_gets_in_order_what_rsyslog_delivers_to_a_store() {
    is_in_order(&RSYSLOG);
}

#[test]
#[ignore = "needs syslog-ng with its http module, OpenReplay's Go client"]
fn openreplay_gets_in_order_what_syslog_ng_delivers_to_a_store() {
    is_in_order(&SYSLOG_NG);
}

fn is_in_order(shipper: &Shipper) {
    let folder = TempDir::new().unwrap();
    let serve = Serve::start(folder.path());
    let work = Work::new();
    let mut written = work.write_records();
    let session = SESSION.to_string();
    written.retain(|record| record["openReplaySession.id"] == session);
    let _running = start(shipper, &work, &serve, folder.path());
    let found = wait_for(written.len(), || sources(&serve));
    assert_eq!(found, written);
}

/// Starts a shipper with the key of the first app.
fn start(shipper: &Shipper, work: &Work, serve: &Serve, folder: &Path) -> Killed {
    let key = Keys::open(folder).unwrap().writer().unwrap();
    let configuration = shipper
        .signed_in(
            work,
            serve.url().trim_start_matches("http://"),
            &key.id,
            &key.api_key,
        )
        // by default, rsyslog retries after half a minute
        .replace(
            "action.resumeRetryCount",
            "action.resumeInterval=\"1\" action.resumeRetryCount",
        );
    shipper.run(work, &configuration)
}

/// Returns the session's records as OpenReplay gets them; there are none at first.
fn sources(serve: &Serve) -> Vec<Value> {
    let hits = query_as_openreplay(serve.url(), &serve.started, Some(&SESSION.to_string()));
    let hits = hits.unwrap_or_default();
    hits.iter().map(|hit| hit["_source"].clone()).collect()
}

#[test]
#[ignore = "needs the OpenTelemetry Collector, OpenReplay's Go client"]
fn openreplay_gets_what_the_opentelemetry_collector_delivers_to_a_store() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/collector");
    let folder = TempDir::new().unwrap();
    let serve = Serve::start(&folder.path().join("store"));
    let receiver = format!("127.0.0.1:{}", free_port());
    let configuration = guide::block(PAGE, "OpenTelemetry Collector", "yaml")
        .replace("http://127.0.0.1:9200", serve.url())
        .replace("127.0.0.1:4318", &receiver)
        .replace("KEY", serve.text("writer"));
    let file = folder.path().join("collector.yaml");
    fs::write(&file, configuration).unwrap();
    let collector = Command::new(program)
        .arg("--config")
        .arg(&file)
        .stderr(Stdio::null())
        .spawn();
    let _collector = Killed(collector.expect("no collector: run scripts/install"));

    let message = |what: &str| format!("[openReplaySession.id={SESSION}] {what}");
    let text = |text: &str| json!({"stringValue": text});
    let member = |name: &str, value: &str| json!({"key": name, "value": text(value)});
    // the body is a complete record
    let record = [
        member("message", &message("a body")),
        member("level", "warning"),
        member("@timestamp", &time(0)),
    ];
    send(
        &receiver,
        "bodymap",
        0,
        &json!({"kvlistValue": {"values": record}}),
    );
    // the body is the message
    send(&receiver, "ecs", 1, &text(&message("a text")));

    let found = wait_for(2, || sources(&serve));
    let shown: Vec<_> = found
        .iter()
        .map(|one| [&one["message"], &one["level"]])
        .collect();
    let expected = [
        [message("a body"), "warning".to_owned()],
        // the level has another name in this mode
        [message("a text"), "info".to_owned()],
    ];
    assert_eq!(json!(shown), json!(expected));
}

/// Sends a log record as OTLP, once the receiver listens.
fn send(receiver: &str, mode: &str, number: u64, body: &Value) {
    let nanos = (start_of_day() + number) * 1_000_000;
    let scope =
        json!({"attributes": [{"key": "elastic.mapping.mode", "value": {"stringValue": mode}}]});
    let record = json!({"timeUnixNano": nanos.to_string(), "severityText": "WARN", "body": body});
    let logs = json!({"resourceLogs": [{"scopeLogs": [{"scope": scope, "logRecords": [record]}]}]});
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let request = ureq::post(format!("http://{receiver}/v1/logs"));
        match request
            .header("content-type", "application/json")
            .send(logs.to_string())
        {
            Ok(_) => return,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Returns the start of the day, in milliseconds since 1970.
fn start_of_day() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs() / 86_400 * 86_400_000
}

fn time(number: u64) -> String {
    let time = i64::try_from(start_of_day() + number).unwrap();
    jiff::Timestamp::from_millisecond(time).unwrap().to_string()
}

#[test]
#[ignore = "needs rsyslog with omelasticsearch, OpenReplay's Go client"]
fn two_apps_and_rsyslog_lose_nothing_and_stay_in_order_through_a_kill_of_the_store() {
    let folder = TempDir::new().unwrap();
    let mut serve = Serve::start(folder.path());
    let key = Keys::open(folder.path())
        .unwrap()
        .create("app", Rights::ReadWrite);
    let key = key.unwrap().encoded();
    let apps = [(); 2].map(|()| {
        Example::axum_app(&[
            ("ELASTICSEARCH_URL", serve.url()),
            ("ELASTICSEARCH_API_KEY", &key),
        ])
    });
    let work = Work::new();
    let _rsyslog = start(&RSYSLOG, &work, &serve, folder.path());
    for round in 0..30 {
        for app in &apps {
            let request = ureq::get(format!("{}/api/endpoint", app.url()));
            let request = request.header("openReplaySession.id", SESSION.to_string());
            assert_eq!(request.call().unwrap().status(), 200);
        }
        append(Path::new(&work.logs()), round);
        if round % 10 == 9 {
            // killed with SIGKILL
            serve = serve.restart();
        }
    }
    let mut written = read(Path::new(&work.logs()));
    for app in apps {
        // delivers the remaining records
        let (status, records) = app.terminate();
        assert!(status.success(), "{status}");
        written.extend(records);
    }
    let session = SESSION.to_string();
    written.retain(|record| record["openReplaySession.id"] == session);
    assert_eq!(written.len(), 30 * 5);
    let distinct = |mut records: Vec<Value>| {
        records.sort_by_key(Value::to_string);
        // rsyslog's lines have no `_id`, so a line that rsyslog resends after a lost response is
        // stored twice
        records.dedup();
        records
    };
    let written = distinct(written);
    let of_the_apps = |records: &[Value]| {
        let apps = records
            .iter()
            .filter(|record| record["service.name"] == "axum-app");
        apps.count()
    };
    let found = wait_for(written.len(), || {
        let found = sources(&serve);
        assert!(of_the_apps(&found) <= 30 * 4, "an app's record came twice");
        let times: Vec<_> = found
            .iter()
            .map(|one| one["@timestamp"].as_str().unwrap())
            .collect();
        assert!(times.is_sorted(), "{times:?}");
        distinct(found)
    });
    assert_eq!(found, written);
}

/// Appends a record to the file that rsyslog follows.
fn append(logs: &Path, round: u64) {
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .append(true)
        .open(logs.join("shop.ndjson"));
    let writer = tracing_openreplay::json().with_writer(Arc::new(file.unwrap()));
    with_default(Registry::default().with(writer), || {
        sync_scope(SessionId::from(SESSION), || info!(round, "from a file"));
    });
}

fn read(logs: &Path) -> Vec<Value> {
    let text = fs::read_to_string(logs.join("shop.ndjson")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
