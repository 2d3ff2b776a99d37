use super::*;

/// Returns an entry as `journalctl --output=json --all` prints it: `src/shared/logs-show.c`.
pub(super) fn entry(message: &[u8], time: SystemTime) -> Value {
    let micros = time.duration_since(UNIX_EPOCH).unwrap().as_micros();
    let is_printable =
        |text: &str| !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t');
    let message = match std::str::from_utf8(message) {
        Ok(text) if is_printable(text) => json!(text),
        _ => json!(message),
    };
    json!({
        "__CURSOR": "s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7;b=6c7c6013a26343b29e964691ff25d04c",
        "__REALTIME_TIMESTAMP": micros.to_string(),
        "__MONOTONIC_TIMESTAMP": "3083428",
        "_BOOT_ID": "6c7c6013a26343b29e964691ff25d04c",
        "_TRANSPORT": "stdout",
        "_STREAM_ID": "57a4e7e6c7e84e8d9f3b7f4d5c1a2b3c",
        "PRIORITY": "6",
        "_SYSTEMD_UNIT": "shop.service",
        "MESSAGE": message,
    })
}

const STREAM: Stream = Stream::Journal(0x9f3b_7f4d_5c1a_2b3c);

proptest! {
    #[test]
    fn messages_come_back_as_the_app_wrote_them(
        message in prop_oneof![any_line().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..50)], time in any_time()
    ) {
        let line = entry(&message, time).to_string();
        for format in [Format::Auto, Format::Journal] {
            let piece = format.unwrap(line.as_bytes()).unwrap();
            prop_assert_eq!(&*piece.text, &message[..]);
            prop_assert_eq!(piece.origin, Origin { stream: STREAM, time, level: None });
        }
    }

    #[test]
    fn joins_split_lines_while_other_services_log(lines in prop::collection::vec(any_line(), 1..4), most in 1..48_usize) {
        let mut entries = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let pieces: Vec<_> = line.as_bytes().chunks(most * 1024).collect();
            for (at, piece) in pieces.iter().enumerate() {
                let mut entry = entry(piece, super::at());
                entry["_STREAM_ID"] = json!(format!("{number:032x}"));
                if at + 1 < pieces.len() {
                    entry["_LINE_BREAK"] = json!("line-max");
                }
                entries.push((at, entry.to_string() + "\n"));
            }
        }
        // the services take turns
        entries.sort_by_key(|(at, _)| *at);
        let file: String = entries.into_iter().map(|(_, entry)| entry).collect();
        let mut joined = joined(Format::Auto, file.as_bytes());
        joined.sort_by_key(|(stream, _)| match stream {
            Stream::Journal(id) => *id,
            _ => panic!("{stream:?}"),
        });
        let expected: Vec<_> = lines.iter().filter(|line| !line.is_empty()).map(String::as_bytes).collect();
        let joined: Vec<_> = joined.iter().map(|(_, text)| &text[..]).collect();
        prop_assert_eq!(joined, expected);
    }
}

#[test]
fn an_entry_has_the_fields_that_journalctl_always_adds() {
    let entry = entry(b"m", at());
    for name in ["__CURSOR", "__REALTIME_TIMESTAMP"] {
        let mut other = entry.clone();
        other.as_object_mut().unwrap().remove(name);
        let other = other.to_string();
        assert_eq!(Format::Auto.unwrap(other.as_bytes()), None, "{other}");
        assert!(
            Format::Journal.unwrap(other.as_bytes()).is_some(),
            "{other}"
        );
    }
    for record in [
        r#"{"MESSAGE":"m"}"#,
        r#"{"message":"\"__CURSOR\" and \"__REALTIME_TIMESTAMP\""}"#,
        "{}",
        "text",
    ] {
        assert_eq!(Format::Auto.unwrap(record.as_bytes()), None, "{record}");
    }
    assert_eq!(Format::Journal.unwrap(br#"{"message":"m"}"#), None);
}

#[test]
fn the_priority_is_the_level_unless_it_is_a_default() {
    for (priority, stdout, journal) in [
        ("0", Some(Level::Error), Some(Level::Error)),
        ("3", Some(Level::Error), Some(Level::Error)),
        ("4", Some(Level::Warning), Some(Level::Warning)),
        ("5", Some(Level::Info), Some(Level::Info)),
        ("6", None, Some(Level::Info)),
        ("7", Some(Level::Debug), Some(Level::Debug)),
        ("8", None, None),
    ] {
        for (transport, expected) in [
            ("stdout", stdout),
            ("journal", journal),
            ("syslog", journal),
        ] {
            let mut entry = entry(b"m", at());
            entry["PRIORITY"] = json!(priority);
            entry["_TRANSPORT"] = json!(transport);
            let line = entry.to_string();
            let level = Format::Auto.unwrap(line.as_bytes()).unwrap().origin.level;
            assert_eq!(level, expected, "{transport} {priority}");
        }
    }
}

#[test]
fn reads_fields_of_any_form() {
    for (message, text) in [
        (json!("text"), &b"text"[..]),
        (json!([104, 105, 255]), b"hi\xff"),
        (json!([]), b""),
        (json!(null), super::super::journal::LEFT_OUT.as_bytes()),
        // several fields of the same name
        (json!(["first", "second"]), b"first"),
        (json!([[104, 105], "second", null]), b"hi"),
    ] {
        let mut entry = entry(b"", at());
        entry["MESSAGE"] = message;
        entry["PRIORITY"] = json!(["6", "3"]);
        let line = entry.to_string();
        let piece = Format::Auto.unwrap(line.as_bytes()).expect(&line);
        assert_eq!(&*piece.text, text, "{line}");
        let level = (text == super::super::journal::LEFT_OUT.as_bytes()).then_some(Level::Warning);
        assert_eq!(piece.origin.level, level, "{line}");
    }
    for message in [json!(1), json!([256]), json!({"a": 1}), json!([1, "text"])] {
        let mut entry = entry(b"", at());
        entry["MESSAGE"] = message.clone();
        let line = entry.to_string();
        let is_read = message == json!([1, "text"]);
        assert_eq!(
            Format::Auto.unwrap(line.as_bytes()).is_some(),
            is_read,
            "{line}"
        );
    }
}

#[test]
fn the_hash_of_an_entry_is_the_same_in_every_version() {
    let line = entry(b"m", at()).to_string();
    let number = Format::Auto.unwrap(line.as_bytes()).unwrap().entry;
    assert_eq!(
        number,
        Some(0x20d2_fa6c_3c74_e675_8dd2_4410_ead4_fabe),
        "{number:x?}"
    );
}
