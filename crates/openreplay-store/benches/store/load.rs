//! The servers under load: many records at a time, few at a time, and OpenReplay's query.

use std::io::Write as _;
use std::ops::Range;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::engine::Engine;
use crate::record::{RECORDS_EACH, body, sessions};
use crate::{CLIENTS, LARGE, SMALL, median};

/// As our own clients request it.
const BULK: &str =
    "/logs/_bulk?filter_path=items.*._index,items.*.status,items.*.error.type,items.*.error.reason";

#[derive(Clone, Copy)]
enum Encoding {
    Identity,
    Gzip,
}

/// The store and, if it is installed, Elasticsearch.
pub(crate) fn compare(quick: bool) {
    let (large, small) = if quick {
        (10_000, 1_000)
    } else {
        (200_000, 20_000)
    };
    measure(&Engine::store(), large, small);
    if quick {
        return;
    }
    match Engine::elasticsearch() {
        Some(engine) => measure(&engine, large, small),
        None => println!(
            "no Elasticsearch: run scripts/install, and build the command with `cargo build -p openreplay-elastic-cli`"
        ),
    }
}

fn measure(engine: &Engine, large: usize, small: usize) {
    println!("{}, over HTTP", engine.name);
    println!(
        "  starts in {:.0?}, idle with {} MiB",
        engine.started,
        engine.memory("VmRSS")
    );
    load(engine, "1 MiB at a time", 0..large, LARGE, 1);
    println!("  {:.0} MiB on disk for {large} records", engine.disk());
    ask(engine, large);
    load(
        engine,
        "5 at a time, 8 clients",
        large..large + small,
        SMALL,
        CLIENTS,
    );
    load_with(
        engine,
        "the same, gzip",
        large + small..large + 2 * small,
        SMALL,
        CLIENTS,
        Encoding::Gzip,
    );
    println!("  {} MiB of memory at most", engine.memory("VmHWM"));
}

/// A store with so many records.
pub(crate) fn many(records: usize) {
    let engine = Engine::store();
    load(&engine, "1 MiB at a time", 0..records, LARGE, 1);
    println!("  {:.0} MiB on disk for {records} records", engine.disk());
    println!("  {} MiB of memory at most", engine.memory("VmHWM"));
    let engine = engine.restart();
    println!("  starts in {:.0?} after SIGKILL", engine.started);
    ask(&engine, records);
    println!("  {} MiB of memory after that", engine.memory("VmRSS"));
}

fn load(engine: &Engine, what: &str, records: Range<usize>, at_a_time: usize, clients: usize) {
    load_with(
        engine,
        what,
        records,
        at_a_time,
        clients,
        Encoding::Identity,
    );
}

fn load_with(
    engine: &Engine,
    what: &str,
    records: Range<usize>,
    at_a_time: usize,
    clients: usize,
    encoding: Encoding,
) {
    let started = Instant::now();
    let (cpu, written) = (engine.cpu(), engine.written());
    let count = records.len();
    let starts: Vec<_> = records.clone().step_by(at_a_time).collect();
    let bytes: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|client| {
                let starts = starts.iter().skip(client).step_by(clients);
                let end = records.end;
                scope.spawn(move || {
                    send(
                        engine,
                        starts.map(|start| *start..end.min(start + at_a_time)),
                        encoding,
                    )
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no client fails"))
            .sum()
    });
    let rate = count as f64 / (engine.cpu() - cpu);
    let written = (engine.written() - written) as f64 / bytes as f64;
    let requests = starts.len() as f64 / started.elapsed().as_secs_f64();
    println!(
        "  {what:<24} {rate:>9.0} records per CPU second, {written:.1} bytes written per byte, {requests:.0} requests/s"
    );
}

/// Sends the records, and returns their bytes.
fn send(engine: &Engine, batches: impl Iterator<Item = Range<usize>>, encoding: Encoding) -> usize {
    let agent = agent();
    let mut bytes = 0;
    for batch in batches {
        let count = batch.len();
        let body = body(batch);
        bytes += body.len();
        let response = match encoding {
            Encoding::Identity => post(&agent, engine, BULK, body.as_bytes(), "identity"),
            Encoding::Gzip => post(&agent, engine, BULK, &gzip(&body), "gzip"),
        };
        assert_eq!(
            response.matches("\"status\":201").count(),
            count,
            "{response}"
        );
    }
    bytes
}

/// OpenReplay's query, for about 200 sessions and then again.
fn ask(engine: &Engine, records: usize) {
    let agent = agent();
    if !engine.authorization.is_empty() {
        post(&agent, engine, "/logs/_refresh", b"", "identity");
    }
    let ask = |session: &u64| {
        let query = format!(
            r#"{{"size":1000,"query":{{"match_phrase":{{"message":"openReplaySession.id={session}"}}}}}}"#
        );
        let asked = Instant::now();
        let response = post(
            &agent,
            engine,
            "/logs/_search",
            query.as_bytes(),
            "identity",
        );
        let took = asked.elapsed().as_secs_f64() * 1_000.0;
        assert_eq!(
            response.matches("\"_source\"").count(),
            RECORDS_EACH,
            "{response}"
        );
        took
    };
    let some = some(sessions(records).collect());
    let cold = median(some.iter().map(ask));
    let warm = median(some.iter().map(ask));
    println!("  a session of {RECORDS_EACH} records in {cold:.2} ms, and again in {warm:.2} ms");
}

/// About 200 of them, evenly chosen.
fn some(sessions: Vec<u64>) -> Vec<u64> {
    let step = (sessions.len() / 200).max(1);
    sessions.into_iter().step_by(step).collect()
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.build().into()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

fn post(agent: &ureq::Agent, engine: &Engine, path: &str, body: &[u8], encoding: &str) -> String {
    let mut request = agent
        .post(format!("{}{path}", engine.url))
        .header("content-type", "application/json")
        .header("content-encoding", encoding);
    if !engine.authorization.is_empty() {
        request = request.header("authorization", &engine.authorization);
    }
    let mut response = request.send(body).expect("a response");
    let body = response.body_mut().with_config().limit(u64::MAX);
    body.read_to_string().expect("a text")
}
