//! A whole app that is told to stop.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, Instant};

use integration_tests::process::{Example, program};
use integration_tests::{Fault, StandIn};

use crate::support::*;

#[test]
fn an_app_that_is_stopped_while_the_server_hangs_ends_and_reports_the_remaining_records() {
    let server = StandIn::start();
    server.inject([Fault::Stall(Duration::from_secs(600))]);
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("stderr");
    let app = Example::run(
        Command::new(program("axum-app"))
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("ELASTICSEARCH_URL", server.url())
            .env_remove("ELASTICSEARCH_API_KEY")
            .env_remove("RUST_LOG")
            .stderr(File::create(&reports).unwrap()),
    );
    let url = app.url();
    for _ in 0..20 {
        let requests = ureq::get(format!("{url}/api/endpoint")).call();
        assert_eq!(requests.unwrap().status(), 200);
    }
    wait_until("the request hangs", || server.faults_left() == 0);
    let requests = ureq::get(format!("{url}/api/endpoint")).call();
    assert_eq!(requests.unwrap().status(), 200);

    let started = Instant::now();
    let (status, records) = app.terminate();
    assert_gave_up(started);
    assert!(status.success(), "{status}");
    let left = records.len();
    assert!(left > 20, "{left}");
    assert_eq!(
        fs::read_to_string(reports).unwrap(),
        format!(
            "openreplay-elastic: stopped with {left} records that Elasticsearch has not confirmed\n\
             axum-app: {left} records did not reach Elasticsearch\n"
        )
    );
}
