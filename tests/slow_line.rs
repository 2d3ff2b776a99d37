//! `ship` and `ElasticWriter` over a line that carries a request of usual length only after the
//! time that a request may take.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use integration_tests::ship::{numbers, ship};
use integration_tests::throttle::Throttle;
use integration_tests::{CommandOutput, StandIn};
use openreplay_elastic::ElasticWriter;

const MIB: u64 = 1 << 20;

/// The line is never idle but for short pauses, so its bytes stand for its time.
#[test]
fn ship_sends_no_more_over_a_slow_line_than_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    let line = Throttle::start(server.address(), MIB);
    let (mut text, records) = (String::new(), 8_000);
    for n in 0..records {
        let rest = "x".repeat(950);
        writeln!(text, r#"{{"n":{n},"message":"{rest}"}}"#).unwrap();
    }
    fs::write(folder.path().join("app.log"), &text).unwrap();
    let mut ship = ship(line.url(), folder.path(), "app.log");
    ship.args(["--once", "--json", "--request-timeout", "4s"]);
    let output = CommandOutput::of(&mut ship);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(numbers(&server), (0..records).collect::<Vec<_>>());
    assert_eq!(server.sent_again(), 0);
    let (carried, length) = (line.carried(), text.len() as u64);
    assert!(carried < length * 5 / 4, "{carried} bytes for {length}");
}

/// With the usual time limit of 30 seconds, in which this line carries no more than the file: one
/// request for all of it would get no response in time.
#[test]
#[ignore = "needs half a minute"]
fn a_line_of_200_kib_per_second_carries_little_but_records_that_are_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    server.keep_received();
    let line = Throttle::start(server.address(), 200 << 10);
    let (mut text, records) = (String::new(), 6_200);
    for n in 0..records {
        let rest = "x".repeat(970);
        writeln!(text, r#"{{"n":{n},"message":"{rest}"}}"#).unwrap();
    }
    fs::write(folder.path().join("app.log"), &text).unwrap();
    let mut ship = ship(line.url(), folder.path(), "app.log");
    let output = CommandOutput::of(ship.args(["--once", "--json"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(numbers(&server), (0..records).collect::<Vec<_>>());
    assert_eq!(server.sent_again(), 0);
    let received = server.received();
    let mut bulk = received.iter().filter(|text| text.contains("/_bulk"));
    let (_, first) = bulk.next().unwrap().split_once("\r\n\r\n").unwrap();
    // The line carries it in five seconds, and then its records are acknowledged.
    assert!(first.len() as u64 <= MIB, "{} bytes", first.len());
    let (carried, acknowledged) = (line.carried(), text.len() as u64);
    assert!(
        acknowledged * 5 >= carried * 4,
        "{carried} bytes for {acknowledged}"
    );
}

#[test]
fn a_writer_finds_what_fits_through_a_slow_line() {
    let server = StandIn::start();
    let line = Throttle::start(server.address(), MIB / 2);
    let (writer, guard) = ElasticWriter::builder(line.url())
        .request_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let records = 3_000;
    for n in 0..records {
        let rest = "x".repeat(950);
        writer.write_line(format!(r#"{{"n":{n},"message":"{rest}"}}"#).as_bytes());
    }
    assert!(guard.flush(Duration::from_secs(60)).is_complete());
    assert_eq!(numbers(&server), (0..records).collect::<Vec<_>>());
    // The first MiB takes two seconds, the half of it one, and less is in time.
    let (carried, length) = (line.carried(), records * 1_024);
    assert!(carried < length + 3 * MIB, "{carried} bytes for {length}");
}
