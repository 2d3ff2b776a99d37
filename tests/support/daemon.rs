//! A real proxy with a configuration of the test's own, in a folder of its own.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A running proxy; killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    url: String,
    folder: TempDir,
    child: Child,
}

impl Daemon {
    /// Writes the configuration for a folder and a port, and starts the program with it.
    ///
    /// # Panics
    ///
    /// Where it is not installed, or does not listen within ten seconds.
    pub fn start(
        configuration: impl FnOnce(&Path, u16) -> String,
        command: impl FnOnce(&Path) -> Command,
    ) -> Self {
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
        proxy.wait_until_it_listens(port);
        proxy
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

    fn wait_until_it_listens(&mut self, port: u16) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.try_wait().expect("it is ours");
            assert!(ended.is_none(), "the proxy ended: {ended:?}");
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

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}
