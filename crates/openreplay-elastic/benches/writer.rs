//! From the log call to the wire: `cargo bench -p openreplay-elastic --bench writer`; `-- --quick`
//! runs few rounds.
//!
//! The server responds to `_bulk` at once, in a process of its own. What counts is the CPU time of
//! this process, threads together; each round runs every case once, and the medians of the rounds
//! are compared.

#[path = "common/mod.rs"]
mod common;

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use common::{line, median};
use cpu_time::{ProcessTime, ThreadTime};
use flate2::{Compress, Compression, FlushCompress};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use openreplay_elastic::{ElasticWriter, Guard};
use openreplay_session::{SessionId, sync_scope};
use test_kit::NullEndpoint;
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    NullEndpoint::serve_if_requested();
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (rounds, records) = if quick { (3, 20_000) } else { (15, 200_000) };

    let server = NullEndpoint::start();
    let lines: Vec<String> = (0..records).map(line).collect();
    let bodies = framed(&lines);
    let builder = || ElasticWriter::builder(server.url()).buffer_bytes(256 * 1024 * 1024);
    let (plain, guard) = builder().build().expect("a writer");
    let (gzipped, gzip_guard) = builder().gzip(1).build().expect("a writer");
    let hyper = Hyper::new(server.url());
    let mut compress = Compress::new(Compression::new(1), false);

    // accepts the connection, and sends nothing
    let hanging = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (full, _full_guard) = full(&hanging);

    let sink = json(std::io::sink);
    let events = json(plain.clone());
    let dropped = json(full.clone());

    let mut cases: [Vec<f64>; 9] = Default::default();
    // the first round only warms up
    for round in 0..=rounds {
        let costs = [
            thread(|| log(&sink, records)),
            flushed(&guard, || thread(|| log(&events, records))),
            thread(|| log(&dropped, records)),
            cpu(|| flushed(&guard, || log(&events, records))),
            flushed(&guard, || thread(|| write(&plain, &lines, records))),
            cpu(|| flushed(&guard, || write(&plain, &lines, records))),
            cpu(|| flushed(&gzip_guard, || write(&gzipped, &lines, records))),
            cpu(|| hyper.send(&bodies)),
            cpu(|| deflate(&mut compress, &bodies)),
        ];
        if round > 0 {
            for (case, cost) in cases.iter_mut().zip(costs) {
                case.push(cost / records as f64);
            }
        }
    }
    assert_eq!(plain.stats().dropped + gzipped.stats().dropped, 0);
    assert_eq!(full.stats().indexed, 0);
    let bytes = lines.iter().map(String::len).sum::<usize>() / lines.len();
    println!("CPU time a record of {bytes} bytes, medians of {rounds} rounds of {records}");
    let [
        sink,
        caller,
        dropped,
        event,
        line_caller,
        line,
        gzip,
        hyper,
        deflate,
    ] = cases.map(median);
    for (name, cost) in [
        ("json() into io::sink", sink),
        ("json() into the writer, the caller's thread", caller),
        ("the same while the buffer is full", dropped),
        ("json() into the writer, to the wire, all threads", event),
        (
            "a ready-made line into the writer, the caller's thread",
            line_caller,
        ),
        ("a ready-made line to the wire, all threads", line),
        ("the same with gzip 1", gzip),
        ("plain hyper client, ready-made bodies", hyper),
        ("compressing alone, level 1", deflate),
    ] {
        println!("{name:<62} {cost:>7.0} ns");
    }
    for (name, ratio) in [
        (
            "event to wire, of json() and the plain client (at most 1.5)",
            event / (sink + hyper),
        ),
        (
            "the caller's part, of json() into io::sink (at most 1.3)",
            caller / sink,
        ),
        ("the same while the buffer is full", dropped / sink),
        (
            "what gzip 1 adds, of compressing alone (at most 1.2)",
            (gzip - line) / deflate,
        ),
    ] {
        println!("{name:<62} {ratio:>7.2}");
    }
    println!(
        "{:<62} {:>7.2} million",
        "records a CPU second, event to wire",
        1e3 / event
    );
    println!(
        "{:<62} {:>7.2} million",
        "records a CPU second, ready-made line to wire",
        1e3 / line
    );
}

/// A writer whose server hangs, and whose buffer is full.
fn full(server: &TcpListener) -> (ElasticWriter, Guard) {
    let address = server.local_addr().expect("it is bound");
    let (writer, guard) = ElasticWriter::builder(format!("http://{address}"))
        .buffer_bytes(1024 * 1024)
        .shutdown_timeout(Duration::ZERO)
        .on_diagnostic(|_| {})
        .build()
        .expect("a writer");
    while writer.stats().dropped == 0 {
        writer.write_line(br#"{"level":"info"}"#);
    }
    (writer, guard)
}

fn json<W>(writer: W) -> Dispatch
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = tracing_openreplay::json()
        .with_writer(writer)
        .with_service_name("shop");
    Dispatch::new(tracing_subscriber::registry().with(layer))
}

fn log(to: &Dispatch, records: usize) {
    let session: SessionId = "4950498349085463837".parse().expect("an id");
    with_default(to, || {
        sync_scope(session, || {
            let _span = tracing::info_span!("request", method = "GET").entered();
            for number in 0..records {
                tracing::info!(
                    status = 200,
                    took_ms = 12,
                    user = number,
                    "request finished"
                );
            }
        });
    });
}

fn write(writer: &ElasticWriter, lines: &[String], records: usize) {
    for line in lines.iter().cycle().take(records) {
        let _ = writer.make_writer().write_all(line.as_bytes());
    }
}

/// Then waits until every request has its response.
fn flushed<T>(guard: &Guard, work: impl FnOnce() -> T) -> T {
    let done = work();
    assert!(guard.flush(LIMIT).is_complete());
    done
}

/// Nanoseconds of this thread.
fn thread(work: impl FnOnce()) -> f64 {
    let start = ThreadTime::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// Nanoseconds of all threads.
fn cpu(work: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// Bodies of about 1 MiB, as a client would send them that has them ready.
fn framed(lines: &[String]) -> Vec<Bytes> {
    let mut bodies = Vec::new();
    let mut body = String::new();
    for (number, line) in lines.iter().enumerate() {
        body.push_str(&format!(
            "{{\"create\":{{\"_id\":\"{number:023}\"}}}}\n{line}"
        ));
        if body.len() > 1024 * 1024 || number + 1 == lines.len() {
            bodies.push(Bytes::from(std::mem::take(&mut body)));
        }
    }
    bodies
}

struct Hyper {
    runtime: tokio::runtime::Runtime,
    client: Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
    uri: http::Uri,
}

impl Hyper {
    fn new(url: &str) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            client: Client::builder(TokioExecutor::new()).build_http(),
            uri: format!("{url}/logs/_bulk").parse().expect("an address"),
        }
    }

    fn send(&self, bodies: &[Bytes]) {
        self.runtime.block_on(async {
            for body in bodies {
                let request = http::Request::post(&self.uri)
                    .header("content-type", "application/x-ndjson")
                    .body(Full::new(body.clone()))
                    .expect("a request");
                let response = self.client.request(request).await.expect("a response");
                assert!(response.status().is_success());
                response
                    .into_body()
                    .collect()
                    .await
                    .expect("a whole response");
            }
        });
    }
}

fn deflate(compress: &mut Compress, bodies: &[Bytes]) {
    for body in bodies {
        compress.reset();
        let mut out = Vec::with_capacity(body.len() / 2);
        let status = compress
            .compress_vec(body, &mut out, FlushCompress::Finish)
            .expect("it compresses");
        assert_eq!(status, flate2::Status::StreamEnd);
    }
}
