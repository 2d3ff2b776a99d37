//! What a request is, and when the next one comes.

use super::*;
use crate::bulk::place::ALIAS_ONLY;

#[tokio::test]
async fn keeps_to_what_the_other_side_asks_for() {
    for status in [429, 503] {
        let mut left = 2;
        let far_end = FarEnd::new(move |_| {
            if left == 0 {
                return Reply::Store;
            }
            left -= 1;
            Reply::Whole(status, "retry-after: 7\r\n", "")
        });
        let mut sender = Sender::new(&far_end, Clock::new(), None);
        sender.deliver(&["fine"]).await;
        let passed = sender.clock.passed().as_secs();
        assert_eq!((sender.told.stored(), passed), (1, 14), "{status}");
    }
}

#[tokio::test]
async fn credentials_for_the_alias_alone_are_believed_to_be_so_for_ten_minutes() {
    let far_end = FarEnd::new({
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
    assert_eq!(sender.told.has_said(Topic::AliasOnly), 2);
    sender.deliver(&["fine"]).await;
    assert_eq!(far_end.requests()[4..], ["logs", "logs"], "not asked again");
    sender.clock.pass(ALIAS_ONLY);
    sender.deliver(&["fine"]).await;
    assert_eq!(far_end.requests()[6..], ["logs", "logs-1", "logs", "logs"]);
    assert_eq!((sender.told.stored(), far_end.whole()), (3, 3));
}

#[tokio::test]
async fn what_was_too_much_once_is_not_sent_again_and_again() {
    for gzip in [None, Some(1)] {
        let too_much = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&too_much);
        let far_end = FarEnd::new(move |request| {
            if request.bytes <= 9_000 {
                return Reply::Store;
            }
            count.fetch_add(1, Ordering::Relaxed);
            Reply::Whole(413, "", "")
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
        assert_eq!(far_end.whole(), 240);
        assert_eq!(too_much.load(Ordering::Relaxed), first, "{gzip:?}");
    }
}

#[tokio::test]
async fn what_gets_no_answer_for_long_is_sent_in_parts() {
    let far_end = FarEnd::new(|request| {
        if request.documents.len() > 10 {
            return Reply::HangUp;
        }
        Reply::Store
    });
    let mut sender = Sender::new(&far_end, Clock::new(), None);
    sender.deliver(&["fine"; 64]).await;
    assert_eq!((sender.told.stored(), far_end.whole()), (64, 64));
}
