//! The process of an engine.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Kind, PASSWORD, START_LIMIT, workspace};
use crate::port::free_port;

/// One engine process after the other on the same port and data folder.
#[derive(Debug)]
pub(super) struct Node {
    child: Option<Child>,
    data: PathBuf,
    pub(super) port: u16,
}

impl Node {
    /// On a port that nobody else took while the engine was starting.
    pub(super) fn start(kind: &Kind) -> Self {
        let data = workspace().join(format!(
            "target/engines/data/{}-{}-{}",
            kind.name,
            kind.version,
            std::process::id()
        ));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).expect("a data folder");
        let mut node = Self {
            child: None,
            data,
            port: 0,
        };
        for _ in 0..3 {
            node.port = free_port();
            match node.try_spawn(kind) {
                Ok(()) => return node,
                Err(output) if is_port_taken(&output) => node.kill(),
                Err(output) => panic!("{output}"),
            }
        }
        panic!("three free ports were taken by others");
    }

    pub(super) fn spawn(&mut self, kind: &Kind) {
        self.try_spawn(kind)
            .unwrap_or_else(|output| panic!("{output}"));
    }

    /// Returns its output if it does not start.
    fn try_spawn(&mut self, kind: &Kind) -> Result<(), String> {
        let log = self.data.join("stderr.log");
        let mut command = Command::new(
            workspace()
                .join("tests/engines")
                .join(kind.name)
                .join("run"),
        );
        command
            .arg(&self.data)
            .arg(self.port.to_string())
            .arg(kind.version)
            // its end of this pipe closes with this process, however that ends
            .env("EPHEMERAL", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log file"));
        if kind.secured {
            command.env("ELASTIC_PASSWORD", PASSWORD);
        }
        let mut child = command.spawn().expect("the engine's run script starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        self.child = Some(child);

        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // its log, which is kept flowing after that
                let _ = ready.send(line);
            }
        });
        wait_until_ready(kind, &is_ready, &log)
    }

    pub(super) fn is_running(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Where it runs.
    pub(super) fn signal(&self, signal: &str) {
        let Some(child) = &self.child else { return };
        let done = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(done.success(), "kill {signal}");
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is a child of ours");
            child.wait().expect("it is a child of ours");
        }
    }
}

/// Waits for the line in which the engine's run script reports that the engine is ready. Returns
/// its output if the engine does not start.
fn wait_until_ready(kind: &Kind, lines: &mpsc::Receiver<String>, log: &Path) -> Result<(), String> {
    let started = Instant::now();
    let mut output = Vec::new();
    loop {
        match lines.recv_timeout(Duration::from_secs(1)) {
            Ok(line) if line.starts_with("READY ") => return Ok(()),
            Ok(line) => output.push(line),
            Err(error) => {
                let log = fs::read_to_string(log).unwrap_or_default();
                // other threads may keep the process alive
                let has_ended = error == RecvTimeoutError::Disconnected
                    || log.contains("Exception in thread \"main\"");
                if has_ended || started.elapsed() > START_LIMIT {
                    let output = output.join("\n");
                    return Err(format!(
                        "{} {} did not start; has scripts/install run? Its output:\n{output}\n{log}",
                        kind.name, kind.version
                    ));
                }
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.data);
    }
}

fn is_port_taken(output: &str) -> bool {
    output.contains("BindException: Address already in use")
}
