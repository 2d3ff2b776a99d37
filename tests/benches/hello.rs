//! What one record per request costs a server: the CPU time of an axum service under load that logs
//! to /dev/null or not at all.
//!
//! `cargo bench -p integration-tests --bench hello`. The service is this program in a process of
//! its own, so that the load is not counted. Rounds are interleaved, the figures medians; with
//! `--quick` they mean little. CPU time is read from `/proc`, so this is for Linux.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
};

use axum::{Router, routing::get};
use tower::layer::util::Identity;
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tower_openreplay::{RequestLogLayer, SessionLayer};
use tracing::Level;
use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

const CONNECTIONS: usize = 16;
const REQUEST: &[u8] = b"GET /api/endpoint HTTP/1.1\r\nHost: bench\r\nopenReplaySession.id: 4950498349085463837\r\n\r\n";

/// With what the service runs.
const WAYS: [&str; 5] = [
    "nothing",
    // axum boxes a route once more for a layer, whatever the layer does
    "a layer without effect",
    "SessionLayer",
    "RequestLogLayer, json()",
    "TraceLayer, fmt json",
];

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--serve") {
        return serve(&arguments[at + 1]);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let (rounds, requests) = if quick { (1, 200) } else { (41, 1_000) };
    let mut services: Vec<_> = WAYS.iter().map(|way| Service::start(way)).collect();
    let mut samples = vec![Vec::with_capacity(rounds); services.len()];
    for _ in 0..rounds {
        for (service, samples) in services.iter().zip(&mut samples) {
            samples.push(service.cpu_per_request(requests));
        }
    }
    let medians: Vec<f64> = samples.into_iter().map(median).collect();
    println!("{:<24} {:>12} {:>12}", "", "µs a request", "of nothing");
    for (way, micros) in WAYS.iter().zip(&medians) {
        println!("{way:<24} {micros:>12.1} {:>12.2}", micros / medians[0]);
    }
    for service in &mut services {
        service.stop();
    }
}

#[tokio::main]
async fn serve(way: &str) {
    let null = fs::File::options()
        .write(true)
        .open("/dev/null")
        .expect("there is one");
    let mut app = Router::new().route("/api/endpoint", get(endpoint));
    match way {
        "nothing" => {}
        "a layer without effect" => app = app.layer(Identity::new()),
        "SessionLayer" => app = app.layer(SessionLayer::new()),
        "RequestLogLayer, json()" => {
            tracing_subscriber::registry()
                .with(tracing_openreplay::json().with_writer(std::sync::Arc::new(null)))
                .with(LevelFilter::INFO)
                .init();
            app = app.layer(RequestLogLayer::new()).layer(SessionLayer::new());
        }
        _ => {
            tracing_subscriber::registry()
                .with(fmt::layer().json().with_writer(std::sync::Arc::new(null)))
                .with(LevelFilter::INFO)
                .init();
            let trace = TraceLayer::new_for_http()
                .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
                .on_response(DefaultOnResponse::new().level(Level::INFO));
            app = app.layer(trace);
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port");
    println!("{}", listener.local_addr().expect("it is bound"));
    axum::serve(listener, app)
        .await
        .expect("it serves until it is stopped");
}

async fn endpoint() -> &'static str {
    "Success"
}

struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(way: &str) -> Self {
        let mut process = Command::new(env::current_exe().expect("it runs"))
            .args(["--serve", way])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts once more");
        let mut address = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("it prints its address");
        Self {
            process,
            address: address.trim().to_owned(),
        }
    }

    fn stop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it was started here");
    }

    /// Microseconds of CPU time of the whole process, a request.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn cpu_per_request(&self, requests: usize) -> f64 {
        let before = self.cpu();
        thread::scope(|threads| {
            for _ in 0..CONNECTIONS {
                threads.spawn(|| load(&self.address, requests));
            }
        });
        (self.cpu() - before) as f64 / 1000.0 / (requests * CONNECTIONS) as f64
    }

    /// Nanoseconds that all threads of the process ran.
    fn cpu(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("it runs");
        tasks
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
            .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
            .sum()
    }
}

/// One request after the other on one connection.
fn load(address: &str, requests: usize) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(true).expect("it is connected");
    let mut response = [0; 1024];
    for _ in 0..requests {
        stream.write_all(REQUEST).expect("it reads");
        let length = stream.read(&mut response).expect("it responds");
        assert!(response[..length].ends_with(b"Success"));
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
