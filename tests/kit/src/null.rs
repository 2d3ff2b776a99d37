//! A stand-in for Elasticsearch that costs a benchmark nothing: it runs in a process of its own.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::http::{Outcome, Request, Response, Server};

const MARK: &str = "NULL_ENDPOINT";

/// Accepts every record, and keeps none. Ends with the benchmark.
#[derive(Debug)]
pub struct NullEndpoint {
    child: Child,
    url: String,
    records: Arc<AtomicUsize>,
}

impl NullEndpoint {
    /// Starts this very program again, which then has to call
    /// [`serve_if_requested`](Self::serve_if_requested).
    ///
    /// # Panics
    ///
    /// If the program does not start.
    #[must_use]
    pub fn start() -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .env(MARK, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut url).expect("it prints its address");
        let records = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&records);
        thread::spawn(move || {
            for count in stdout.lines().map_while(Result::ok) {
                counted.store(count.parse().unwrap_or(0), Ordering::Relaxed);
            }
        });
        Self {
            child,
            url: url.trim().to_owned(),
            records,
        }
    }

    /// Serves, in the process that [`start`](Self::start) starts, and does not return there. Call
    /// this first in `main`.
    pub fn serve_if_requested() {
        if env::var_os(MARK).is_none() {
            return;
        }
        let records = AtomicUsize::new(0);
        let server = Server::start(move |request| {
            let (response, count) = respond(request);
            // the benchmark reads along
            println!("{}", records.fetch_add(count, Ordering::Relaxed) + count);
            Outcome::Respond(response)
        });
        println!("{}", server.url());
        // ends when the benchmark does, however that ends
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    }

    /// Returns `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns how many records it has accepted.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }
}

impl Drop for NullEndpoint {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn respond(request: &Request) -> (Response, usize) {
    // which engine it is
    if request.path() == "/" {
        return (Response::new(200, "{}"), 0);
    }
    // a question, not a record: an invalid document, by which the index behind the alias is found
    let is_question = request.body.starts_with(br#"{"create":{}}"#);
    let status = if is_question { 500 } else { 201 };
    let item = format!(r#"{{"create":{{"_index":"logs-000001","status":{status}}}}}"#);
    let records = request.body.iter().filter(|byte| **byte == b'\n').count() / 2;
    let items = vec![item; records].join(",");
    let body = if request.path().contains("filter_path=") {
        format!(r#"{{"items":[{items}]}}"#)
    } else {
        format!(r#"{{"took":0,"errors":false,"items":[{items}]}}"#)
    };
    (Response::new(200, body), records)
}
