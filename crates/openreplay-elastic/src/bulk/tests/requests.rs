//! What a request is, and when the next one comes.

use proptest::prelude::*;

use super::*;
use crate::bulk::cluster::ALIAS_ONLY;

#[tokio::test]
async fn waits_as_long_as_the_server_requests() {
    for status in [429, 503] {
        let mut left = 2;
        let server = Scripted::new(move |_| {
            if left == 0 {
                return Reply::Store;
            }
            left -= 1;
            Reply::Whole(status, Some(7), "")
        });
        let mut sender = Sender::new(&server, SimulatedClock::new(), None);
        sender.deliver(&["fine"]).await;
        let passed = sender.clock.passed().as_secs();
        assert_eq!((sender.reported.stored(), passed), (1, 14), "{status}");
    }
}

#[tokio::test]
async fn credentials_for_the_alias_alone_are_believed_to_be_so_for_ten_minutes() {
    let server = Scripted::new({
        let mut requests = 0;
        move |request| {
            requests += 1;
            match request.target {
                "logs" if requests % 2 == 1 => Reply::HangUp,
                "logs" => Reply::Store,
                _ => Reply::Items("logs-1", vec![403; request.documents.len()]),
            }
        }
    });
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    sender.deliver(&["fine"]).await;
    assert_eq!(server.requests(), ["logs", "logs-1", "logs", "logs"]);
    assert_eq!(sender.reported.reports_about(crate::topic::ALIAS_ONLY), 2);
    sender.deliver(&["fine"]).await;
    assert_eq!(
        server.requests()[4..],
        ["logs", "logs"],
        "not queried again"
    );
    sender.clock.pass(ALIAS_ONLY);
    sender.deliver(&["fine"]).await;
    assert_eq!(server.requests()[6..], ["logs", "logs-1", "logs", "logs"]);
    assert_eq!((sender.reported.stored(), whole(&server)), (3, 3));
}

#[tokio::test]
async fn a_pinned_batch_queries_its_index_once() {
    let server = Scripted::new(|_| Reply::Store);
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    for asked in 1..=2 {
        let batch = Batch::pinned(sender.batch(&["fine"]).pieces, None);
        let delivery = &mut sender.delivery;
        delivery
            .deliver(batch, &sender.reported, &sender.clock)
            .await;
        assert_eq!(server.questions(), asked);
    }
    assert_eq!(server.requests(), ["logs-1", "logs-1"]);
}

#[tokio::test]
async fn what_was_too_much_once_is_not_sent_again_and_again() {
    for gzip in [None, Some(1)] {
        let too_much = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&too_much);
        let server = Scripted::new(move |request| {
            if request.bytes <= 9_000 {
                return Reply::Store;
            }
            count.fetch_add(1, Ordering::Relaxed);
            Reply::Whole(413, None, "")
        });
        let mut sender = Sender::new(&server, SimulatedClock::new(), gzip);
        // compresses to about half
        let texts: Vec<String> = (0..60)
            .map(|_| {
                std::iter::repeat_with(fastrand::alphanumeric)
                    .take(600)
                    .collect()
            })
            .collect();
        let texts: Vec<_> = texts.iter().map(|text| &**text).collect();
        sender.deliver(&texts).await;
        let first = too_much.load(Ordering::Relaxed);
        assert!((1..4).contains(&first), "{first}");
        for _ in 0..3 {
            sender.deliver(&texts).await;
        }
        assert_eq!(whole(&server), 240);
        assert_eq!(too_much.load(Ordering::Relaxed), first, "{gzip:?}");
    }
}

#[tokio::test]
async fn records_that_get_no_response_for_long_are_sent_in_parts() {
    let server = Scripted::new(|request| {
        if request.documents.len() > 10 {
            return Reply::HangUp;
        }
        Reply::Store
    });
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    sender.deliver(&["fine"; 64]).await;
    assert_eq!((sender.reported.stored(), whole(&server)), (64, 64));
}

fn any_reply() -> impl Strategy<Value = (u16, usize)> {
    let status = prop::sample::select(vec![
        0, 1, 400, 413, 429, 500, 502, 503, 1_429, 1_500, 1_503,
    ]);
    (status, 1..9_usize)
}

/// Below 200 it stores and hangs up, or sends nothing that can be read; above 1,000 it responds so
/// each so many-th record.
fn reply(status: u16, every: usize, request: &Request<'_>) -> Reply {
    let single = |at: usize| {
        if at.is_multiple_of(every) {
            status - 1_000
        } else {
            201
        }
    };
    match status {
        0 => Reply::HangUp,
        1 => Reply::Whole(200, None, ""),
        400 => Reply::Whole(status, None, ""),
        1_000.. => Reply::Items("logs-1", (0..request.documents.len()).map(single).collect()),
        _ => Reply::Whole(status, None, "some_exception"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the responses, each record is reported once, and is stored if it was reported as
    /// stored.
    #[test]
    fn the_accounts_balance_after_any_response(replies in prop::collection::vec(any_reply(), 0..60), sizes in prop::collection::vec(1..30_usize, 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut replies = replies.into_iter();
            let server = Scripted::new(move |request| match replies.next() {
                Some((status, every)) => reply(status, every, request),
                None => Reply::Store,
            });
            let mut sender = Sender::new(&server, SimulatedClock::new(), None);
            for size in &sizes {
                sender.deliver(&vec!["fine"; *size]).await;
            }
            sender.finish().await;
            let (stored, rejected) = (sender.reported.stored(), sender.reported.rejected.borrow().len());
            prop_assert_eq!(stored + rejected, sizes.iter().sum::<usize>());
            let notes = server.documents().iter().filter(|one| one["log.logger"] == "openreplay_elastic").count();
            prop_assert!(server.documents().len() - notes >= stored);
            prop_assert_eq!(rejected, 0);
            Ok(())
        })?;
    }
}
