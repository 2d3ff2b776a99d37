//! `ship` killed after its records went to another index than the one they were meant for.

use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, thread};

use integration_tests::ship::{Killed, numbers, ship, wait_for};
use integration_tests::{CommandOutput, Fault, StandIn};

const LINES: usize = 10;
/// More than a run meets.
const HANGS_UP: [Fault; 20] = [const { Fault::HangUp { stored: false } }; 20];

#[test]
fn what_went_to_the_next_index_is_looked_for_there() {
    for (name, is_gone, faults) in [
        ("all of it", true, vec![]),
        // every other record is stored where it was meant to be
        ("half of it", false, vec![Fault::Items(404, 2)]),
    ] {
        let server = StandIn::start();
        let folder = tempfile::tempdir().unwrap();
        let lines = (0..LINES).map(|n| format!("{{\"n\":{n}}}\n"));
        fs::write(folder.path().join("app.log"), lines.collect::<String>()).unwrap();
        let ship = || ship(server.url(), folder.path(), "app.log");
        let start = || Killed::start(ship().stderr(Stdio::null()));

        server.inject(HANGS_UP);
        let shipping = start();
        wait_until_met(&server, HANGS_UP.len());
        drop(shipping);
        server.behave();
        server.roll_over("logs-000002");
        if is_gone {
            server.remove_index("logs-000001");
        }

        server.inject(faults);
        server.inject([Fault::HangUp { stored: true }]);
        server.inject(HANGS_UP);
        let shipping = start();
        wait_for(&server, LINES);
        drop(shipping);
        server.behave();
        assert!(!server.documents_in("logs-000002").is_empty(), "{name}");
        server.roll_over("logs-000003");

        let output = CommandOutput::of(ship().args(["--once", "--json"]));
        assert_eq!(output.code, Some(0), "{name}: {output:?}");
        let expected: Vec<_> = (0..LINES as u64).collect();
        assert_eq!(numbers(&server), expected, "{name}");
    }
}

#[track_caller]
fn wait_until_met(server: &StandIn, faults: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while server.faults_left() == faults {
        assert!(Instant::now() < deadline, "nothing is sent");
        thread::sleep(Duration::from_millis(10));
    }
}
