use proptest::prelude::*;

use super::queue::{Lane, Queue};
use super::*;

const LINE: &[u8] = br#"{"level":"info","message":"0123456789"}"#;

#[track_caller]
fn assert_books_balance(queue: &Queue) {
    let stats = queue.stats();
    assert_eq!(
        stats.accepted,
        stats.indexed + stats.refused + stats.dropped + stats.queued,
        "{stats:?}"
    );
}

fn full_queue() -> Queue {
    let mut queue = Queue::new(64 * 1024, 1);
    while queue.stats().dropped == 0 {
        queue.push(LINE, Lane::Common);
    }
    queue
}

#[test]
fn errors_outlive_infos_when_the_buffer_is_full() {
    let mut queue = full_queue();
    for _ in 0..200 {
        queue.push(LINE, Lane::Grave);
    }
    assert_books_balance(&queue);
    let chunks = queue.take(usize::MAX);
    let text: Vec<u8> = chunks
        .iter()
        .flat_map(|chunk| chunk.bytes.clone())
        .collect();
    let records: usize = chunks.iter().map(|chunk| chunk.records).sum();
    assert_eq!(memchr::memchr_iter(b'\n', &text).count(), 2 * records);
    assert!(queue.stats().dropped > 100, "infos made room");
    assert_eq!(queue.unnoticed, queue.stats().dropped);
    let is_grave = |chunk: &&super::queue::Chunk| chunk.lane == Lane::Grave;
    let errors: usize = chunks
        .iter()
        .filter(is_grave)
        .map(|chunk| chunk.records)
        .sum();
    assert_eq!(errors, 200, "no error was dropped");
    let mut grave_only = Queue::new(64 * 1024, 1);
    while grave_only.stats().dropped == 0 {
        grave_only.push(LINE, Lane::Grave);
    }
    assert!(
        grave_only.stats().queued > 500,
        "errors fill all of it when they are alone"
    );
}

#[test]
fn errors_are_sent_first_however_much_else_waits() {
    let mut queue = full_queue();
    queue.push(LINE, Lane::Grave);
    let before = queue.waiting();
    let chunks = queue.take(8 * 1024);
    assert_eq!((chunks[0].lane, chunks[0].records), (Lane::Grave, 1));
    assert!(chunks[1..].iter().all(|chunk| chunk.lane == Lane::Common));
    let bytes: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    assert!(bytes > 4 * 1024 && bytes <= 8 * 1024, "{bytes}");
    assert_eq!(queue.waiting(), before - bytes);
    assert_books_balance(&queue);
}

#[test]
fn what_is_too_long_or_no_object_is_refused() {
    let mut queue = Queue::new(64 * 1024, 1);
    queue.push(&[b'x'; 20_000], Lane::Grave);
    queue.refuse();
    assert_eq!((queue.too_long, queue.no_objects), (1, 1));
    assert_eq!(queue.stats().refused, 2);
    assert_books_balance(&queue);
}

#[test]
fn a_mark_is_left_behind_when_its_records_are_decided() {
    let mut queue = Queue::new(64 * 1024, 1);
    queue.push(LINE, Lane::Common);
    queue.push(LINE, Lane::Grave);
    let mark = queue.mark();
    queue.push(LINE, Lane::Common);
    assert!(queue.is_marked());
    assert_eq!(queue.left(mark), 2);
    for chunk in queue.take(usize::MAX) {
        queue.stored(chunk.epoch, chunk.records as u64);
    }
    assert_eq!(queue.left(mark), 0);
    assert_books_balance(&queue);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens in whatever order, the books balance and the memory stays within its limit.
    #[test]
    fn books_balance_and_memory_is_bounded(steps in prop::collection::vec((0..8_u8, 0..9_000_usize, any::<bool>()), 1..400)) {
        let limit = 64 * 1024;
        let mut queue = Queue::new(limit, 1);
        let mut on_their_way = Vec::new();
        for (step, length, grave) in steps {
            match step {
                0..=4 => queue.push(&vec![b'x'; length], if grave { Lane::Grave } else { Lane::Common }),
                5 => on_their_way.extend(queue.take(length)),
                6 => { queue.mark(); }
                _ => for chunk in on_their_way.drain(..) {
                    queue.stored(chunk.epoch, chunk.records as u64);
                    queue.give_back(chunk.bytes);
                },
            }
            assert_books_balance(&queue);
            prop_assert!(queue.memory() <= limit, "{} bytes", queue.memory());
        }
        for chunk in on_their_way.drain(..) {
            queue.stored(chunk.epoch, chunk.records as u64);
            queue.give_back(chunk.bytes);
        }
        let left = queue.stats().queued;
        prop_assert_eq!(queue.close(), left);
        assert_books_balance(&queue);
    }
}

#[test]
fn refuses_an_alias_that_is_none() {
    for alias in ["", "Logs", "logs/_doc", "logs?x", "*"] {
        let error = ElasticWriter::builder("http://localhost")
            .alias(alias)
            .build()
            .unwrap_err();
        assert!(error.is_config(), "{alias:?}");
    }
}

#[test]
fn the_writer_crosses_threads_and_shows_no_secret() {
    fn crosses<T: Send + Sync + Clone + 'static>(_: &T) {}
    let builder = ElasticWriter::builder("http://user:hunter2@localhost:1");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let (writer, guard) = builder
        .shutdown_timeout(std::time::Duration::ZERO)
        .build()
        .unwrap();
    crosses(&writer);
    assert!(!format!("{writer:?} {guard:?}").contains("hunter2"));
}

#[test]
fn takes_any_duration_for_a_limit() {
    let (_writer, guard) = ElasticWriter::builder("http://localhost:1")
        .flush_interval(std::time::Duration::MAX)
        .shutdown_timeout(std::time::Duration::MAX)
        .build()
        .unwrap();
    assert!(guard.flush(std::time::Duration::MAX).is_complete());
    assert!(guard.shutdown(std::time::Duration::MAX).is_complete());
}
