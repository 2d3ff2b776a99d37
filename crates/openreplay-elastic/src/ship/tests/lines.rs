use std::fs;

use super::*;
use crate::ship::lines::LineFramer;
use crate::ship::record::{LineReader, RawLine};

#[test]
fn a_line_is_read_once_it_has_a_line_feed() {
    let mut folder = Folder::new("app.log");
    assert_eq!(folder.take(), [""; 0]);
    folder.append("app.log", "{\"n\":1}\n{\"n\"");
    assert_eq!(folder.take(), [r#"{"n":1}"#]);
    assert_eq!(folder.take(), [""; 0]);
    folder.append("app.log", ":2}");
    assert_eq!(folder.take(), [""; 0]);
    folder.append("app.log", "\r\n\n  \n{\"n\":3}\n");
    assert_eq!(folder.take(), [r#"{"n":2}"#, r#"{"n":3}"#]);
}

#[test]
fn a_line_that_is_not_a_record_becomes_the_message_of_one() {
    let mut folder = Folder::new("app.log");
    folder.append(
        "app.log",
        "thread 'main' panicked at \"x\"\n[1,2]\n{\"n\":1}\n",
    );
    folder.files.scan(Mode::Follow);
    let framed = folder.files.fill(1 << 20).unwrap();
    assert_eq!((framed.records, framed.wrapped), (3, 2));
    let record: serde_json::Value = serde_json::from_str(&documents(&framed)[0].1).unwrap();
    assert_eq!(record["message"], "thread 'main' panicked at \"x\"");
    assert_eq!(record["level"], "error");
    assert_eq!(record["tags"], serde_json::json!(["error"]));
    assert_eq!(record["@timestamp"], record["utc_time"]);
}

#[test]
fn removes_blanks_and_a_byte_order_mark_around_a_record() {
    let mut folder = Folder::new("app.log");
    folder.append("app.log", "\u{feff}{\"n\":1}\n");
    folder.append(
        "app.log",
        "  {\"n\":2} \n\t{\"n\":3}\t\r\n  a text \n\u{feff}{}\n",
    );
    let framed = folder.fill();
    assert_eq!((framed.records, framed.wrapped), (5, 2));
    let documents = documents(&framed);
    let texts: Vec<_> = documents.iter().map(|(_, text)| &text[..]).collect();
    assert_eq!(texts[..3], [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
    assert!(texts[3].contains(r#""message":"  a text""#), "{texts:?}");
    // each line with the `_id` of its place
    let mut plain = Folder::new("app.log");
    plain.append(
        "app.log",
        "...{\"n\":1}\n..{\"n\":2}.\n.{\"n\":3}..\n..a text.\n...{}\n",
    );
    let places = |documents: &[(String, String)]| -> Vec<_> {
        let ids = documents.iter().map(|(action, _)| id(action));
        ids.map(|id| id[11..].to_owned()).collect()
    };
    assert_eq!(places(&documents), places(&super::documents(&plain.fill())));
}

fn id(action: &str) -> String {
    let action: serde_json::Value = serde_json::from_str(action).unwrap();
    action["create"]["_id"].as_str().unwrap().to_owned()
}

#[test]
fn cuts_a_line_that_is_too_long_and_keeps_the_next_lines() {
    let mut folder = Folder::new("app.log");
    let long = format!("{{\"message\":\"{}\"}}\n", "x".repeat(17 << 20));
    folder.append("app.log", "{\"n\":1}\n");
    folder.append("app.log", &long);
    folder.append("app.log", "{\"n\":2}\n");
    let taken = folder.take();
    assert_eq!(
        (taken.len(), &taken[0][..], &taken[2][..]),
        (3, r#"{"n":1}"#, r#"{"n":2}"#)
    );
    assert!(taken[1].len() < 40_000 && taken[1].contains("(cut)"));
}

#[test]
fn once_reads_a_last_line_without_a_line_feed_only_if_it_is_complete() {
    for (last, is_taken) in [
        (r#"{"n":{"m":2}}"#, true),
        (r#"{"n":{"m":2}"#, false),
        ("text", false),
    ] {
        for first in ["", "{\"n\":1}\n"] {
            let text = format!("{first}{last}");
            let mut folder = Folder::new("app.log");
            folder.append("app.log", &text);
            let taken = folder.take_once();
            let lines = first.lines().count();
            assert_eq!(taken.len(), lines + usize::from(is_taken), "{text}");
            assert_eq!(folder.take_once(), [""; 0], "{text}");
            // later, the end of the line and another line are written
            folder.restart("app.log");
            assert_eq!(folder.take(), [""; 0], "{text}");
            folder.append("app.log", "\r\n{\"n\":3}\n");
            let taken = folder.take();
            assert_eq!(taken.len(), 1 + usize::from(!is_taken), "{text}");
            assert_eq!(taken[taken.len() - 1], r#"{"n":3}"#, "{text}");
        }
    }
}

#[test]
fn once_reads_what_existed_at_the_start_while_files_grow_and_are_renamed() {
    let mut folder = Folder::new("*.log*");
    for name in ["a.log", "b.log"] {
        folder.append(name, &numbered(0..10));
    }
    folder.files.set_most_open(1);
    folder.files.scan(Mode::Once);
    let mut taken = Vec::new();
    for round in 10..100 {
        folder.append("a.log", &numbered([round]));
        fs::rename(folder.path("b.log"), folder.path("b.log.1")).unwrap();
        folder.append("b.log", &numbered([round]));
        folder.files.scan(Mode::Once);
        // one line at a time
        let Some(framed) = folder.files.fill(1) else {
            break;
        };
        folder.files.mark_delivered(&framed.parts);
        taken.extend(documents(&framed).into_iter().map(|(_, text)| text));
        fs::rename(folder.path("b.log.1"), folder.path("b.log")).unwrap();
    }
    let twice = (0..10).flat_map(|n| [n, n]);
    assert_eq!(numbers(taken), twice.collect::<Vec<_>>());
    // the next run reads the rest
    folder.restart("a.log");
    assert_eq!(numbers(folder.take_once()), (10..31).collect::<Vec<_>>());
}

/// Returns how many bytes this thread has read so far.
#[cfg(target_os = "linux")]
fn bytes_read() -> u64 {
    let counts = fs::read_to_string("/proc/thread-self/io").unwrap();
    let (count, _) = counts["rchar: ".len()..].split_once('\n').unwrap();
    count.parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_growing_line_is_not_read_again_each_time() {
    let mut folder = Folder::new("app.log");
    folder.append("app.log", "{\"n\":1}\n{\"text\":\"");
    assert_eq!(folder.take().len(), 1);
    let part = "x".repeat(100_000);
    let before = bytes_read();
    for _ in 0..100 {
        folder.append("app.log", &part);
        assert_eq!(folder.take(), [""; 0]);
    }
    let read = bytes_read() - before;
    assert!(read < 30_000_000, "{read}");
    folder.append("app.log", "\"}\n");
    assert_eq!(folder.take()[0].len(), 10_000_011);
}

/// With a changed `_id`, in-flight lines would be stored a second time.
#[test]
fn ids_of_lines_are_the_same_in_every_version() {
    for (seed, offset, expected) in [
        (7, 20, "----------6-----------J"),
        (18446744073709551615, 0, "Ezzzzzzzzzz------------"),
        (1234567890123456789, 4096, "03X3EGxuN3K---------0--"),
    ] {
        let mut framed = Framed::default();
        let line = RawLine {
            bytes: b"{}",
            start: offset,
        };
        framed.add_line(
            line,
            &mut LineFramer::new(LineReader {
                seed,
                ..LineReader::default()
            }),
        );
        let action = format!("{{\"create\":{{\"_id\":\"{expected}\"}}}}\n{{}}\n");
        assert_eq!(String::from_utf8(framed.body).unwrap(), action);
    }
}

#[test]
fn nuls_before_a_line_are_skipped_and_counted() {
    for nuls in [1, 4_095, 5_000, 300_000, 40 << 20] {
        let mut folder = Folder::new("app.log");
        folder.append("app.log", &numbered([1, 2]));
        assert_eq!(folder.take().len(), 2);
        // The file is truncated by `copytruncate`, while the app continues to write at its old
        // offset.
        fs::write(folder.path("app.log"), "").unwrap();
        let file = fs::OpenOptions::new()
            .write(true)
            .open(folder.path("app.log"));
        file.unwrap().set_len(nuls).unwrap();
        folder.append("app.log", &numbered([3, 4]));
        let mut framed = folder.fill();
        let mut skipped = framed.nuls;
        while framed.records == 0 {
            folder.files.mark_delivered(&framed.parts);
            framed = folder.fill();
            skipped += framed.nuls;
        }
        assert_eq!((framed.records, framed.wrapped, skipped), (2, 0, nuls));
        let texts = documents(&framed).into_iter().map(|(_, text)| text);
        assert_eq!(numbers(texts.collect()), [3, 4]);
    }
}
