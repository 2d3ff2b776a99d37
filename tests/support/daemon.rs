//! A real proxy with a configuration of the test's own, in a folder of its own.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::port::free_port;

/// A running proxy; killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    url: String,
    folder: TempDir,
    child: Child,
}

impl Daemon {
    /// Writes the configuration for a folder and a port, and starts the program with it; with
    /// another port where it ends, since somebody may have taken that one.
    ///
    /// # Panics
    ///
    /// Where it is not installed, ends three times, or does not listen within a minute.
    pub fn start(
        configuration: impl Fn(&Path, u16) -> String,
        command: impl Fn(&Path) -> Command,
    ) -> Self {
        let mut ended = Vec::new();
        while ended.len() < 3 {
            match Self::try_start(&configuration, &command) {
                Ok(proxy) => return proxy,
                Err(status) => ended.push(status),
            }
        }
        panic!("the proxy ended: {ended:?}");
    }

    /// Gives how it ended where it does not listen.
    fn try_start(
        configuration: impl Fn(&Path, u16) -> String,
        command: impl Fn(&Path) -> Command,
    ) -> Result<Self, ExitStatus> {
        let folder = TempDir::new().expect("a folder for the proxy");
        let port = free_port();
        let file = folder.path().join("proxy.conf");
        fs::write(&file, configuration(folder.path(), port)).expect("its configuration is written");
        let mut command = command(&file);
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("{command:?}: {error}; scripts/install brings what it needs")
        });
        let mut proxy = Self {
            url: format!("http://127.0.0.1:{port}"),
            folder,
            child,
        };
        proxy.wait_until_it_listens(port)?;
        Ok(proxy)
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its configuration is, and what else it writes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn wait_until_it_listens(&mut self, port: u16) -> Result<(), ExitStatus> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let listens = TcpStream::connect(("127.0.0.1", port)).is_ok();
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return Err(status);
            }
            if listens {
                return Ok(());
            }
            assert!(Instant::now() < deadline, "the proxy does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
