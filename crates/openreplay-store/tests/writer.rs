//! From a log call to the store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use openreplay_session::{SessionId, sync_scope};
use openreplay_store::Store;
use tempfile::TempDir;
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_subscriber::prelude::*;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn what_is_logged_in_a_session_is_in_the_store_in_the_order_of_the_calls() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (writer, guard) = store.writer().unwrap();
    let layer = tracing_openreplay::json().with_writer(writer.clone());
    let subscriber = Dispatch::new(tracing_subscriber::registry().with(layer));
    let session = SessionId::from(7);
    with_default(&subscriber, || {
        sync_scope(session, || {
            for number in 0..500 {
                match number % 3 {
                    // these are stored ahead of the rest
                    0 => tracing::error!("record {number:03}"),
                    _ => tracing::info!("record {number:03}"),
                }
            }
        });
        tracing::info!("no session");
    });
    assert!(guard.flush(LIMIT).is_complete());
    let records = store.session(&session, 1_000).unwrap();
    let texts: Vec<_> = records
        .iter()
        .map(|record| {
            let at = record.line.find("record ").unwrap();
            record.line[at..at + 10].to_owned()
        })
        .collect();
    let expected: Vec<_> = (0..500)
        .map(|number| format!("record {number:03}"))
        .collect();
    assert_eq!(texts, expected);
    let stats = writer.stats();
    assert_eq!((stats.accepted, stats.indexed, stats.queued), (501, 501, 0));
    assert_eq!(store.total(), 501);
}

#[test]
fn what_is_no_record_is_rejected_and_reported() {
    let folder = TempDir::new().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let builder = Store::builder(folder.path());
    let store = builder
        .on_diagnostic(move |text| ear.lock().unwrap().push(text.to_owned()))
        .open();
    let (writer, guard) = store.unwrap().writer().unwrap();
    writer.write_line(b"{\"a\":1,\"a\":2}\n{\"message\":\"good\"}\n");
    assert!(guard.shutdown(LIMIT).is_complete());
    let stats = writer.stats();
    assert_eq!((stats.accepted, stats.indexed, stats.rejected), (2, 1, 1));
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].starts_with("a record is rejected: failed to parse: duplicate field 'a'"));
}

#[test]
fn the_guard_stores_what_is_left() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (writer, guard) = store.writer().unwrap();
    for _ in 0..100 {
        writer.write_line(br#"{"message":"m"}"#);
    }
    drop(guard);
    assert_eq!(store.total(), 100);
    writer.write_line(b"{}");
    assert_eq!(writer.stats().dropped, 1);
}

#[test]
fn the_store_is_closed_once_the_guard_is_dropped_although_the_writer_still_exists() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (writer, guard) = store.writer().unwrap();
    writer.write_line(br#"{"message":"m"}"#);
    drop(store);
    drop(guard);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.total(), 1);
    drop(writer);
}
