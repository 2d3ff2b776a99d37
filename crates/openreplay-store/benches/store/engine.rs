//! A server in a process of its own: the store, or the Elasticsearch of the project's tests.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use openreplay_store::Keys;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The argument that makes this program the store's server.
pub(crate) const SERVE: &str = "--serve";
const PASSWORD: &str = "benchmark";
const VERSION: &str = "9.1.0";
/// How many times a second the kernel counts.
const TICKS: f64 = 100.0;

/// A running server; killed when dropped.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) authorization: String,
    pub(crate) started: Duration,
    child: Child,
    folder: Arc<TempDir>,
}

impl Engine {
    pub(crate) fn store() -> Self {
        Self::store_in(Arc::new(super::folder()))
    }

    fn store_in(folder: Arc<TempDir>) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(SERVE).arg(folder.path());
        Self::start("the store", &mut command, String::new(), folder)
    }

    /// Kills the store with SIGKILL, and starts it again.
    pub(crate) fn restart(self) -> Self {
        let folder = Arc::clone(&self.folder);
        drop(self);
        Self::store_in(folder)
    }

    /// Elasticsearch with its usual JVM options and 1 GiB, with `logs` as `setup` creates it;
    /// `None` where it is not installed.
    pub(crate) fn elasticsearch() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let engines = root.join("tests/engines");
        let home = root
            .join("target/engines")
            .join(format!("elasticsearch-{VERSION}"));
        let java = Command::new(engines.join("java-home")).output().ok()?;
        let java = String::from_utf8(java.stdout).ok()?;
        let setup = setup_command()?;
        if !home.join("built-from").exists() {
            return None;
        }
        let folder = Arc::new(super::folder());
        let text = |path: &Path| path.display().to_string();
        let mut command = Command::new(Path::new(java.trim()).join("bin/java"));
        command
            .args(["-Xms1g", "-Xmx1g", "--enable-native-access=ALL-UNNAMED"])
            .arg("--sun-misc-unsafe-memory-access=allow")
            .arg(format!("-Des.path.home={}", text(&home)))
            .arg(format!(
                "-Des.nativelibs.path={}",
                text(&home.join("lib/platform/linux-x64"))
            ))
            .arg("-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false")
            .arg("-cp")
            .arg(format!("{0}/bin:{0}/lib/*", text(&home)))
            .arg("EsNode")
            .args([&text(&home), &text(folder.path()), "0"])
            .env("ELASTIC_PASSWORD", PASSWORD);
        let user = base64::Engine::encode(
            &base64::prelude::BASE64_STANDARD,
            format!("elastic:{PASSWORD}"),
        );
        let engine = Self::start(
            "Elasticsearch",
            &mut command,
            format!("Basic {user}"),
            folder,
        );
        let done = Command::new(setup)
            .arg("setup")
            .env("ELASTICSEARCH_URL", &engine.url)
            .env("ELASTICSEARCH_USER", "elastic")
            .env("ELASTICSEARCH_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .status();
        assert!(done.is_ok_and(|status| status.success()), "`setup` failed");
        Some(engine)
    }

    /// Starts a server that prints `READY URL`.
    fn start(
        name: &'static str,
        command: &mut Command,
        authorization: String,
        folder: Arc<TempDir>,
    ) -> Self {
        let start = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let url = line.strip_prefix("READY ")?;
            Some(url.to_owned())
        });
        let started = start.elapsed();
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            name,
            url: url.expect("the server says where it listens"),
            authorization,
            started,
            child,
            folder,
        }
    }

    /// CPU time of all its threads, in seconds; 0 where the system does not say.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = self.proc("stat");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        // utime and stime
        let times = after_name.split_whitespace().skip(11).take(2);
        times
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum::<f64>()
            / TICKS
    }

    /// What it has written to the disk, in bytes.
    pub(crate) fn written(&self) -> u64 {
        number(&self.proc("io"), "write_bytes: ")
    }

    /// In MiB: `VmRSS` for now, `VmHWM` for the most so far.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        number(&self.proc("status"), &format!("{name}:")) / 1024
    }

    /// What its files take, in MiB.
    pub(crate) fn disk(&self) -> f64 {
        size(self.folder.path()) as f64 / 1024.0 / 1024.0
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return fs::metadata(path).map_or(0, |file| file.len());
    };
    entries.flatten().map(|entry| size(&entry.path())).sum()
}

/// `openreplay-elastic`, if it was built: `target/release/openreplay-elastic`, or that of a debug
/// build.
fn setup_command() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    ["release", "debug"]
        .iter()
        .map(|profile| target.join(profile).join("openreplay-elastic"))
        .find(|program| program.exists())
}

/// Serves the store in a folder until it is killed.
pub(crate) fn serve(folder: &Path) {
    let store = super::open(folder);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(any).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        println!("READY http://{address}");
        let service = TowerToHyperService::new(store.service(Keys::none()));
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                let mut builder = Builder::new(TokioExecutor::new());
                builder.http1().max_buf_size(64 * 1024);
                let _ = builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}
