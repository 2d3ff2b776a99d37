//! The OpenTelemetry Collector with the page's configuration, into a store that is served.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::cri::{CriLog, append};
use integration_tests::ship::Killed;
use integration_tests::{Serve, guide};
use openreplay_store::Store;
use serde_json::{Value, json};

use super::{LIMIT, PAGE, SESSION, built, records};

#[test]
#[ignore = "needs the OpenTelemetry Collector"]
fn the_collector_delivers_each_record_with_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("shop_cart-7d9_0b1f8e52/cart");
    fs::create_dir_all(&logs).unwrap();
    let records = records();
    for record in &records {
        append(
            &logs.join("0.log"),
            &CriLog::new("stdout").pieces(record).concat(),
        );
    }
    let data = folder.path().join("store");
    let serve = Serve::start(&data);
    let configuration = guide::block(PAGE, "OpenTelemetry Collector", "yaml")
        .replace("/var/log/pods", folder.path().to_str().unwrap())
        .replace("https://elasticsearch.logging:9200", serve.url());
    let file = folder.path().join("collector.yaml");
    fs::write(&file, configuration).unwrap();
    // so that it listens on no port
    let quiet = folder.path().join("quiet.yaml");
    fs::write(
        &quiet,
        "service: { telemetry: { metrics: { level: none } } }",
    )
    .unwrap();
    let mut command = Command::new(built("collector"));
    command
        .arg("--config")
        .arg(&file)
        .arg("--config")
        .arg(&quiet)
        .env("ELASTICSEARCH_API_KEY", serve.text("writer"))
        .stderr(Stdio::null());
    let _collector = Killed::start(&mut command);

    let expected: Vec<Value> = records
        .iter()
        .map(|record| with_points(serde_json::from_str(record).unwrap()))
        .collect();
    let end = Instant::now() + LIMIT;
    loop {
        let store = Store::builder(&data).open_to_read().unwrap();
        let found = store.session(&SESSION.into(), usize::MAX).unwrap();
        if found.len() >= expected.len() || Instant::now() > end {
            let found: Vec<Value> = found
                .iter()
                .map(|record| serde_json::from_str(&record.line).unwrap())
                .collect();
            assert_eq!(found, expected);
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// The collector reads every number as one with a decimal point, and writes it as such.
fn with_points(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(items) => items.into_iter().map(with_points).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, with_points(value)))
            .collect(),
        other => other,
    }
}
