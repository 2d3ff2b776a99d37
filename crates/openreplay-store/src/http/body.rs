//! A request's body, within limits.

use std::fmt;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::buffer::{Buffer, LimitReached};
use super::error::Problem;

/// No body may be longer, before or after decompression.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;
/// All bodies that are worked on together, before and after decompression.
const MEMORY: usize = 2 * LONGEST;
const UNIT: usize = 1024;
/// All lines of these bodies. What is kept per line, the response included, takes about 200
/// bytes.
const LINES: usize = 64 * 1024;
/// So many bodies are decompressed or read as JSON at a time. More threads would finish no sooner,
/// and each thread keeps memory of its own.
const AT_A_TIME: usize = 2;
/// A shorter body is read on a thread of the runtime: waking another thread would take longer.
const SHORT: usize = 64 * 1024;
/// So much is decompressed at once.
const PIECE: usize = 64 * 1024;
/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(60);
/// So much of a body that is too long is read all the same: clients read the response only once
/// they have sent all.
const DISCARDED: usize = 8 * LONGEST;

/// Memory and threads for the bodies of all requests.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    memory: Arc<Semaphore>,
    lines: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

impl Default for Limits {
    fn default() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            memory: semaphore(MEMORY / UNIT),
            lines: semaphore(LINES),
            threads: semaphore(AT_A_TIME),
        }
    }
}

/// A body, and what is reserved for it.
#[derive(Debug)]
pub(crate) struct Received {
    /// Without its compression.
    pub(crate) bytes: Bytes,
    reserved: Vec<OwnedSemaphorePermit>,
}

impl Limits {
    /// Reads a body once there is memory for it, and decompresses it.
    pub(crate) async fn receive<B>(&self, headers: &HeaderMap, body: B) -> Result<Received, Problem>
    where
        B: Body,
        B::Error: fmt::Display,
    {
        let is_gzip = is_gzip(headers)?;
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > LONGEST) {
            if !headers.contains_key(header::EXPECT) {
                // a client that takes longer finds the connection closed
                let _ = tokio::time::timeout(PATIENCE, read(body, 0)).await;
            }
            return Err(too_long());
        }
        let sent = length.unwrap_or(LONGEST);
        let needed = if is_gzip { sent + LONGEST } else { sent };
        let memory = reserve(&self.memory, needed.div_ceil(UNIT)).await?;
        let bytes = tokio::time::timeout(PATIENCE, read(body, sent))
            .await
            .map_err(|_| {
                let reason = format!(
                    "the body was not sent within {} seconds",
                    PATIENCE.as_secs()
                );
                Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout_exception", reason)
            })??;
        let bytes = if is_gzip {
            self.run(true, move || decompress(&bytes)).await?
        } else {
            bytes
        };
        Ok(Received {
            bytes,
            reserved: vec![memory],
        })
    }

    /// Reserves memory for what is kept of each line.
    pub(crate) async fn reserve_lines(&self, received: &mut Received) -> Result<(), Problem> {
        let lines = memchr::memchr_iter(b'\n', &received.bytes).count();
        if lines > LINES {
            let reason = format!("the body has more than {LINES} lines; send smaller requests");
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "content_too_long_exception",
                reason,
            ));
        }
        received.reserved.push(reserve(&self.lines, lines).await?);
        Ok(())
    }

    /// Runs what takes the CPU or the disk for a while: on another thread if it is long.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        is_long: bool,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        if !is_long {
            return work();
        }
        let thread = reserve(&self.threads, 1).await?;
        let work = move || {
            let done = work();
            drop(thread);
            done
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(_) => Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "exception",
                "a defect of the store; see its standard error",
            )),
        }
    }
}

impl Received {
    pub(crate) fn is_long(&self) -> bool {
        self.bytes.len() > SHORT
    }
}

async fn reserve(
    semaphore: &Arc<Semaphore>,
    permits: usize,
) -> Result<OwnedSemaphorePermit, Problem> {
    let permits = u32::try_from(permits).unwrap_or(u32::MAX);
    let reserved = Arc::clone(semaphore).acquire_many_owned(permits).await;
    reserved.map_err(|_| Problem::unavailable("the store is closing"))
}

fn decompress(packed: &[u8]) -> Result<Bytes, Problem> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut bytes = Buffer::new(LONGEST);
    let mut piece = vec![0; PIECE];
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok(bytes.into_bytes()),
            Ok(length) => bytes
                .extend(&piece[..length])
                .map_err(|LimitReached| too_long())?,
            Err(error) => return Err(Problem::parsing(format!("the body is not gzip: {error}"))),
        }
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    match (
        encodings.next().map(http::HeaderValue::as_bytes),
        encodings.next(),
    ) {
        (None | Some(b"identity"), None) => Ok(false),
        (Some(encoding), None) if encoding.eq_ignore_ascii_case(b"gzip") => Ok(true),
        (encoding, _) => {
            let name = String::from_utf8_lossy(encoding.unwrap_or_default()).into_owned();
            let reason = format!("Content-Encoding [{name}] is not supported; use [gzip] or none");
            Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type_header_exception",
                reason,
            ))
        }
    }
}

fn too_long() -> Problem {
    let reason = format!(
        "the body is longer than {LONGEST} bytes, before or after decompression; send smaller requests"
    );
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "content_too_long_exception",
        reason,
    )
}

/// Reads all of a body; one that is too long is read on and dropped, for clients that read the
/// response only once they have sent all.
async fn read<B>(body: B, expected: usize) -> Result<Bytes, Problem>
where
    B: Body,
    B::Error: fmt::Display,
{
    let mut body = std::pin::pin!(body);
    let mut bytes = Buffer::new(expected);
    let mut length = 0_usize;
    let mut is_too_long = false;
    loop {
        let data = match body.frame().await {
            None => break,
            Some(Err(error)) => {
                return Err(Problem::parsing(format!("the body broke off: {error}")));
            }
            Some(Ok(frame)) => frame.into_data(),
        };
        let Ok(mut data) = data else { continue };
        length = length.saturating_add(data.remaining());
        while data.has_remaining() {
            is_too_long = is_too_long || bytes.extend(data.chunk()).is_err();
            data.advance(data.chunk().len());
        }
        if length > DISCARDED {
            break;
        }
    }
    if is_too_long {
        Err(too_long())
    } else {
        Ok(bytes.into_bytes())
    }
}
