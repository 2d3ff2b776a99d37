use memchr::memmem;
use proptest::prelude::*;

use crate::losses::Losses;
use crate::queue::{Queue, Wake};
use crate::*;

const OVERHEAD: usize = <Lines as Framing>::OVERHEAD;

const LINE: &[u8] = br#"{"level":"info","message":"0123456789"}"#;
const ERROR: &[u8] = br#"{"level":"error","message":"012345678"}"#;

#[track_caller]
fn assert_books_balance(queue: &Queue<Lines>) {
    let stats = queue.stats();
    assert_eq!(
        stats.accepted,
        stats.indexed + stats.rejected + stats.dropped + stats.queued,
        "{stats:?}"
    );
}

fn full_queue() -> Queue<Lines> {
    let mut queue = Queue::new(64 * 1024, 1024, Lines);
    while queue.stats().dropped == 0 {
        let _ = queue.push(LINE, Priority::Low);
    }
    queue
}

fn records(chunks: &[Chunk], line: &[u8]) -> usize {
    let lines = |chunk: &Chunk| memmem::find_iter(&chunk.bytes, line).count();
    chunks.iter().map(lines).sum()
}

#[test]
fn errors_outlive_infos_when_the_buffer_is_full() {
    let mut queue = full_queue();
    for _ in 0..200 {
        let _ = queue.push(ERROR, Priority::High);
    }
    assert_books_balance(&queue);
    let chunks = queue.take(usize::MAX);
    assert!(queue.stats().dropped > 100, "infos were dropped");
    assert_eq!(records(&chunks, ERROR), 200, "no error was dropped");
    let counted: usize = chunks.iter().map(|chunk| chunk.records).sum();
    assert_eq!(records(&chunks, b"\n"), counted);
    assert_eq!(counted as u64, queue.stats().queued);
    let mut high_only = Queue::new(64 * 1024, 1024, Lines);
    while high_only.stats().dropped == 0 {
        let _ = high_only.push(ERROR, Priority::High);
    }
    assert!(
        high_only.stats().queued > 500,
        "errors alone can fill the whole buffer"
    );
}

#[test]
fn errors_are_sent_first_however_many_other_records_wait() {
    let mut queue = full_queue();
    let _ = queue.push(ERROR, Priority::High);
    let before = queue.waiting();
    let chunks = queue.take(8 * 1024);
    assert_eq!((records(&chunks[..1], ERROR), chunks[0].records), (1, 1));
    assert_eq!(records(&chunks[1..], ERROR), 0);
    let bytes: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    assert!(bytes > 4 * 1024 && bytes <= 8 * 1024, "{bytes}");
    assert_eq!(queue.waiting(), before - bytes);
    assert_books_balance(&queue);
}

#[test]
fn long_lines_and_lines_that_are_not_objects_are_rejected_and_wake_the_reporter_once() {
    let mut queue = Queue::new(64 * 1024, 1024, Lines);
    assert!(queue.push(&[b'x'; 20_000], Priority::High).reporter);
    assert!(!queue.reject().reporter, "the reporter is already awake");
    assert_eq!(
        std::mem::take(queue.unreported()),
        Losses {
            too_long: 1,
            not_objects: 1,
            dropped: 0
        }
    );
    assert!(queue.reject().reporter);
    assert_eq!(queue.stats().rejected, 3);
    assert_books_balance(&queue);
}

#[test]
fn the_sender_wakes_for_the_first_record_and_for_a_request() {
    let mut queue = Queue::new(64 * 1024, 1024, Lines);
    let mut wakes = || queue.push(LINE, Priority::Low).sender;
    let woken: Vec<_> = (0..40).map(|_| wakes()).collect();
    let enough = 1024_usize.div_ceil(LINE.len() + OVERHEAD);
    let expected: Vec<_> = (1..=40).map(|nth| nth == 1 || nth == enough).collect();
    assert_eq!(woken, expected);
    queue.take(usize::MAX);
    assert!(queue.push(LINE, Priority::High).sender);
    assert!(!queue.push(LINE, Priority::Low).sender);
}

#[test]
fn a_notice_that_does_not_fit_keeps_its_count() {
    let mut queue = Queue::new(64 * 1024, 1024, Lines);
    while queue.stats().dropped < 3 {
        let _ = queue.push(ERROR, Priority::High);
    }
    let on_their_way = queue.take(usize::MAX);
    let before = queue.stats();
    let dropped = queue.take_unnoticed();
    assert_eq!(dropped, 3);
    assert_eq!(queue.notice(dropped, LINE), Wake::default());
    assert_eq!(queue.stats(), before, "the notice is not a record yet");
    for chunk in on_their_way {
        queue.give_back(chunk.bytes);
    }
    let dropped = queue.take_unnoticed();
    assert_eq!(dropped, 3);
    assert!(queue.notice(dropped, LINE).sender);
    assert_eq!(records(&queue.take(usize::MAX), LINE), 1);
    assert_eq!(queue.take_unnoticed(), 0);
}

#[test]
fn a_mark_has_no_records_left_once_they_are_decided() {
    let mut queue = Queue::new(64 * 1024, 1024, Lines);
    let _ = queue.push(LINE, Priority::Low);
    let _ = queue.push(LINE, Priority::High);
    let mark = queue.mark();
    assert!(queue.is_marked());
    for _ in 0..5 {
        let _ = queue.push(LINE, Priority::Low);
    }
    assert_eq!(queue.left(&mark), 2);
    let chunks = queue.take(usize::MAX);
    assert!(!queue.is_marked());
    let _ = queue.push(LINE, Priority::Low);
    for chunk in &chunks {
        assert!(queue.left(&mark) > 0);
        queue.stored(chunk.id, chunk.records as u64);
    }
    assert_eq!(queue.left(&mark), 0);
    assert_eq!(queue.stats().queued, 1);
    assert_books_balance(&queue);
}

#[test]
fn marks_use_no_memory() {
    let mut queue = Queue::new(64 * 1024, 1024, Lines);
    while queue.stats().dropped == 0 {
        let _ = queue.push(LINE, Priority::Low);
        let mark = queue.mark();
        assert_eq!(queue.left(&mark), queue.stats().queued);
    }
    assert_eq!(queue.stats(), full_queue().stats());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// After any sequence of steps, the books balance and the memory stays within its limit.
    #[test]
    fn books_balance_and_memory_is_bounded(steps in prop::collection::vec((0..8_u8, 0..9_000_usize, any::<bool>()), 1..400)) {
        let limit = 64 * 1024;
        let mut queue = Queue::new(limit, 1024, Lines);
        let mut on_their_way = Vec::new();
        let mut mark = queue.mark();
        let mut left = 0;
        for (step, length, high) in steps {
            match step {
                0..=4 => { let _ = queue.push(&vec![b'x'; length], if high { Priority::High } else { Priority::Low }); }
                5 => on_their_way.extend(queue.take(length)),
                6 => {
                    mark = queue.mark();
                    left = queue.stats().queued;
                    prop_assert_eq!(queue.left(&mark), left);
                }
                _ => for chunk in on_their_way.drain(..) {
                    queue.stored(chunk.id, chunk.records as u64);
                    queue.give_back(chunk.bytes);
                },
            }
            assert_books_balance(&queue);
            prop_assert!(queue.memory() <= limit, "{} bytes", queue.memory());
            prop_assert!(queue.left(&mark) <= left, "a flush does not wait for later records");
            left = queue.left(&mark);
        }
        for chunk in on_their_way.drain(..).chain(queue.take(usize::MAX)) {
            queue.stored(chunk.id, chunk.records as u64);
            queue.give_back(chunk.bytes);
        }
        prop_assert_eq!((queue.stats().queued, queue.left(&mark), queue.waiting()), (0, 0, 0));
        let _ = queue.push(LINE, Priority::Low);
        prop_assert_eq!(queue.close(), 1);
        assert_books_balance(&queue);
    }
}
