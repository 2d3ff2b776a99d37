//! What a request is, and when the next one comes.

use proptest::prelude::*;

use super::*;
use crate::bulk::cluster::ALIAS_ONLY;

#[tokio::test]
async fn keeps_to_what_the_other_side_asks_for() {
    for status in [429, 503] {
        let mut left = 2;
        let far_end = Scripted::new(move |_| {
            if left == 0 {
                return Reply::Store;
            }
            left -= 1;
            Reply::Whole(status, Some(7), "")
        });
        let mut sender = Sender::new(&far_end, Clock::new(), None);
        sender.deliver(&["fine"]).await;
        let passed = sender.clock.passed().as_secs();
        assert_eq!((sender.told.stored(), passed), (1, 14), "{status}");
    }
}

#[tokio::test]
async fn credentials_for_the_alias_alone_are_believed_to_be_so_for_ten_minutes() {
    let far_end = Scripted::new({
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
    let mut sender = Sender::new(&far_end, Clock::new(), None);
    sender.deliver(&["fine"]).await;
    assert_eq!(far_end.requests(), ["logs", "logs-1", "logs", "logs"]);
    assert_eq!(sender.told.has_said(crate::topic::ALIAS_ONLY), 2);
    sender.deliver(&["fine"]).await;
    assert_eq!(far_end.requests()[4..], ["logs", "logs"], "not asked again");
    sender.clock.pass(ALIAS_ONLY);
    sender.deliver(&["fine"]).await;
    assert_eq!(far_end.requests()[6..], ["logs", "logs-1", "logs", "logs"]);
    assert_eq!((sender.told.stored(), whole(&far_end)), (3, 3));
}

#[tokio::test]
async fn what_has_to_know_its_index_asks_for_it_once() {
    let far_end = Scripted::new(|_| Reply::Store);
    let mut sender = Sender::new(&far_end, Clock::new(), None);
    for asked in 1..=2 {
        let batch = Batch::pinned(sender.batch(&["fine"]).pieces, None);
        let delivery = &mut sender.delivery;
        delivery.deliver(batch, &sender.told, &sender.clock).await;
        assert_eq!(far_end.questions(), asked);
    }
    assert_eq!(far_end.requests(), ["logs-1", "logs-1"]);
}

#[tokio::test]
async fn what_was_too_much_once_is_not_sent_again_and_again() {
    for gzip in [None, Some(1)] {
        let too_much = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&too_much);
        let far_end = Scripted::new(move |request| {
            if request.bytes <= 9_000 {
                return Reply::Store;
            }
            count.fetch_add(1, Ordering::Relaxed);
            Reply::Whole(413, None, "")
        });
        let mut sender = Sender::new(&far_end, Clock::new(), gzip);
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
        assert_eq!(whole(&far_end), 240);
        assert_eq!(too_much.load(Ordering::Relaxed), first, "{gzip:?}");
    }
}

#[tokio::test]
async fn what_gets_no_answer_for_long_is_sent_in_parts() {
    let far_end = Scripted::new(|request| {
        if request.documents.len() > 10 {
            return Reply::HangUp;
        }
        Reply::Store
    });
    let mut sender = Sender::new(&far_end, Clock::new(), None);
    sender.deliver(&["fine"; 64]).await;
    assert_eq!((sender.told.stored(), whole(&far_end)), (64, 64));
}

fn any_reply() -> impl Strategy<Value = (u16, usize)> {
    let status = prop::sample::select(vec![
        0, 1, 400, 413, 429, 500, 502, 503, 1_429, 1_500, 1_503,
    ]);
    (status, 1..9_usize)
}

/// Below 200 it stores and hangs up, or says nothing that can be read; above 1,000 it answers so
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

    /// Whatever the answers, each record is told of once, and is there if that was said.
    #[test]
    fn the_books_balance_whatever_is_answered(replies in prop::collection::vec(any_reply(), 0..60), sizes in prop::collection::vec(1..30_usize, 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut replies = replies.into_iter();
            let far_end = Scripted::new(move |request| match replies.next() {
                Some((status, every)) => reply(status, every, request),
                None => Reply::Store,
            });
            let mut sender = Sender::new(&far_end, Clock::new(), None);
            for size in &sizes {
                sender.deliver(&vec!["fine"; *size]).await;
            }
            sender.finish().await;
            let (stored, refused) = (sender.told.stored(), sender.told.refused.borrow().len());
            prop_assert_eq!(stored + refused, sizes.iter().sum::<usize>());
            let notes = far_end.documents().iter().filter(|one| one["log.logger"] == "openreplay_elastic").count();
            prop_assert!(far_end.documents().len() - notes >= stored);
            prop_assert_eq!(refused, 0);
            Ok(())
        })?;
    }
}
