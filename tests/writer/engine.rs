//! The same with a real Elasticsearch, and the privilege `create_doc` alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::{Cut, Elasticsearch, Elasticsearch8, Engine, OpenSearch, Proxy};
use openreplay_elastic::ElasticWriter;
use serde_json::{Value, json};

use crate::support::*;

/// An engine with `logs` as an alias, and the encoded key of somebody who may add documents to it
/// and nothing else.
pub(crate) fn engine() -> (Engine, String) {
    with_key(Elasticsearch::start())
}

pub(crate) fn with_key(engine: Engine) -> (Engine, String) {
    make_logs(&engine);
    let key = key(&engine, &["logs", "logs-*"]);
    (engine, key)
}

pub(crate) fn make_logs(engine: &Engine) {
    engine.ok("PUT", "/logs-000001", r#"{"aliases":{"logs":{"is_write_index":true}},"settings":{"number_of_shards":1,"number_of_replicas":0}}"#);
}

fn key(engine: &Engine, names: &[&str]) -> String {
    let role = json!({"cluster": [], "indices": [{"names": names, "privileges": ["create_doc"]}]});
    let body = json!({"name": "writer", "role_descriptors": {"writer": role}});
    let made = engine.ok("POST", "/_security/api_key", &body.to_string());
    made["encoded"].as_str().expect("an encoded key").to_owned()
}

pub(crate) fn documents(engine: &Engine) -> Vec<Value> {
    engine.ok("POST", "/logs/_refresh", "");
    let found = engine.ok("GET", "/logs/_search?size=10000", "");
    let hits = found["hits"]["hits"].as_array().expect("hits");
    hits.iter().map(|hit| hit["_source"].clone()).collect()
}

pub(crate) fn writer(engine: &Engine, key: &str) -> (ElasticWriter, openreplay_elastic::Guard) {
    let builder = ElasticWriter::builder(engine.url())
        .api_key(key)
        .on_diagnostic(|_| {});
    builder
        .flush_interval(Duration::from_millis(100))
        .build()
        .unwrap()
}

#[test]
#[ignore = "needs Elasticsearch"]
fn an_engine_that_comes_twenty_seconds_late_gets_every_record_once() {
    // of version 8, which has little else to do: the other tests need not wait
    let (engine, key) = with_key(Elasticsearch8::start());
    engine.kill();
    let (writer, guard) = writer(&engine, &key);
    let watch = watch(&writer);
    let started = Instant::now();
    let mut written = 0;
    while started.elapsed() < Duration::from_secs(20) {
        write(&writer, written..written + 10);
        written += 10;
        thread::sleep(Duration::from_millis(50));
    }
    engine.restart();
    assert!(guard.flush(LIMIT).is_complete());
    watch.stop();
    assert_once(&documents(&engine), 0..written);
    assert_eq!(writer.stats().indexed, written as u64);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn an_engine_killed_under_load_again_and_again_gets_every_record_once() {
    let (engine, key) = engine();
    let (writer, guard) = writer(&engine, &key);
    let watch = watch(&writer);
    let mut written = 0;
    for _ in 0..3 {
        let load = {
            let writer = writer.clone();
            thread::spawn(move || {
                for start in (written..written + 2_000).step_by(50) {
                    write(&writer, start..start + 50);
                    thread::sleep(Duration::from_millis(50));
                }
            })
        };
        written += 2_000;
        thread::sleep(Duration::from_millis(700));
        engine.kill();
        engine.restart();
        load.join().unwrap();
    }
    assert!(guard.flush(LIMIT).is_complete());
    watch.stop();
    assert_once(&documents(&engine), 0..written);
    assert_eq!(writer.stats().indexed, written as u64);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_rollover_between_a_lost_response_and_its_retry_doubles_nothing() {
    let (engine, key) = engine();
    doubles_nothing_over_a_rollover(&engine, Some(&key));
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_rollover_between_a_lost_response_and_its_retry_doubles_nothing_on_elasticsearch_8() {
    let (engine, key) = with_key(Elasticsearch8::start());
    doubles_nothing_over_a_rollover(&engine, Some(&key));
}

#[test]
#[ignore = "needs OpenSearch"]
fn a_rollover_between_a_lost_response_and_its_retry_doubles_nothing_on_opensearch() {
    let engine = OpenSearch::start();
    make_logs(&engine);
    doubles_nothing_over_a_rollover(&engine, None);
}

fn doubles_nothing_over_a_rollover(engine: &Engine, key: Option<&str>) {
    let proxy = Proxy::start(engine.address(), |_| None);
    let mut builder = quick(&proxy.url()).on_diagnostic(|_| {});
    if let Some(key) = key {
        builder = builder.api_key(key);
    }
    let (writer, guard) = builder.build().unwrap();
    let mut written = 0;
    for before in [false, true] {
        write(&writer, written..written + 100);
        assert!(guard.flush(LIMIT).is_complete());
        if before {
            // the writer knows the old index still, and its records go to the new one
            engine.ok("POST", "/logs/_rollover", "");
        }
        proxy.lose_next_response();
        write(&writer, written + 100..written + 200);
        wait_until("a response is lost", || proxy.is_down());
        if !before {
            engine.ok("POST", "/logs/_rollover", "");
        }
        proxy.heal();
        assert!(guard.flush(LIMIT).is_complete());
        written += 200;
        assert_once(&documents(engine), 0..written);
    }
    assert_eq!(writer.stats().indexed, written as u64);
}

/// Connections are cut at random bytes of requests and responses, the engine hangs, its indices
/// take no records, `logs` rolls over.
#[test]
#[ignore = "needs Elasticsearch"]
fn any_mixture_of_faults_leaves_each_record_there_once() {
    let (engine, key) = with_key(Elasticsearch8::start());
    for seed in seeds(1) {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let proxy = Proxy::start(engine.address(), move |connection| {
            let mut random = fastrand::Rng::with_seed(seed ^ connection as u64);
            // some end with the time limit instead, so their number proves little
            (!ends.load(Ordering::Relaxed)).then(|| Cut::random(&mut random, 40_000))
        });
        let (writer, guard) = quick(&proxy.url())
            .api_key(&key)
            .request_timeout(Duration::from_millis(500))
            .on_diagnostic(|_| {})
            .build()
            .unwrap();
        let watch = watch(&writer);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut written = 0;
        while proxy.cuts() < 20 {
            write(&writer, written..written + 10);
            written += 10;
            match random.u8(..16) {
                0 => {
                    engine.pause();
                    thread::sleep(Duration::from_millis(random.u64(..900)));
                    engine.resume();
                }
                1 => drop(engine.ok("POST", "/logs/_rollover", "")),
                2 => block(&engine, true),
                3 => block(&engine, false),
                _ => {
                    let _ = guard.flush(Duration::from_millis(random.u64(..100)));
                }
            }
        }
        is_over.store(true, Ordering::Relaxed);
        block(&engine, false);
        // each ends the pause that the last cut brought
        wait_until("all is stored", || {
            guard.flush(Duration::from_millis(100)).is_complete()
        });
        watch.stop();
        let (cuts, responses) = (proxy.cuts(), proxy.responses_cut());
        println!(
            "seed {seed}: {written} records, {} requests and {responses} responses cut",
            cuts - responses
        );
        assert_once(&documents(&engine), 0..written);
        assert_eq!(writer.stats().indexed, written as u64, "seed {seed}");
    }
}

/// Whether the indices behind `logs` take no records.
fn block(engine: &Engine, is: bool) {
    let settings = json!({"index.blocks.write": is}).to_string();
    engine.ok("PUT", "/logs/_settings", &settings);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_key_for_the_alias_alone_suffices_while_nothing_is_lost() {
    let (engine, _) = engine();
    let key = key(&engine, &["logs"]);
    let (writer, guard) = writer(&engine, &key);
    write(&writer, 0..500);
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_once(&documents(&engine), 0..500);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn without_the_alias_nothing_is_made_and_setup_is_advised() {
    let engine = Elasticsearch::start();
    let reports = Reports::default();
    let builder = quick(engine.url()).basic(
        integration_tests::engine::USER,
        integration_tests::engine::PASSWORD,
    );
    let (writer, guard) = builder.on_diagnostic(reports.listen()).build().unwrap();
    write(&writer, 0..10);
    reports.wait_for("run `openreplay-elastic setup`");
    assert_eq!(engine.request("GET", "/logs", "").0, 404);
    make_logs(&engine);
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&documents(&engine), 0..10);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn records_that_the_mapping_rejects_are_stored_with_their_fixed_fields() {
    let (engine, key) = engine();
    let (writer, guard) = writer(&engine, &key);
    let with = |number: usize, value: Value| {
        json!({"level": "error", "message": format!("[openReplaySession.id=7] {number}"), "value": value}).to_string()
    };
    for (number, value) in [
        json!(1),
        json!("text"),
        json!({"an": "object"}),
        json!([[1], {"a": 2}]),
    ]
    .into_iter()
    .enumerate()
    {
        writer.write_line(with(number, value).as_bytes());
        assert!(guard.flush(LIMIT).is_complete());
    }
    // twice the same name, a name that is none, and nesting beyond the limit
    writer.write_line(br#"{"level":"error","message":"[openReplaySession.id=7] 4","a":1,"a":2}"#);
    writer.write_line(br#"{"level":"error","message":"[openReplaySession.id=7] 5","":1}"#);
    writer.write_line(with(6, (0..60).fold(json!(1), |inner, _| json!({ "a": inner }))).as_bytes());
    writer.write_line(with(7, json!("x".repeat(3_000_000))).as_bytes());
    assert!(guard.shutdown(LIMIT).is_complete());
    let mut messages: Vec<_> = documents(&engine)
        .iter()
        .map(|document| document["message"].as_str().unwrap().to_owned())
        .collect();
    messages.sort();
    let expected: Vec<_> = (0..8)
        .map(|number| format!("[openReplaySession.id=7] {number}"))
        .collect();
    assert_eq!(messages, expected);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn an_engine_that_hangs_does_not_hold_up_the_end() {
    let (engine, key) = engine();
    let (writer, guard) = writer(&engine, &key);
    write(&writer, 0..10);
    assert!(guard.flush(LIMIT).is_complete());
    engine.pause();
    write(&writer, 10..30);
    let started = Instant::now();
    let flushed = guard.shutdown(Duration::from_millis(500));
    assert_gave_up(started);
    engine.resume();
    assert_eq!(flushed.left(), 20);
    assert_balance(writer.stats());
}
