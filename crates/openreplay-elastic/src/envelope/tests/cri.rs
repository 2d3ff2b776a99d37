use super::*;

/// containerd's limit, `MaxContainerLogLineSize` in `internal/cri/config/config_unix.go`.
pub(super) const PIECE: usize = 16 * 1024;

/// Writes lines as containerd does for Kubernetes, in `redirectLogs` of
/// `internal/cri/io/logger.go`. A line longer than the limit continues in the next piece. Each
/// piece has the time at which it was written.
pub(super) struct Writer {
    time: SystemTime,
    file: Vec<u8>,
}

impl Writer {
    pub(super) fn new(time: SystemTime) -> Self {
        Self {
            time,
            file: Vec::new(),
        }
    }

    pub(super) fn lines(mut self, stream: Stream, lines: &[&[u8]]) -> Vec<u8> {
        for line in lines {
            self.line(stream, line);
        }
        self.file
    }

    fn line(&mut self, stream: Stream, mut line: &[u8]) {
        while line.len() > PIECE {
            let (piece, rest) = line.split_at(PIECE);
            self.piece(stream, "P", piece);
            line = rest;
        }
        self.piece(stream, "F", line);
    }

    fn piece(&mut self, stream: Stream, tag: &str, text: &[u8]) {
        // as many fractional digits as necessary, and an offset
        let time = jiff::Timestamp::try_from(self.time).unwrap();
        let head = format!("{time} {} {tag} ", stream.name().unwrap());
        self.file.extend(head.as_bytes());
        self.file.extend(text);
        self.file.push(b'\n');
        self.time += Duration::from_nanos(1_001);
    }
}

proptest! {
    #[test]
    fn lines_come_back_as_the_app_wrote_them(
        lines in prop::collection::vec((any_line(), any_stream()), 0..8), time in any_time(), mixed: bool
    ) {
        let mut writer = Writer::new(time.min(at()));
        for (line, stream) in &lines {
            writer.line(*stream, line.as_bytes());
        }
        let mut expected: Vec<_> = lines.into_iter().map(|(line, stream)| (stream, line.into_bytes())).collect();
        if mixed {
            // the runtime keeps the order within each stream, but interleaves the two
            writer.file = alternate(&writer.file);
        }
        for format in [Format::Auto, Format::Cri] {
            let mut joined = joined(format, &writer.file);
            if mixed {
                joined.sort_by_key(|(stream, _)| *stream == Stream::Stderr);
                expected.sort_by_key(|(stream, _)| *stream == Stream::Stderr);
            }
            prop_assert_eq!(&joined, &expected);
        }
    }
}

/// Returns the pieces of standard output, each followed by one of standard error.
fn alternate(file: &[u8]) -> Vec<u8> {
    let pieces = file.split_inclusive(|byte| *byte == b'\n');
    let (out, err): (Vec<_>, Vec<_>) = pieces.partition(|piece| {
        memchr::memmem::find(&piece[..50.min(piece.len())], b" stdout ").is_some()
    });
    let mut mixed = Vec::new();
    for at in 0..out.len().max(err.len()) {
        for pieces in [&out, &err] {
            mixed.extend_from_slice(pieces.get(at).copied().unwrap_or_default());
        }
    }
    mixed
}

#[test]
fn parses_a_line_as_kubernetes_does() {
    for (line, stream, is_partial, text) in [
        (
            "2026-07-01T12:00:00.25Z stdout F {\"n\":1}",
            Stream::Stdout,
            false,
            "{\"n\":1}",
        ),
        (
            "2026-07-01T12:00:00.250000000Z stderr P half",
            Stream::Stderr,
            true,
            "half",
        ),
        (
            "2026-07-01T14:00:00.250000000+02:00 stdout F  two spaces ",
            Stream::Stdout,
            false,
            " two spaces ",
        ),
        (
            "2026-07-01T12:00:00.25Z stdout F:more:tags text",
            Stream::Stdout,
            false,
            "text",
        ),
        (
            "2026-07-01T12:00:00.25Z stdout P:more text",
            Stream::Stdout,
            true,
            "text",
        ),
        (
            "2026-07-01T12:00:00.25Z stdout F ",
            Stream::Stdout,
            false,
            "",
        ),
    ] {
        let piece = Format::Auto.unwrap(line.as_bytes()).expect(line);
        assert_eq!(
            (piece.origin.stream, piece.is_partial),
            (stream, is_partial),
            "{line}"
        );
        assert_eq!(
            (&*piece.text, piece.origin.time),
            (text.as_bytes(), at()),
            "{line}"
        );
    }
}

#[test]
fn rejects_lines_that_only_resemble_the_format() {
    for line in [
        "",
        "2026-07-01T12:00:00Z",
        "2026-07-01T12:00:00Z stdout",
        "2026-07-01T12:00:00Z stdout F",
        "2026-07-01T12:00:00Z stdin F text",
        "2026-07-01T12:00:00Z stdout X text",
        "2026-07-01T12:00:00Z stdout FP text",
        "2026-07-01T12:00:00Z  stdout F text",
        "2026-07-01 12:00:00Z stdout F text",
        "yesterday stdout F text",
        "2026-07-01T12:00:00.250000000000000000000000Z stdout F text",
        "2026-07-01T12:00:00Z INFO shop: stdout F text",
    ] {
        assert_eq!(Format::Auto.unwrap(line.as_bytes()), None, "{line}");
        assert_eq!(Format::Cri.unwrap(line.as_bytes()), None, "{line}");
    }
}
