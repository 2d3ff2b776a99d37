use std::time::Duration;

use openreplay_session::SessionId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn record(time: &str, level: &str, message: &str) -> Value {
    json!({"@timestamp": time, "level": level, "message": message})
}

#[test]
fn reads_what_is_shown_and_nothing_else() {
    let found = rows(&[json!({
        "@timestamp": "2026-07-01T12:00:00.25Z",
        "level": "error",
        "message": "first\nsecond",
        "fields": {"secret": "invisible"},
    })])
    .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].first_line(), "first");
    assert_eq!(found[0].message, "first\nsecond");
    assert_eq!(found[0].level, Level::Error);
    let since_epoch = found[0].time.unwrap().duration_since(std::time::UNIX_EPOCH);
    assert_eq!(
        since_epoch.unwrap(),
        Duration::from_millis(1_782_907_200_250)
    );
}

#[test]
fn takes_the_levels_that_it_knows_and_reads_the_rest_as_info() {
    let cases = [
        (json!("error"), Level::Error, true),
        (json!("warning"), Level::Warning, true),
        (json!("info"), Level::Info, true),
        (json!("debug"), Level::Debug, true),
        (json!("WARN"), Level::Info, false),
        (json!("trace"), Level::Info, false),
        (json!(""), Level::Info, false),
        // it looks for the word, not for the whole
        (json!("errors"), Level::Error, true),
        (json!(["debug"]), Level::Debug, true),
        (json!(["debugging"]), Level::Info, false),
    ];
    for (value, level, known) in cases {
        let found = rows(&[json!({"message": "m", "level": value})]).unwrap();
        assert_eq!(
            (found[0].level, found[0].level_is_known),
            (level, known),
            "{value}"
        );
    }
}

#[test]
fn one_record_without_a_level_breaks_it_all() {
    let good = record("2026-07-01T12:00:00Z", "info", "m");
    for level in [Value::Null, json!(3), json!({"name": "info"}), json!(true)] {
        let bad = json!({"message": "m", "level": level});
        let found = rows(&[good.clone(), good.clone(), bad]);
        assert_eq!(found, Err(Unreadable::NoLevel { hit: 2 }));
    }
    let found = rows(&[json!({"message": "m"})]);
    assert_eq!(found.unwrap_err().to_string(), "record 1 has no `level`");
}

#[test]
fn the_first_record_needs_a_message_and_a_later_one_shows_empty() {
    let bare = json!({"level": "info"});
    assert_eq!(
        rows(std::slice::from_ref(&bare)),
        Err(Unreadable::NoMessage)
    );
    let found = rows(&[record("", "info", "m"), bare]).unwrap();
    assert_eq!(found[1].message, "");
    assert_eq!(found[1].time, None);
}

fn order_of(seconds: &[u32]) -> Order {
    let sources: Vec<_> = seconds
        .iter()
        .map(|second| {
            let (minute, second) = (second / 60, second % 60);
            record(
                &format!("2026-07-01T12:{minute:02}:{second:02}Z"),
                "info",
                "m",
            )
        })
        .collect();
    measure_order(&rows(&sources).unwrap())
}

#[test]
fn counts_neighbours_out_of_order_and_the_longest_way_back() {
    let found = order_of(&[1, 5, 3, 4, 4]);
    assert_eq!((found.neighbours, found.out_of_order), (4, 1));
    assert_eq!(found.worst, Duration::from_secs(2));
    assert!(measure_order(&[]).is_kept());
}

#[test]
fn steps_back_add_up() {
    let found = order_of(&[40, 38, 36, 34, 32, 30]);
    assert_eq!((found.neighbours, found.out_of_order), (5, 5));
    assert_eq!(found.worst, Duration::from_secs(10));
    assert!(!found.is_nearly_kept());
    // from the latest so far, not from the one before
    assert_eq!(order_of(&[30, 10, 20]).worst, Duration::from_secs(20));
}

#[test]
fn order_is_kept_as_far_as_an_engine_keeps_it() {
    let worst = |milliseconds| Duration::from_millis(milliseconds);
    for (name, out_of_order, neighbours, worst, is_kept, is_nearly_kept) in [
        ("none", 0, 0, worst(0), true, true),
        ("a millisecond of two rows", 1, 1, worst(1), false, true),
        ("many of a short session", 50, 99, worst(2_000), false, true),
        ("a few of a longer one", 5, 150, worst(2_000), false, true),
        ("more than a few", 6, 599, worst(1), false, false),
        ("one in a hundred", 6, 600, worst(2_000), true, true),
        (
            "three seconds of two rows",
            1,
            1,
            worst(3_000),
            false,
            false,
        ),
        ("beyond two refreshes", 1, 999, worst(2_001), false, false),
    ] {
        let order = Order {
            neighbours,
            out_of_order,
            worst,
        };
        assert_eq!(order.is_kept(), is_kept, "{name}");
        assert_eq!(order.is_nearly_kept(), is_nearly_kept, "{name}");
    }
}

#[test]
fn a_file_gives_the_records_of_one_session() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let lines = [
        record("t", "info", "[openReplaySession.id=12] a").to_string(),
        record("t", "error", "[openReplaySession.id=123] b").to_string(),
        "not json".into(),
        "[1]".into(),
        String::new(),
        json!({"message": "[openReplaySession.id=12] no level"}).to_string(),
        json!({"level": "info", "openReplaySession.id": "12"}).to_string(),
        record(
            "t",
            "error",
            "openReplaySession.id=7, openReplaySession.id=12",
        )
        .to_string(),
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    let found = read_file(&path, &SessionId::from(12)).unwrap();
    let messages: Vec<_> = found
        .records
        .iter()
        .map(|record| record["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "[openReplaySession.id=12] a",
            "[openReplaySession.id=12] no level",
            "openReplaySession.id=7, openReplaySession.id=12"
        ]
    );
    assert_eq!(found.not_json, 2);
    assert!(
        read_file(&folder.path().join("absent"), &SessionId::from(12))
            .unwrap_err()
            .is_io()
    );
}

#[test]
fn a_file_gives_lines_as_ship_stores_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let time = "2026-07-01T12:00:00.000000Z";
    let line = |message: &str| record(time, "error", message).to_string();
    let lines = [
        format!("\u{feff}{}", line("[openReplaySession.id=12] first")),
        line("[openReplaySession.id=12] with NaN").replacen('{', r#"{"ratio":NaN,"#, 1),
        "WARN plain text, openReplaySession.id=12".into(),
        format!(" {} \r", line("[openReplaySession.id=12] spaces")),
        " \r".into(),
        // only at the start
        format!("\u{feff}{}", line("[openReplaySession.id=12] later")),
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    let found = read_file(&path, &SessionId::from(12)).unwrap();
    let shown = rows(&found.records).unwrap();
    let messages: Vec<_> = shown
        .iter()
        .map(|row| (row.level, &row.message[..]))
        .collect();
    assert_eq!(
        messages,
        [
            (Level::Error, "[openReplaySession.id=12] first"),
            (Level::Error, "[openReplaySession.id=12] with NaN"),
            (Level::Warning, "WARN plain text, openReplaySession.id=12"),
            (Level::Error, "[openReplaySession.id=12] spaces"),
            (Level::Error, &lines[5]),
        ]
    );
    assert_eq!(shown[1].time_text, time);
    assert_eq!(found.not_json, 2);
}

#[test]
#[cfg(feature = "ship")]
fn a_compressed_file_gives_its_text_or_an_error() {
    use std::io::Write as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log.gz");
    let time = "2026-07-01T12:00:00.000000Z";
    let lines: String = (0..10_000)
        .map(|n| {
            format!(
                "{}\n",
                record(time, "info", &format!("[openReplaySession.id=12] {n}"))
            )
        })
        .collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(lines.as_bytes(), 3).unwrap();
    let read = |compressed: &[u8]| {
        std::fs::write(&path, compressed).unwrap();
        read_file(&path, &SessionId::from(12))
    };
    for compressed in [&gzip, &zstd] {
        let found = read(compressed).unwrap();
        assert_eq!((found.records.len(), found.not_json), (10_000, 0));
        let message = &found.records[9_999]["message"];
        assert_eq!(message, "[openReplaySession.id=12] 9999");
    }
    for (compressed, cause) in [
        (&gzip[..gzip.len() - 9], "the compressed data ends early"),
        (
            &b"\xfd7zXZ\0\0"[..],
            "it is compressed with xz; gzip and zstd can be read",
        ),
    ] {
        let error = read(compressed).unwrap_err();
        assert!(error.is_io());
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), cause);
    }
}

#[test]
fn the_earliest_thousand_records_come_in_the_order_of_time() {
    let mut records = vec![json!({"level": "info", "message": "no time"})];
    for n in (0..1_100).rev() {
        let time = format!("2026-07-01T12:{:02}:{:02}Z", n / 60, n % 60);
        records.push(record(&time, "info", &n.to_string()));
    }
    let few = earliest_first(records[..3].to_vec());
    let messages: Vec<_> = few.iter().map(|record| &record["message"]).collect();
    assert_eq!(messages, ["1098", "1099", "no time"]);
    let found = earliest_first(records);
    assert_eq!(found.len(), 1_000);
    assert!(measure_order(&rows(&found).unwrap()).out_of_order == 0);
    assert_eq!(found[0]["message"], "0");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop_oneof!["error", "warning", "info", "debug"].prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("@timestamp|level|message|.", inner, 0..4)
                .prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn any_hits_give_a_row_each_or_name_the_one_that_breaks_the_panel(
        sources in proptest::collection::vec(any_json(), 0..6)
    ) {
        match rows(&sources) {
            Ok(found) => {
                prop_assert_eq!(found.len(), sources.len());
                prop_assert!(measure_order(&found).out_of_order <= measure_order(&found).neighbours);
            }
            Err(Unreadable::NoMessage) => prop_assert!(!sources.is_empty()),
            Err(Unreadable::NoLevel { hit }) => {
                let level = sources[hit].get("level");
                prop_assert!(!matches!(level, Some(Value::String(_) | Value::Array(_))));
            }
        }
    }
}
