//! A whole app that is told to stop.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, Instant};

use integration_tests::process::{Example, program};
use integration_tests::{Fault, StandIn};

use crate::support::*;

#[test]
fn an_app_told_to_stop_while_the_far_end_hangs_ends_and_says_what_was_left() {
    let far_end = StandIn::start();
    far_end.inject([Fault::Stall(Duration::from_secs(600))]);
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let app = Example::run(
        Command::new(program("axum-app"))
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("ELASTICSEARCH_URL", far_end.url())
            .env_remove("ELASTICSEARCH_API_KEY")
            .env_remove("RUST_LOG")
            .stderr(File::create(&said).unwrap()),
    );
    let url = app.url();
    for _ in 0..20 {
        let asked = ureq::get(format!("{url}/api/endpoint")).call();
        assert_eq!(asked.unwrap().status(), 200);
    }
    wait_until("the request hangs", || far_end.faults_left() == 0);
    let asked = ureq::get(format!("{url}/api/endpoint")).call();
    assert_eq!(asked.unwrap().status(), 200);

    let started = Instant::now();
    let (status, records) = app.terminate();
    assert_gave_up(started);
    assert!(status.success(), "{status}");
    let left = records.len();
    assert!(left > 20, "{left}");
    assert_eq!(
        fs::read_to_string(said).unwrap(),
        format!(
            "openreplay-elastic: stopped with {left} records that Elasticsearch has not confirmed\n\
             axum-app: {left} records did not reach Elasticsearch\n"
        )
    );
}
