use super::*;

const FULL: usize = 16 * 1024;

/// Returns a line as Docker writes it: `daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go`.
pub(super) fn line(log: &str, stream: Stream, time: SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap();
    let mut text = json!(log).to_string();
    for (plain, escaped) in [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")] {
        text = text.replace(plain, escaped);
    }
    format!(
        r#"{{"log":{text},"stream":"{}","time":"{time}"}}"#,
        stream.name().unwrap()
    )
}

/// Splits lines as Docker does: `copySrc` in `daemon/logger/copier.go`. No character is split,
/// since Docker would corrupt it.
fn lines(text: &str, stream: Stream) -> String {
    let mut pieces: Vec<&str> = Vec::new();
    let mut rest = text;
    while rest.len() >= FULL {
        let (piece, after) = rest.split_at(FULL);
        pieces.push(piece);
        rest = after;
    }
    let last = format!("{rest}\n");
    pieces.push(&last);
    let lines = pieces.iter().map(|piece| line(piece, stream, at()) + "\n");
    lines.collect()
}

proptest! {
    #[test]
    fn lines_come_back_as_the_app_wrote_them(texts in prop::collection::vec((any_line(), any_stream()), 0..8)) {
        let ascii = texts.into_iter().map(|(text, stream)| (text.replace(|c: char| !c.is_ascii(), "?"), stream));
        let texts: Vec<_> = ascii.collect();
        let file: String = texts.iter().map(|(text, stream)| lines(text, *stream)).collect();
        let expected: Vec<_> = texts.into_iter().map(|(text, stream)| (stream, text.into_bytes())).collect();
        for format in [Format::Auto, Format::JsonFile] {
            prop_assert_eq!(&joined(format, file.as_bytes()), &expected);
        }
    }
}

#[test]
fn a_docker_line_has_exactly_dockers_keys() {
    let docker = line("{\"n\":1}\n", Stream::Stdout, at());
    let labelled = docker.replace("\"time\"", "\"attrs\":{\"tag\":\"shop\"},\"time\"");
    for text in [&docker, &labelled] {
        let piece = Format::Auto.unwrap(text.as_bytes()).expect(text);
        assert_eq!((&*piece.text, piece.is_partial), (&b"{\"n\":1}"[..], false));
        assert_eq!(
            (piece.origin.stream, piece.origin.time),
            (Stream::Stdout, at())
        );
    }
    for (more, is_any) in [
        (
            docker.replace("\"time\"", "\"level\":\"info\",\"time\""),
            true,
        ),
        (
            docker.replace("{\"log\"", "{\"message\":\"m\",\"log\""),
            true,
        ),
        (labelled.replace("{\"tag\":\"shop\"}", "\"shop\""), true),
        (docker.replace("\"log\"", "\"logs\""), false),
        (docker.replace("stdout", "stdin"), false),
        (docker.replace("2026", "last year"), false),
        (
            docker.replace("\"time\"", "\"log\":\"again\",\"time\""),
            false,
        ),
        (
            r#"{"log":{"offset":1},"stream":"stdout","time":"2026-07-01T12:00:00Z"}"#.to_owned(),
            false,
        ),
        (r#"{"log":"a record's own field"}"#.to_owned(), false),
    ] {
        assert_eq!(Format::Auto.unwrap(more.as_bytes()), None, "{more}");
        assert_eq!(
            Format::JsonFile.unwrap(more.as_bytes()).is_some(),
            is_any,
            "{more}"
        );
    }
}

#[test]
fn a_short_text_without_a_line_feed_ends_the_output() {
    let half = line("{\"n\":", Stream::Stdout, at());
    let piece = Format::Auto.unwrap(half.as_bytes()).unwrap();
    assert_eq!((&*piece.text, piece.is_partial), (&b"{\"n\":"[..], false));
    let full = line(&"x".repeat(FULL), Stream::Stdout, at());
    assert!(Format::Auto.unwrap(full.as_bytes()).unwrap().is_partial);
}
