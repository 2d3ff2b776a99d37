//! The page's commands, run as they stand: at SIGTERM, everything that the app wrote is delivered.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::guide;
use integration_tests::ship::Killed;

use super::{LIMIT, PAGE, Store, assert_rows, manifest, path_with_command, records, write_shop};

#[test]
fn a_pipe_delivers_what_the_app_writes_and_passes_it_on() {
    let store = Store::start();
    let folder = tempfile::tempdir().unwrap();
    let records = records();
    write_shop(folder.path(), &records);
    let fifo = folder.path().join("pipe");
    let [commands] = guide::commands(PAGE, &[("/tmp/records", fifo.to_str().unwrap())]);
    let path = format!("{}:{}", folder.path().display(), path_with_command());
    let mut command = Command::new("sh");
    command
        .args(["-c", &commands])
        .env("PATH", path)
        .env("ELASTICSEARCH_URL", store.url())
        .env("ELASTICSEARCH_API_KEY", store.key())
        .stdout(Stdio::piped());
    let mut shell = Killed::start(&mut command);
    assert_rows(&store.rows(1), &records[..1]);
    terminate(&mut shell);
    assert_rows(&store.rows(2), &records);
    let mut passed_on = String::new();
    let mut out = shell.0.stdout.take().unwrap();
    std::io::Read::read_to_string(&mut out, &mut passed_on).unwrap();
    assert_eq!(passed_on, records.join("\n") + "\n");
}

#[test]
#[ignore = "needs Kubernetes' own types"]
fn a_sidecar_delivers_what_the_app_writes_at_its_end() {
    let store = Store::start();
    let folder = tempfile::tempdir().unwrap();
    let records = records();
    let container = &manifest("Pod")["spec"]["initContainers"][0];
    let script = container["args"][0].as_str().unwrap();
    let logs = folder.path().to_str().unwrap();
    let script = script.replace("/logs", logs);
    let [shell, option] = [0, 1].map(|at| container["command"][at].as_str().unwrap());
    let mut command = Command::new(shell);
    command
        .args([option, &script])
        .env("PATH", path_with_command())
        .env("ELASTICSEARCH_URL", store.url())
        .env("ELASTICSEARCH_API_KEY", store.key());
    let file = folder.path().join("shop.log");
    fs::write(&file, records[0].clone() + "\n").unwrap();
    let mut sidecar = Killed::start(&mut command);
    store.rows(1);
    // the app's last line, and SIGTERM at once
    fs::write(&file, records.join("\n") + "\n").unwrap();
    terminate(&mut sidecar);
    assert_rows(&store.rows(2), &records);
}

/// Sends SIGTERM, and waits for the end.
fn terminate(process: &mut Killed) {
    let pid = process.0.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    let end = Instant::now() + LIMIT;
    while process.0.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "it does not end");
        thread::sleep(Duration::from_millis(20));
    }
}
