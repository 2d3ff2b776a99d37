//! The OpenTelemetry collector with the page's configuration, but for the exporter, which prints.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use integration_tests::cri::{CriLog, append};
use integration_tests::guide;
use integration_tests::ship::Killed;
use serde_json::Value;

use super::{LIMIT, PAGE, built, records};

#[test]
#[ignore = "needs the OpenTelemetry collector"]
fn the_collector_makes_the_record_the_body_of_what_it_sends() {
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
    let configuration = guide::block(PAGE, "The OpenTelemetry collector", "yaml")
        .replace("/var/log/pods", folder.path().to_str().unwrap());
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
        .env("ELASTICSEARCH_API_KEY", "key")
        .stdout(Stdio::piped());
    let mut collector = Killed::start(&mut command);
    let (sender, bodies) = mpsc::channel();
    let out = BufReader::new(collector.0.stdout.take().unwrap());
    thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let _ = sender.send(serde_json::from_str::<Value>(&line));
        }
    });
    for record in &records {
        let body = bodies.recv_timeout(LIMIT).expect("a record").expect("JSON");
        assert_eq!(body, serde_json::from_str::<Value>(record).unwrap());
    }
}
