//! What the README and the pages of docs/ tell a reader to do, done as it stands there.

mod elasticsearch;
mod no_row;
mod readme;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{Said, Terminal};

/// The session of the guide.
const SESSION: &str = "4950498349085463837";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `127.0.0.1:PORT`, which is free.
fn free_address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    free.expect("a free port").to_string()
}

/// Runs these lines until they succeed: a record takes a second or two.
#[track_caller]
fn soon(terminal: &mut Terminal, lines: &str) -> Said {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let said = terminal.run(lines);
        if said.code == Some(0) {
            return said;
        }
        assert!(Instant::now() < end, "{lines}: {said:?}");
        thread::sleep(Duration::from_millis(200));
    }
}
