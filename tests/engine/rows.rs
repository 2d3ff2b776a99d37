//! From nothing to rows next to a replay, in time order, while two apps write and `logs`
//! rolls over.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{Elasticsearch, Elasticsearch8, Engine, OpenSearch};
use openreplay_elastic::admin::panel::{self, Order};
use openreplay_elastic::{ElasticWriter, admin::setup};
use serde_json::{Value, json};

use crate::keys::key;
use crate::{block_on, client, record};

/// Each app's records of the one session, and of others around it.
const RECORDS: usize = 450;
const OTHERS: usize = 9;
/// How often an engine makes what was written searchable; one that has too much to do takes longer.
const REFRESH: Duration = Duration::from_secs(1);
const SESSION: &str = "4950498349085463837";

#[test]
#[ignore = "needs Elasticsearch and OpenSearch"]
fn openreplay_shows_each_record_once_and_in_order() {
    // all turns at once: no other test uses an engine meanwhile, which would take the time
    // that the order depends on
    let (elasticsearch, elasticsearch_8) = (Elasticsearch::start(), Elasticsearch8::start());
    let opensearch = OpenSearch::start();
    for engine in [&elasticsearch, &elasticsearch_8] {
        assert_eq!(engine.command(&["setup"]).code, Some(0));
        let key = key(engine, &[]);
        assert_eq!(
            engine.query_as_openreplay(&key, None).unwrap().len(),
            1,
            "\"Add\" passes"
        );
        shows_each_record_once_and_in_order(engine, &|| {
            engine
                .query_as_openreplay(&key, Some(SESSION))
                .unwrap_or_default()
        });
        let output = engine.command_with_key(key["encoded"].as_str().unwrap(), &["check", SESSION]);
        assert_eq!(output.code, Some(0), "{output:?}");
    }
    // OpenReplay's client rejects it
    assert_eq!(opensearch.command(&["setup"]).code, Some(0));
    let client = client(&opensearch);
    shows_each_record_once_and_in_order(&opensearch, &|| {
        let requests = block_on(panel::session(&client, &SESSION.parse().unwrap())).unwrap();
        let hits = requests.hits.into_iter();
        hits.map(|hit| json!({"_id": hit.id, "_index": hit.index, "_source": hit.source}))
            .collect()
    });
}

fn shows_each_record_once_and_in_order(engine: &Engine, send: &dyn Fn() -> Vec<Value>) {
    let (worst, furthest) = thread::scope(|scope| {
        let apps = ["one", "two"].map(|name| scope.spawn(move || app(engine, name)));
        let mut worst = Order::default();
        let mut rolled = false;
        let mut refresh = REFRESH;
        let mut seen = (0, Instant::now());
        while !apps.iter().all(thread::ScopedJoinHandle::is_finished) {
            let hits = send();
            if hits.len() > seen.0 {
                if seen.0 > 0 {
                    refresh = refresh.max(seen.1.elapsed());
                }
                seen = (hits.len(), Instant::now());
            }
            if hits.len() >= 300 && !rolled {
                rolled = true;
                assert_eq!(
                    engine.command(&["rotate", "--json"]).json()["to"],
                    "logs-000002"
                );
            }
            // before that, a few pairs would be more than one in a hundred
            if hits.len() > 400 {
                worst = worse(worst, look(&hits));
            }
            thread::sleep(Duration::from_millis(300));
        }
        assert!(rolled, "the apps were done too early");
        (worst, 2 * refresh)
    });
    println!("while being written: {worst:?}, {furthest:?} are two refreshes");
    assert_in_order(worst, furthest);

    engine.ok("POST", "/logs/_refresh", "");
    let hits = send();
    assert_eq!(hits.len(), 2 * RECORDS);
    let indices: BTreeSet<_> = hits
        .iter()
        .map(|hit| hit["_index"].as_str().unwrap())
        .collect();
    assert_eq!(
        indices.into_iter().collect::<Vec<_>>(),
        ["logs-000001", "logs-000002"]
    );
    let messages: BTreeSet<_> = hits
        .iter()
        .map(|hit| hit["_source"]["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages.len(), hits.len(), "each once");
    println!("afterwards: {:?}", look(&hits));
    assert_in_order(look(&hits), furthest);

    engine.ok("POST", "/logs/_forcemerge?max_num_segments=1", "");
    engine.ok("POST", "/logs/_refresh", "");
    let merged = look(&send());
    println!("after a merge: {merged:?}");
    assert_eq!(merged.out_of_order, 0, "{merged:?}");
    let shown = engine.command(&["logs", SESSION, "--json"]).json();
    assert_eq!(shown["rows"].as_array().unwrap().len(), 2 * RECORDS);
}

/// Writes for some nine seconds, the session's records among others.
fn app(engine: &Engine, name: &str) {
    let (writer, guard) = ElasticWriter::builder(engine.url())
        .basic(USER, PASSWORD)
        .build()
        .unwrap();
    let started = Instant::now();
    for n in 0..RECORDS {
        let due = Duration::from_millis(20) * u32::try_from(n).unwrap();
        thread::sleep(due.saturating_sub(started.elapsed()));
        let level = ["info", "debug", "warning", "error"][n % 4];
        let words = "word ".repeat(n % 23);
        writer.write_line(
            record(SESSION, level, &format!("{name} {n} {words}"))
                .to_string()
                .as_bytes(),
        );
        for other in 0..OTHERS {
            writer.write_line(
                record(&other.to_string(), "info", &words)
                    .to_string()
                    .as_bytes(),
            );
        }
    }
    let done = guard.shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done:?}");
}

/// Every record passes the panel's reading rules.
fn look(hits: &[Value]) -> Order {
    let sources: Vec<_> = hits.iter().map(|hit| hit["_source"].clone()).collect();
    let rows = panel::rows(&sources).unwrap();
    assert!(
        rows.iter()
            .all(|row| row.time.is_some() && row.level_is_known)
    );
    panel::measure_order(&rows)
}

/// The one with more of its neighbours out of order.
fn worse(one: Order, other: Order) -> Order {
    let share = |order: Order| order.out_of_order as f64 / order.neighbours.max(1) as f64;
    if share(other) >= share(one) {
        other
    } else {
        one
    }
}

#[track_caller]
fn assert_in_order(order: Order, furthest: Duration) {
    assert!(order.out_of_order <= order.neighbours / 100, "{order:?}");
    assert!(order.worst <= furthest, "{order:?}");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn of_a_long_session_the_earliest_thousand_come_across_a_rotate() {
    let engine = Elasticsearch::start();
    let client = client(&engine);
    block_on(setup::run(&client, &setup::SetupOptions::default())).unwrap();
    for part in 0..2 {
        let records: Vec<_> = (0..1_200)
            .map(|n| {
                record(
                    "3",
                    "info",
                    &format!("{:06} {}", part * 1_200 + n, "word ".repeat(n % 5)),
                )
            })
            .collect();
        for records in records.chunks(100) {
            crate::store(&engine, "logs", records);
        }
        assert_eq!(engine.command(&["rotate"]).code, Some(0));
    }
    engine.ok("POST", "/logs/_forcemerge?max_num_segments=1", "");
    let rows = engine.command(&["logs", "3", "--json"]).json();
    assert_eq!(rows["total"], 2_400);
    let numbers: Vec<usize> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["message"].as_str().unwrap()[25..31].parse().unwrap())
        .collect();
    assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
}
