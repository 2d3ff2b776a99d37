//! Log files of containers, as Kubernetes' runtimes write them.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// What a piece of a line holds at most: containerd's `MaxContainerLogLineSize`, in
/// `internal/cri/config/config_unix.go`.
pub const PIECE: usize = 16 * 1024;

/// Writes lines of an app as containerd does, in `redirectLogs` of `internal/cri/io/logger.go`:
/// what a line has beyond the limit goes to the next piece. Kubernetes reads them in `parseCRILog`
/// of `staging/src/k8s.io/cri-client/pkg/logs/logs.go`.
#[derive(Clone, Debug)]
pub struct CriLog<'a> {
    stream: &'a str,
    limit: usize,
}

impl<'a> CriLog<'a> {
    /// For `stdout` or `stderr`.
    #[must_use]
    pub fn new(stream: &'a str) -> Self {
        Self {
            stream,
            limit: PIECE,
        }
    }

    /// Splits lines at so many bytes: containerd's setting `max_container_log_line_size`.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The pieces of a line, each a line of the file, with the time at which it is written.
    #[must_use]
    pub fn pieces(&self, line: &str) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        let mut rest = line.as_bytes();
        while rest.len() > self.limit {
            let (piece, after) = rest.split_at(self.limit);
            pieces.push(self.piece("P", piece));
            rest = after;
        }
        pieces.push(self.piece("F", rest));
        pieces
    }

    fn piece(&self, tag: &str, text: &[u8]) -> Vec<u8> {
        let now = jiff::Timestamp::now();
        let head = format!("{now:.9} {} {tag} ", self.stream);
        [head.as_bytes(), text, b"\n"].concat()
    }
}

/// Appends to a file.
///
/// # Panics
///
/// When it cannot be written.
pub fn append(file: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .append(true)
        .open(file)
        .expect("a log file");
    file.write_all(bytes).expect("it can be written");
}
