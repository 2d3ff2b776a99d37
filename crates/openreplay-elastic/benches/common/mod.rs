//! A far end that costs nothing here: a process of its own that answers `_bulk` at once.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, thread};

const MARK: &str = "NULL_ENDPOINT";

/// Ends with the benchmark.
pub(crate) struct NullEndpoint {
    child: Child,
    pub(crate) url: String,
    lines: Arc<AtomicUsize>,
}

impl NullEndpoint {
    /// Starts this very program again, which then has to call [`serve_if_asked`].
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .env(MARK, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut url).expect("it says its address");
        let lines = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lines);
        thread::spawn(move || {
            for count in stdout.lines().map_while(Result::ok) {
                counted.store(count.parse().unwrap_or(0), Ordering::Relaxed);
            }
        });
        Self {
            child,
            url: url.trim().to_owned(),
            lines,
        }
    }

    /// How many records it has taken.
    #[allow(dead_code, reason = "one of the two benchmarks asks")]
    pub(crate) fn records(&self) -> usize {
        self.lines.load(Ordering::Relaxed)
    }
}

impl Drop for NullEndpoint {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// To be called first in `main`: in the process of the endpoint it does not return.
pub(crate) fn serve_if_asked() {
    if env::var_os(MARK).is_none() {
        return;
    }
    // ends when the benchmark does, however that ends
    thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("http://{}", listener.local_addr().expect("it is bound"));
    let records = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming().flatten() {
        let records = Arc::clone(&records);
        thread::spawn(move || serve(&stream, &records));
    }
}

fn serve(mut stream: &TcpStream, taken: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::with_capacity(256 * 1024, stream);
    let mut body = Vec::new();
    loop {
        let mut length = 0;
        let mut is_gzip = false;
        let mut is_filtered = false;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            is_filtered |= line.contains("filter_path=");
            is_gzip |= line.starts_with("content-encoding: gzip");
            if line == "\r\n" {
                break;
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
        if is_gzip {
            let mut inflated = Vec::new();
            flate2::read::GzDecoder::new(&body[..])
                .read_to_end(&mut inflated)
                .ok()?;
            body = inflated;
        }
        let status = if body.starts_with(br#"{"create":{}}"#) {
            500
        } else {
            201
        };
        let item = format!(r#"{{"create":{{"_index":"logs-000001","status":{status}}}}}"#);
        let records = body.iter().filter(|byte| **byte == b'\n').count() / 2;
        let items = vec![item; records].join(",");
        let answer = if is_filtered {
            format!(r#"{{"items":[{items}]}}"#)
        } else {
            format!(r#"{{"took":0,"errors":false,"items":[{items}]}}"#)
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nx-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        stream
            .write_all(&[head.as_bytes(), answer.as_bytes()].concat())
            .ok()?;
        // the benchmark reads along
        println!("{}", taken.fetch_add(records, Ordering::Relaxed) + records);
    }
}

/// A record of about 400 bytes, as the JSON layer writes it.
pub(crate) fn line(number: usize) -> String {
    format!(
        concat!(
            r#"{{"@timestamp":"2026-07-01T10:00:00.{:06}Z","utc_time":"2026-07-01T10:00:00.{:06}Z","level":"info","#,
            r#""message":"[openReplaySession.id=4950498349085463837] request finished status=200 took_ms=12 user=u{:05}","#,
            r#""openReplaySession.id":"4950498349085463837","log.logger":"shop::checkout","service.name":"shop","#,
            r#""fields":{{"status":200,"took_ms":12,"user":"u{:05}"}},"spans":[{{"name":"request","method":"GET"}}]}}"#,
            "\n"
        ),
        number % 1_000_000,
        number % 1_000_000,
        number % 100_000,
        number % 100_000,
    )
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
