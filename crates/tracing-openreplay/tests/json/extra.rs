//! Members beyond the event itself: the request, the replay, constant fields and the thread; and
//! the records of closed spans.

use std::{
    panic::catch_unwind,
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use openreplay_session::{SessionId, sync_scope};
use serde_json::{Value, json as value};
use test_kit::Lines;
use tracing::{
    dispatcher::get_default, error, field::Empty, info, info_span, subscriber::with_default,
    warn_span,
};
use tracing_openreplay::{Json, json};
use tracing_subscriber::{Layer as _, Registry, prelude::*};

use crate::{ID, capture};

/// 2026-07-22T12:34:56.789Z in milliseconds, the clock of `capture`.
const NOW: u64 = 1_753_187_696_789;
const EPOCH: u64 = 1_550_000_000_000;

fn records(layer: Json, run: impl FnOnce()) -> Vec<Value> {
    capture(layer, run)
}

fn one(layer: Json, run: impl FnOnce()) -> Value {
    let mut records = records(layer, run);
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

mod replay {
    use super::*;

    fn url(project: &str, id: &str) -> Value {
        let id: SessionId = id.parse().unwrap();
        let mut record = one(json().with_replay_url(project), || {
            sync_scope(id, || info!("x"));
        });
        assert!(!record["message"].as_str().unwrap().contains("session/"));
        record["openReplaySession.url"].take()
    }

    /// Returns an OpenReplay id of a session that started this long before the clock's time.
    fn started(before: i64) -> String {
        let start = NOW.checked_add_signed(-before).unwrap() - EPOCH;
        (start << 24 | 7 << 8 | 1).to_string()
    }

    #[test]
    fn is_at_the_time_of_the_record() {
        let id = started(61_001);
        let expected = format!("https://openreplay.example.com/1234/session/{id}?jumpto=61001");
        assert_eq!(url("https://openreplay.example.com/1234", &id), expected);
        assert_eq!(url("https://openreplay.example.com/1234/", &id), expected);
    }

    #[test]
    fn has_no_time_if_the_time_is_out_of_range() {
        for before in [-1, 24 * 60 * 60 * 1000 + 1] {
            let id = started(before);
            assert_eq!(
                url("https://openreplay.example.com/1", &id),
                format!("https://openreplay.example.com/1/session/{id}")
            );
        }
    }

    #[test]
    fn is_missing_without_a_numeric_session() {
        assert_eq!(
            url("https://openreplay.example.com/1", "checkout-7"),
            Value::Null
        );
        let record = one(
            json().with_replay_url("https://openreplay.example.com/1"),
            || info!("x"),
        );
        assert_eq!(record.get("openReplaySession.url"), None);
        let record = one(json(), || sync_scope(SessionId::from(ID), || info!("x")));
        assert_eq!(record.get("openReplaySession.url"), None);
    }
}

mod request {
    use super::*;

    fn id(layer: Json, run: impl FnOnce()) -> Value {
        one(layer, run)["http.request.id"].take()
    }

    #[test]
    fn a_record_has_the_id_of_the_nearest_request() {
        let run = || {
            let _outer = info_span!("request", request_id = "outer").entered();
            let _inner = info_span!("request", method = "GET", request_id = "a \"b\"").entered();
            let _work = info_span!("work", request_id = "not a request").entered();
            info!("x");
        };
        assert_eq!(id(json(), run), "a \"b\"");
        assert_eq!(id(json().with_spans(false), run), "a \"b\"");
    }

    #[test]
    fn the_id_can_be_a_number_or_recorded_later() {
        let run = || {
            let span = info_span!("request", request_id = Empty, method = Empty).entered();
            span.record("request_id", 7);
            span.record("method", "GET");
            info!("x");
        };
        assert_eq!(id(json(), run), "7");
        assert_eq!(id(json().with_spans(false), run), "7");
    }

    #[test]
    fn without_a_request_there_is_no_id() {
        let run = || {
            let _request = info_span!("request", method = "GET").entered();
            let _work = info_span!("work", request_id = "no").entered();
            info!("x");
        };
        assert_eq!(id(json(), run), Value::Null);
        let long = "\u{1}".repeat(1000);
        let run = || info_span!("request", request_id = long).in_scope(|| info!("x"));
        assert_eq!(id(json(), run), "\u{1}".repeat(256 / 6));
    }
}

mod constants {
    use super::*;

    #[test]
    fn a_constant_field_is_in_each_record() {
        let layer = json()
            .with_field("deployment.region", "us")
            .with_field("team", "\"shop\"")
            .with_field("deployment.region", "eu");
        let record = one(layer, || info!("x"));
        assert_eq!(record["deployment.region"], "eu");
        assert_eq!(record["team"], "\"shop\"");
    }

    #[test]
    fn names_that_conflict_with_a_records_fields_are_rejected() {
        let names = [
            "message",
            "level",
            "tags",
            "fields",
            "spans",
            "log",
            "log.logger",
            "service",
            "service.name.short",
            "fields.region",
            "process.thread",
            "trace.id",
            "http",
            "",
            ".a",
            "a..b",
            " ",
        ];
        for name in names {
            let rejected = catch_unwind(|| json().with_field(name, "x"));
            assert!(rejected.is_err(), "{name}");
        }
        for (one, other) in [("region", "region.name"), ("region.name.short", "region")] {
            let rejected = catch_unwind(|| json().with_field(one, "x").with_field(other, "x"));
            let message = *rejected.unwrap_err().downcast::<String>().unwrap();
            let expected = format!("`{other}` conflicts with the constant field `{one}`");
            assert_eq!(message, expected);
        }
        let layer = json()
            .with_field("region", "x")
            .with_field("regions.name", "x");
        assert_eq!(one(layer, || info!("x"))["regions.name"], "x");
        for name in ["log2", "service.id", "labels.fields", "Message"] {
            assert_eq!(one(json().with_field(name, "x"), || info!("x"))[name], "x");
        }
    }

    #[test]
    fn the_name_and_id_of_the_thread_can_be_written() {
        let log = || {
            one(json().with_thread_name(true).with_thread_id(true), || {
                info!("x");
            })
        };
        let named = thread::Builder::new().name("worker \"1\"".into());
        let record = named.spawn(log).unwrap().join().unwrap();
        assert_eq!(record["process.thread.name"], "worker \"1\"");
        assert!(record["process.thread.id"].is_u64());
        let other = thread::spawn(log).join().unwrap();
        assert_eq!(other.get("process.thread.name"), None);
        assert_ne!(other["process.thread.id"], record["process.thread.id"]);
        assert_eq!(one(json(), || info!("x")).get("process.thread.id"), None);
    }
}

mod spans {
    use super::*;

    #[test]
    fn span_fields_can_be_lines_of_the_message() {
        let layer = json().with_span_fields_in_message(true).with_spans(false);
        let records = records(layer, || {
            let _request = info_span!("request", method = "GET", path = "/a b", n = 1).entered();
            let _work = info_span!("work").entered();
            info!(items = 3, "text");
            info!("");
        });
        let lines = "\nin work\nin request method=GET path=\"/a b\" n=1";
        assert_eq!(records[0]["message"], format!("text items=3{lines}"));
        let message = records[1]["message"].as_str().unwrap();
        assert!(
            message.starts_with("event ") && message.ends_with(lines),
            "{message}"
        );
        assert_eq!(records[0].get("spans"), None);
    }

    #[test]
    fn their_lines_have_the_last_values_whichever_layer_wrote_first() {
        let with_lines = || json().with_span_fields_in_message(true).with_spans(false);
        let run = || {
            let span = info_span!("work", a = %"x y", r#type = 1, "type" = 2, b = Empty, c = true);
            let _entered = span.enter();
            info!("before");
            span.record("b", "");
            span.record("c", 5);
            info!("after");
        };
        let messages =
            |records: Vec<Value>| records.into_iter().map(|record| record["message"].clone());
        let expected = [
            "before\nin work a=\"x y\" type=2 c=true",
            "after\nin work a=\"x y\" type=2 b=\"\" c=5",
        ];
        assert!(messages(records(with_lines(), run)).eq(expected));
        for position in 0..2 {
            let written = Lines::default();
            let mut layers = vec![json().with_writer(Lines::default()).boxed()];
            layers.insert(position, with_lines().with_writer(written.clone()).boxed());
            with_default(Registry::default().with(layers), run);
            assert!(messages(written.records()).eq(expected), "{position}");
        }
    }

    #[test]
    fn one_has_nothing_of_another_that_is_closed() {
        let layer = json()
            .with_span_fields_in_message(true)
            .with_span_close(true);
        let records = records(layer, || {
            let request = || info_span!("request", request_id = "r-1", path = "/");
            sync_scope(SessionId::from(ID), || drop(request()));
            let _next = info_span!("next").entered();
            info!("x");
        });
        let record = &records[1];
        assert_eq!(record["message"], "x\nin next");
        assert_eq!(record["spans"], value!([{"name": "next"}]));
        assert_eq!(record.get("http.request.id"), None);
        assert_eq!(record.get("openReplaySession.id"), None);
    }

    #[test]
    fn the_phrase_in_a_span_is_broken_in_the_message() {
        let layer = json().with_span_fields_in_message(true).with_spans(false);
        let record = one(layer, || {
            let _span = info_span!("request", path = "openReplaySession.id=42").entered();
            info!("x");
        });
        assert_eq!(
            record["message"],
            "x\nin request path=\"openReplaySessi*n.id=42\""
        );
    }

    #[test]
    fn a_closed_span_can_have_a_record_in_the_session_that_created_it() {
        let id = SessionId::from(ID);
        let records = records(json().with_span_close(true), || {
            let outside = info_span!("outside");
            let span = sync_scope(id, || warn_span!("request", method = "GET"));
            span.in_scope(|| thread::sleep(Duration::from_millis(2)));
            // Neither span was created in this session.
            sync_scope(SessionId::from(7), || drop((span, outside)));
        });
        assert_eq!(records.len(), 2, "{records:?}");
        let request = &records[0];
        let fields = &request["fields"];
        assert!(fields["busy_ms"].as_f64().unwrap() >= 2.0, "{request}");
        assert!(fields["idle_ms"].is_f64(), "{request}");
        assert_eq!(request["openReplaySession.id"], ID.to_string());
        assert_eq!(request["level"], "warning");
        assert_eq!(request["log.origin.file.name"], file!());
        assert_eq!(
            request["spans"],
            value!([{"name": "request", "fields": {"method": "GET"}}])
        );
        let message = request["message"].as_str().unwrap();
        let start = format!("[openReplaySession.id={ID}] request closed busy_ms=");
        assert!(message.starts_with(&start), "{message}");
        assert_eq!(records[1].get("openReplaySession.id"), None);
        assert!(
            records[1]["message"]
                .as_str()
                .unwrap()
                .starts_with("outside closed ")
        );
    }

    #[test]
    fn a_span_that_is_entered_again_is_busy_until_it_is_left_as_often() {
        let rest = || thread::sleep(Duration::from_millis(5));
        let start = Instant::now();
        let work = || {
            let span = info_span!("request");
            span.in_scope(|| {
                rest();
                span.in_scope(rest);
                thread::scope(|scope| {
                    let dispatch = get_default(Clone::clone);
                    let elsewhere = || span.in_scope(rest);
                    scope.spawn(move || tracing::dispatcher::with_default(&dispatch, elsewhere));
                });
                rest();
            });
        };
        // Two layers measure the span together.
        let written = Lines::default();
        let layers = [written.clone(), Lines::default()].map(|to| {
            let layer = json().with_span_close(true);
            layer.with_writer(move || to.clone()).boxed()
        });
        with_default(Registry::default().with(Vec::from(layers)), work);
        let most = start.elapsed().as_secs_f64() * 1e3;

        let record = written.records().remove(0);
        let [busy, idle] =
            ["busy_ms", "idle_ms"].map(|key| record["fields"][key].as_f64().unwrap());
        assert!(busy >= 20.0, "{record}");
        assert!(busy + idle <= most, "{record} {most}");
    }

    #[test]
    fn a_closed_span_has_no_record_by_default() {
        assert_eq!(records(json(), || drop(info_span!("request"))).len(), 0);
    }
}

#[test]
fn a_record_with_everything_stays_within_a_small_limit() {
    let layer = json()
        .with_replay_url("https://openreplay.example.com/1")
        .with_thread_name(true)
        .with_thread_id(true)
        .with_process_id(true)
        .with_span_fields_in_message(true)
        .with_record_limit(0);
    let long = "\u{1}".repeat(20_000);
    let now = UNIX_EPOCH + Duration::from_millis(NOW);
    let named = thread::Builder::new().name("\u{2}".repeat(2000));
    let run = move || {
        one(layer.with_clock(move || now), || {
            sync_scope(SessionId::from((NOW - EPOCH) << 24), || {
                let _span = info_span!("request", request_id = long, path = long).entered();
                error!(long, "{long}");
            });
        })
    };
    let record = named.spawn(run).unwrap().join().unwrap();
    let length = serde_json::to_string(&record).unwrap().len() + 1;
    assert!(
        length <= 8 * 1024 + "https://openreplay.example.com/1/session/".len(),
        "{length}"
    );
    assert!(record["message"].as_str().unwrap().ends_with("… [cut]"));
}
