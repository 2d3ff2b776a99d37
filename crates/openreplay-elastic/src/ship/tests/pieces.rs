//! Lines of a container runtime, in one piece and in several.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::envelope::Format;

const TIME: &str = "2026-07-01T12:00:00.250000Z";

/// Returns a line of the container runtime interface.
fn piece(stream: &str, tag: &str, text: &str) -> String {
    format!("2026-07-01T12:00:00.25Z {stream} {tag} {text}\n")
}

fn record(n: usize) -> Value {
    json!({"@timestamp": "2026-07-01T11:59:59.000001Z", "level": "debug", "n": n})
}

/// Returns a record in two pieces.
fn halves(stream: &str, n: usize) -> [String; 2] {
    let text = record(n).to_string();
    let (begin, rest) = text.split_at(text.len() / 2);
    [piece(stream, "P", begin), piece(stream, "F", rest)]
}

fn values(documents: &[String]) -> Vec<Value> {
    let documents = documents.iter();
    documents
        .map(|document| serde_json::from_str(document).unwrap())
        .collect()
}

#[test]
fn removes_envelopes_and_joins_pieces() {
    let mut folder = Folder::new("*.log");
    let [out, out_rest] = halves("stdout", 1);
    let [err, err_rest] = halves("stderr", 2);
    let whole = piece("stdout", "F", &record(3).to_string());
    let panic = piece("stderr", "F", "thread 'main' panicked at src/main.rs:7:5:");
    folder.append(
        "0.log",
        &[out, err, err_rest, panic, out_rest, whole].concat(),
    );
    folder.append(
        "x-json.log",
        &format!(
            "{}\n",
            json!({"log": format!("{}\n", record(4)), "stream": "stdout", "time": TIME})
        ),
    );
    folder.append("app.log", "{\"log\":\"a field\"}\n");
    let taken = values(&folder.take());
    let panicked = json!({
        "@timestamp": TIME, "utc_time": TIME, "level": "error", "tags": ["error"], "stream": "stderr",
        "message": "thread 'main' panicked at src/main.rs:7:5:",
    });
    assert_eq!(
        taken,
        [
            record(2),
            panicked,
            record(1),
            record(3),
            json!({"log": "a field"}),
            record(4)
        ]
    );
}

#[test]
fn a_line_in_pieces_has_the_id_of_its_first_piece() {
    let mut folder = Folder::new("0.log");
    folder.append("0.log", &halves("stdout", 1).concat());
    let in_pieces = documents(&folder.fill());
    let mut plain = Folder::new("0.log");
    plain.append("0.log", &piece("stdout", "F", &record(1).to_string()));
    let whole = documents(&plain.fill());
    let offset = |documents: &[(String, String)]| {
        let action: Value = serde_json::from_str(&documents[0].0).unwrap();
        action["create"]["_id"].as_str().unwrap()[11..].to_owned()
    };
    assert_eq!(offset(&in_pieces), offset(&whole));
}

#[test]
fn a_line_continues_in_the_next_file_after_a_rotation_and_a_restart() {
    for restarts in [[false, false], [true, false], [false, true], [true, true]] {
        for (rotated, wants_look) in [("0.log.20260701-120000", true), ("0.log.1", false)] {
            let mut folder = Folder::new("0.log*");
            let [out, out_rest] = halves("stdout", 1);
            let [err, err_rest] = halves("stderr", 2);
            folder.append("0.log", &piece("stdout", "F", &record(0).to_string()));
            folder.append("0.log", &out);
            if wants_look {
                assert_eq!(values(&folder.take()), [record(0)]);
            }
            fs::rename(folder.path("0.log"), folder.path(rotated)).unwrap();
            // the runtime writes to the old file until it opens the new one
            folder.append(rotated, &err);
            if restarts[0] {
                folder.restart("0.log*");
            }
            let mut taken = folder.take();
            folder.append(
                "0.log",
                &[
                    out_rest,
                    piece("stdout", "F", &record(3).to_string()),
                    err_rest,
                ]
                .concat(),
            );
            if restarts[1] {
                folder.restart("0.log*");
            }
            taken.extend(folder.take());
            taken.extend(folder.take());
            let first = usize::from(wants_look);
            let expected: Vec<_> = [0, 1, 3, 2].map(record).into_iter().skip(first).collect();
            assert_eq!(values(&taken), expected, "{restarts:?} {rotated}");
            let pieces = folder
                .files
                .positions()
                .into_iter()
                .map(|position| position.pieces);
            assert!(pieces.into_iter().all(|pieces| pieces.is_empty()));
        }
    }
}

#[test]
fn sends_lines_across_two_files_again_under_the_same_ids() {
    let mut folder = Folder::new("0.log*");
    let [begin, rest] = halves("stdout", 1);
    folder.append("0.log", &[piece("stdout", "F", "a"), begin].concat());
    assert_eq!(folder.take().len(), 1);
    fs::rename(folder.path("0.log"), folder.path("0.log.20260701-120000")).unwrap();
    folder.append(
        "0.log",
        &[rest, piece("stdout", "F", &record(2).to_string())].concat(),
    );
    let before = folder.fill();
    assert_eq!(before.records, 2);
    // the rotated file is gone before the next run
    fs::remove_file(folder.path("0.log.20260701-120000")).unwrap();
    folder.restart("0.log*");
    folder.files.scan(Mode::Follow);
    let reread = folder.files.reread(&before.parts);
    assert_eq!(documents(&reread.framed), documents(&before));
    assert!(reread.lost.is_empty() && reread.waiting.is_empty());
    folder.files.mark_delivered(&reread.framed.parts);
    assert_eq!(folder.take(), [""; 0]);
}

#[test]
fn reads_a_new_file_once_its_predecessor_is_delivered() {
    let mut folder = Folder::new("0.log*");
    let [begin, rest] = halves("stdout", 1);
    let [next_begin, next_rest] = halves("stdout", 2);
    folder.append("0.log", &[piece("stdout", "F", "a"), begin].concat());
    assert_eq!(folder.take().len(), 1);
    folder.append("0.log", &[rest, next_begin].concat());
    fs::rename(folder.path("0.log"), folder.path("0.log.1")).unwrap();
    folder.append("0.log", &next_rest);
    let before = folder.fill();
    assert_eq!(before.records, 1);
    folder.restart("0.log*");
    folder.files.scan(Mode::Follow);
    let again = folder.files.reread(&before.parts).framed;
    assert_eq!(documents(&again), documents(&before));
    folder.files.mark_delivered(&again.parts);
    assert_eq!(values(&folder.take()), [record(2)]);
}

#[test]
fn delivers_an_incomplete_line_if_its_end_does_not_come() {
    // each function leads to the end of the incomplete line
    let quiet: fn(&mut Folder) = |folder| folder.files.wait_quietly();
    let deleted: fn(&mut Folder) = |folder| {
        fs::remove_file(folder.path("0.log")).unwrap();
        folder.take();
        folder.files.wait_quietly();
    };
    let rewritten: fn(&mut Folder) = |folder| {
        fs::write(folder.path("0.log"), "").unwrap();
        folder.append("0.log", &piece("stdout", "F", "new"));
    };
    for (name, end, more) in [
        ("quiet", quiet, 0),
        ("deleted", deleted, 0),
        ("rewritten", rewritten, 1),
    ] {
        for restarts in [false, true] {
            let mut folder = Folder::new("*.log");
            folder.append("other.log", "{}\n");
            folder.append(
                "0.log",
                &[piece("stdout", "F", "a"), piece("stdout", "P", "half")].concat(),
            );
            assert_eq!(folder.take().len(), 2);
            assert_eq!(folder.take(), [""; 0]);
            end(&mut folder);
            folder.files.scan(Mode::Follow);
            let mut framed = folder.files.fill(1 << 20).expect(name);
            if restarts && name != "deleted" {
                folder.restart("*.log");
                folder.files.scan(Mode::Follow);
                let again = folder.files.reread(&framed.parts).framed;
                assert_eq!(documents(&again), documents(&framed), "{name}");
                framed = again;
            }
            folder.files.mark_delivered(&framed.parts);
            let messages: Vec<_> = documents(&framed)
                .iter()
                .map(|(_, document)| document.clone())
                .collect();
            let messages = values(&messages);
            assert_eq!(messages.len(), 1 + more, "{name} {messages:?}");
            assert_eq!(messages[0]["message"], "half", "{name}");
            assert_eq!(folder.take(), [""; 0], "{name}");
        }
    }
}

#[test]
fn once_delivers_a_last_line_without_a_line_feed_only_if_it_is_complete() {
    let mut folder = Folder::new("*.log");
    folder.append("0.log", &piece("stdout", "P", &record(1).to_string()));
    folder.append("1.log", &halves("stdout", 2)[0]);
    assert_eq!(values(&folder.take_once()), [record(1)]);
    assert_eq!(folder.files.sums().2, 1);
    folder.restart("*.log");
    folder.append("1.log", &halves("stdout", 2)[1]);
    assert_eq!(values(&folder.take_once()), [record(2)]);
}

#[test]
fn an_option_selects_a_format_or_none() {
    let docker = json!({"log": "{\"n\":1}\n", "stream": "stdout", "time": TIME, "more": 1});
    for (format, message) in [
        (Format::Plain, None),
        (Format::Auto, None),
        (Format::JsonFile, Some(1)),
    ] {
        let mut folder = Folder::new("x.log");
        folder.files = Files::new(&[folder.path("x.log").into_os_string()], Vec::new(), HASH)
            .unwrap()
            .with_format(format);
        folder.append("x.log", &format!("{docker}\n"));
        assert_eq!(
            values(&folder.take())[0]["n"].as_u64(),
            message,
            "{format:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two streams with interleaved pieces, and rotations and crashes at any time.
    #[test]
    fn each_line_in_pieces_comes_once_under_one_id_whatever_happens(
        steps in prop::collection::vec((0..7_u8, 1..9_usize, any::<bool>()), 1..40)
    ) {
        let mut folder = Folder::new("0.log*");
        let mut written = 0;
        let mut renamed = 0;
        let mut open: BTreeMap<bool, String> = BTreeMap::new();
        let mut stored: BTreeMap<String, Value> = BTreeMap::new();
        let mut store = |framed: &Framed| {
            for (id, document) in documents(framed) {
                stored.entry(id).or_insert(serde_json::from_str(&document).unwrap());
            }
        };
        for (step, count, is_err) in steps {
            let stream = if is_err { "stderr" } else { "stdout" };
            match step {
                0..=2 => for _ in 0..count {
                    // the end of the previous line, and the beginning of the next one
                    let [begin, rest] = halves(stream, written);
                    let end = open.insert(is_err, rest).unwrap_or_default();
                    folder.append("0.log", &(end + &begin));
                    written += 1;
                },
                3 => {
                    renamed += 1;
                    if folder.path("0.log").exists() {
                        fs::rename(folder.path("0.log"), folder.path(&format!("0.log.20260701-{renamed:06}"))).unwrap();
                    }
                }
                4 => folder.restart("0.log*"),
                5 => {
                    folder.files.scan(Mode::Follow);
                    if let Some(framed) = folder.files.fill(count * 50) {
                        // a crash while these records are in flight; some or all of them are stored
                        let parts = framed.parts.clone();
                        if is_err {
                            store(&framed);
                        }
                        folder.restart("0.log*");
                        folder.files.scan(Mode::Follow);
                        let reread = folder.files.reread(&parts);
                        prop_assert!(reread.lost.is_empty() && reread.waiting.is_empty());
                        prop_assert_eq!(documents(&reread.framed), documents(&framed));
                        store(&reread.framed);
                        folder.files.mark_delivered(&reread.framed.parts);
                    }
                }
                _ => {
                    folder.files.scan(Mode::Follow);
                    if let Some(framed) = folder.files.fill(count * 50) {
                        store(&framed);
                        folder.files.mark_delivered(&framed.parts);
                    }
                }
            }
        }
        for rest in open.into_values() {
            folder.append("0.log", &rest);
        }
        for _ in 0..renamed + 2 {
            folder.files.scan(Mode::Follow);
            while let Some(framed) = folder.files.fill(1 << 20) {
                store(&framed);
                folder.files.mark_delivered(&framed.parts);
            }
        }
        let mut numbers: Vec<_> = stored.values().map(|record| record["n"].as_u64().unwrap_or(u64::MAX)).collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (0..written as u64).collect::<Vec<_>>(), "{:?}", stored);
    }
}
