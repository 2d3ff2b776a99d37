//! Delivers the lines of a stream that can be read only once, such as standard input.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Progress;
use super::count::Counts;
use super::lines::{Framed, LineFramer};
use super::record::{LineReader, RawLine};
use crate::bulk::{Batch, Delivery, Piece, SystemClock, Target};
use crate::envelope::{Format, LONGEST_LINE};
use crate::transport::client::Client;
use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;

/// How many bytes are read at a time.
const READ: usize = 256 * 1024;
/// How many reads may wait to be sent, about 32 MiB. If that many wait, nothing more is read, and
/// the app blocks in its next write.
const WAITING: usize = 128;
/// The length that a request grows to, if enough is available.
const BATCH: usize = 8 << 20;
/// How long reading and sending may continue after the signal to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Delivers the lines of standard input, or of any other stream.
///
/// Each line is delivered at least once, but a stream cannot be read again. If the process is
/// killed, the lines that it has read and not delivered are lost, at most about 32 MiB. While
/// Elasticsearch is unreachable, nothing is lost: once that much waits, nothing more is read, and
/// the app blocks in its next write. The `_id` of a journal entry is derived from the entry's
/// cursor. If a later run reads the entry again, it is stored twice only if `logs` has a new index
/// by then.
pub struct InputShipper {
    delivery: Delivery,
    format: Format,
    copy: Option<Box<dyn Write + Send>>,
}

impl fmt::Debug for InputShipper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputShipper")
            .field("format", &self.format)
            .field("copies", &self.copy.is_some())
            .finish_non_exhaustive()
    }
}

impl InputShipper {
    /// Creates a shipper that sends with this client. `gzip` sets the compression level, from 1 to
    /// 9. Default: no compression.
    #[must_use]
    pub fn new(client: Client, gzip: Option<u32>) -> Self {
        Self {
            delivery: Delivery::new(Target::new(client), gzip),
            format: Format::default(),
            copy: None,
        }
    }

    /// Sets the format whose envelopes are removed from the lines. Default: [`Format::Auto`].
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Copies everything that is read to `copy`. If a write to `copy` fails, the error is reported
    /// on standard error once, and copying stops. Default: off.
    #[must_use]
    pub fn copy_to(mut self, copy: impl Write + Send + 'static) -> Self {
        self.copy = Some(Box::new(copy));
        self
    }

    /// Delivers the lines of `input` to its end, including a last line without a line feed. After
    /// `stop` completes, delivery continues for at most three seconds; [`Progress::undelivered`] is
    /// the number of records that remain then.
    ///
    /// Failed requests to Elasticsearch are reported on standard error and retried.
    ///
    /// # Errors
    ///
    /// [`is_io`](Error::is_io) if `input` cannot be read. Everything that was read before is
    /// delivered.
    pub async fn run(
        self,
        input: impl Read + Send + 'static,
        stop: impl Future<Output = ()>,
    ) -> Result<Progress, Error> {
        let counts = Arc::new(Counts::default());
        let (sender, mut chunks) = mpsc::channel(WAITING);
        let reader = Reader {
            framer: LineFramer::new(LineReader {
                format: self.format,
                seed: fastrand::u64(..),
                ..LineReader::default()
            }),
            offset: 0,
            text: Vec::new(),
            skips: false,
            copy: self.copy,
            counts: Arc::clone(&counts),
            chunks: sender,
        };
        // A dedicated thread, because a runtime cannot cancel a read that waits for input.
        let reading = thread::Builder::new()
            .name("openreplay-input".to_owned())
            .spawn(move || reader.run(input))
            .map_err(failed)?;
        let ended = async {
            stop.await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = deliver(self.delivery, &mut chunks, &counts) => {
                // The thread has ended, since its side of the channel is closed.
                let read = reading.join();
                read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                Ok(counts.progress())
            }
            () = ended => Ok(counts.progress()),
        }
    }
}

async fn deliver(mut delivery: Delivery, chunks: &mut mpsc::Receiver<Framed>, counts: &Counts) {
    loop {
        let chunk = tokio::select! {
            chunk = chunks.recv() => chunk,
            () = delivery.until_due(&SystemClock) => {
                delivery.retry(counts, &SystemClock).await;
                continue;
            }
        };
        let Some(chunk) = chunk else { break };
        let mut batch = Batch::new(vec![piece(chunk)]);
        while batch.bytes() < BATCH
            && let Ok(chunk) = chunks.try_recv()
        {
            batch.pieces.push(piece(chunk));
        }
        delivery.deliver(batch, counts, &SystemClock).await;
    }
    delivery.finish(counts, &SystemClock).await;
}

fn piece(framed: Framed) -> Piece {
    Piece {
        bytes: framed.body.into(),
        records: framed.records,
        tag: 0,
    }
}

fn failed(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "the input cannot be read").with_source(error)
}

/// Reads lines, and prepares them to be sent.
struct Reader {
    framer: LineFramer,
    /// The offset of `text` in the stream.
    offset: u64,
    /// The text that was read and not sent yet.
    text: Vec<u8>,
    /// Whether the rest of a line that is too long is being dropped.
    skips: bool,
    copy: Option<Box<dyn Write + Send>>,
    counts: Arc<Counts>,
    chunks: mpsc::Sender<Framed>,
}

impl Reader {
    fn run(mut self, mut input: impl Read) -> Result<(), Error> {
        let mut buffer = vec![0; READ];
        loop {
            let read = match input.read(&mut buffer) {
                Ok(read) => Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(failed(error)),
            };
            let new = &buffer[..*read.as_ref().unwrap_or(&0)];
            if new.is_empty() {
                self.end();
                return read.map(|_| ());
            }
            self.copy(new);
            self.append(new);
            if !self.send_lines() {
                return Ok(());
            }
        }
    }

    /// Appends new text, except for the rest of a line that is being dropped.
    fn append(&mut self, mut new: &[u8]) {
        if self.skips {
            let end = memchr::memchr(b'\n', new);
            self.skips = end.is_none();
            let dropped = end.map_or(new.len(), |end| end + 1);
            self.offset += dropped as u64;
            new = &new[dropped..];
        }
        self.text.extend_from_slice(new);
    }

    /// Sends the whole lines of the text. Returns whether the other side still receives records.
    fn send_lines(&mut self) -> bool {
        let mut framed = Framed::default();
        let used = framed.add_lines(&self.text, self.offset, &mut self.framer, usize::MAX);
        self.offset += used as u64;
        self.text.drain(..used);
        if self.text.len() > LONGEST_LINE {
            let line = RawLine {
                bytes: &self.text,
                start: self.offset,
            };
            framed.add_line(line, &mut self.framer);
            self.offset += self.text.len() as u64;
            self.text.clear();
            self.skips = true;
        }
        framed.add_over(&mut self.framer);
        self.send(framed)
    }

    /// Sends the last line, and the lines whose remaining pieces did not come.
    fn end(&mut self) {
        let mut framed = Framed::default();
        let line = RawLine {
            bytes: &self.text,
            start: self.offset,
        };
        framed.add_line(line, &mut self.framer);
        self.framer.reader.pieces.end(|_| true);
        framed.add_over(&mut self.framer);
        self.send(framed);
    }

    /// Returns whether the other side still receives records.
    fn send(&self, framed: Framed) -> bool {
        self.counts.read(&framed, "the input");
        self.counts.read_records(framed.records);
        framed.records == 0 || self.chunks.blocking_send(framed).is_ok()
    }

    fn copy(&mut self, text: &[u8]) {
        if let Some(copy) = &mut self.copy
            && let Err(error) = copy.write_all(text).and_then(|()| copy.flush())
        {
            let text =
                format!("lines are no longer passed on ({error}), but they are still delivered");
            self.counts.warn(&text);
            self.copy = None;
        }
    }
}
