//! A request's body, within limits.

use std::fmt;
use std::io::Read as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Problem;
use crate::buffer::{Buffer, LimitReached};

/// The maximum length of a body, before and after decompression.
const LONGEST: usize = 16 * 1024 * 1024;
/// The maximum length of all bodies together, as they are sent: the longest, and shorter ones at
/// the same time.
const SENT: usize = LONGEST + LONGEST / 8;
/// The maximum length of all decompressed bodies together.
const DECOMPRESSED: usize = LONGEST;
/// The bytes that one permit stands for.
const UNIT: usize = 1024;
/// The maximum number of lines of all bodies together. What is kept per line, including its part of
/// the response, takes about 200 bytes.
const LINES: usize = 64 * 1024;
/// The number of threads that decompress bodies or parse JSON. More threads would finish no sooner,
/// and each thread keeps memory of its own.
const THREADS: usize = 2;
/// The maximum length of a search, and of a body that is parsed on a thread of the runtime: waking
/// another thread would take longer.
const SHORT: usize = 64 * 1024;
/// The length of a body up to which no memory is reserved, so that a client that sends no more
/// takes none from others. A connection has a larger buffer anyway.
const BEGINNING: usize = 8 * 1024;
/// The length of the largest response to a search, but for its last record.
pub(crate) const LONGEST_RESPONSE: usize = 64 * 1024 * 1024;
/// The maximum length of all responses to searches together: the largest of those that clients are
/// reading, and one that is being created.
const RESPONSES: usize = 2 * LONGEST_RESPONSE;
/// The largest number of bytes to which deflate can expand one: 258 bytes take two bits.
const EXPANSION: usize = 1_032;
/// The length of a compressed body that is decompressed on a thread of the runtime, because even
/// its longest text takes well under a millisecond.
const QUICK: usize = 1024;
/// The number of bytes that one step decompresses.
const PIECE: usize = 64 * 1024;
/// The time that a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(60);
/// The number of bytes of a body that are read although the request is rejected.
const DISCARDED: usize = 8 * LONGEST;

/// Memory and threads for the bodies of all requests.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    sent: Arc<Semaphore>,
    decompressed: Arc<Semaphore>,
    lines: Arc<Semaphore>,
    responses: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

impl Default for Limits {
    fn default() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            sent: semaphore(SENT / UNIT),
            decompressed: semaphore(DECOMPRESSED / UNIT),
            lines: semaphore(LINES),
            responses: semaphore(RESPONSES / UNIT),
            threads: semaphore(THREADS),
        }
    }
}

/// A decompressed body, and what is reserved for it until it is dropped.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    reserved: Vec<OwnedSemaphorePermit>,
}

impl Limits {
    /// Reads a body once there is memory for it, and decompresses it.
    pub(crate) async fn receive<B>(
        &self,
        headers: &HeaderMap,
        encoding: Encoding,
        body: B,
    ) -> Result<Received, Problem>
    where
        B: Body,
        B::Error: fmt::Display,
    {
        let limit = length(headers).unwrap_or(LONGEST).min(LONGEST);
        let mut body = std::pin::pin!(body);
        let mut incoming = Incoming::new(limit);
        let is_whole = in_time(incoming.read(body.as_mut(), BEGINNING)).await?;
        let needed = if is_whole { incoming.length } else { limit };
        let mut sent = reserve(&self.sent, needed.min(limit).div_ceil(UNIT)).await?;
        if !is_whole {
            incoming.bytes.allow_map();
            in_time(incoming.read(body, usize::MAX)).await?;
        }
        let bytes = incoming.into_bytes()?;
        shrink(&mut sent, bytes.len());
        let received = Received {
            bytes,
            reserved: vec![sent],
        };
        match encoding {
            Encoding::Identity => Ok(received),
            Encoding::Gzip => self.decompress(received).await,
        }
    }

    /// Decompresses a body once there is memory for the longest text that it can have.
    ///
    /// This memory is not reserved earlier: a client that sends slowly would keep it from others.
    async fn decompress(&self, packed: Received) -> Result<Received, Problem> {
        let length = packed.bytes.len();
        let longest = length.saturating_mul(EXPANSION).min(LONGEST);
        let mut memory = reserve(&self.decompressed, longest.div_ceil(UNIT)).await?;
        self.run_by_length(length > QUICK, move || {
            let bytes = decompress(&packed.bytes, longest)?;
            shrink(&mut memory, bytes.len());
            Ok(Received {
                bytes,
                reserved: vec![memory],
            })
        })
        .await
    }

    /// Reads the body of a search, which is short. Nothing is reserved, so that searches do not
    /// wait for records that are being sent.
    pub(crate) async fn receive_short<B>(encoding: Encoding, body: B) -> Result<Bytes, Problem>
    where
        B: Body,
        B::Error: fmt::Display,
    {
        let mut incoming = Incoming::new(SHORT);
        in_time(incoming.read(std::pin::pin!(body), usize::MAX)).await?;
        let bytes = incoming.into_bytes()?;
        match encoding {
            Encoding::Identity => Ok(bytes),
            Encoding::Gzip => decompress(&bytes, SHORT),
        }
    }

    /// Reserves memory for the largest response to a search.
    ///
    /// A client that does not read its response keeps this memory reserved, so the wait is limited.
    pub(crate) async fn reserve_response(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let reserved = reserve(&self.responses, LONGEST_RESPONSE / UNIT);
        let reserved = tokio::time::timeout(PATIENCE, reserved).await;
        reserved.map_err(|_| {
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "circuit_breaking_exception",
                "the memory for responses is in use: clients have not read earlier responses; try again later",
            )
        })?
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

    /// Runs work on a body: on another thread if the body is long.
    pub(crate) async fn run_by_length<T: Send + 'static>(
        &self,
        is_long: bool,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        if is_long {
            self.run_blocking(work).await
        } else {
            work()
        }
    }

    /// Runs what takes the CPU or the disk for a while on another thread.
    pub(crate) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
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
                "internal error; see the store's standard error",
            )),
        }
    }
}

#[cfg(test)]
impl Limits {
    /// Returns how much can be reserved.
    pub(crate) fn free(&self) -> [usize; 4] {
        [&self.sent, &self.decompressed, &self.lines, &self.responses]
            .map(|each| each.available_permits())
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

/// Releases what is not needed for so many bytes.
fn shrink(reserved: &mut OwnedSemaphorePermit, bytes: usize) {
    let excess = reserved.num_permits().saturating_sub(bytes.div_ceil(UNIT));
    drop(reserved.split(excess));
}

/// A response, and what is reserved for it until it is sent.
struct Reserved {
    bytes: Vec<u8>,
    _reserved: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Reserved {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns bytes for which only as much as they need stays reserved, until they are dropped.
pub(crate) fn keep_reserved(bytes: Vec<u8>, mut reserved: OwnedSemaphorePermit) -> Bytes {
    shrink(&mut reserved, bytes.capacity());
    Bytes::from_owner(Reserved {
        bytes,
        _reserved: reserved,
    })
}

fn decompress(packed: &[u8], limit: usize) -> Result<Bytes, Problem> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut bytes = Buffer::new(limit);
    let mut piece = vec![0; PIECE];
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok(bytes.into_bytes()),
            Ok(length) => bytes
                .extend(&piece[..length])
                .map_err(|LimitReached| too_long(limit))?,
            Err(error) => return Err(Problem::parsing(format!("the body is not gzip: {error}"))),
        }
    }
}

/// How a body is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = encodings.next().map(http::HeaderValue::as_bytes);
        let is = |name: &[u8]| encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case(name));
        match (encoding, encodings.next()) {
            (None, None) => Ok(Self::Identity),
            (Some(_), None) if is(b"identity") => Ok(Self::Identity),
            (Some(_), None) if is(b"gzip") => Ok(Self::Gzip),
            (encoding, _) => {
                let name = String::from_utf8_lossy(encoding.unwrap_or_default()).into_owned();
                let reason =
                    format!("Content-Encoding [{name}] is not supported; use [gzip] or none");
                Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "media_type_header_exception",
                    reason,
                ))
            }
        }
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Rejects a body that is too long before it is read.
pub(crate) fn check_length(headers: &HeaderMap) -> Result<(), Problem> {
    if length(headers).is_some_and(|length| length > LONGEST) {
        Err(too_long(LONGEST))
    } else {
        Ok(())
    }
}

/// Reads and drops the body of a request that is rejected, because most clients read the response
/// only after they have sent the whole body. A client that expects a response first sends none.
pub(crate) async fn discard<B>(headers: &HeaderMap, body: B, status: StatusCode)
where
    B: Body,
    B::Error: fmt::Display,
{
    if !headers.contains_key(header::EXPECT) {
        // if the client takes longer, the connection is closed
        let mut rest = Incoming::new(0);
        // a client without a key may be anybody
        let enough = match status {
            StatusCode::UNAUTHORIZED => LONGEST,
            _ => DISCARDED,
        };
        let _ = in_time(rest.read(std::pin::pin!(body), enough)).await;
    }
}

fn too_long(limit: usize) -> Problem {
    let reason = format!(
        "the body is longer than {limit} bytes, before or after decompression; send smaller requests"
    );
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "content_too_long_exception",
        reason,
    )
}

/// Gives a client a limited time to send.
async fn in_time<T>(read: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let read = tokio::time::timeout(PATIENCE, read).await;
    read.map_err(|_| {
        let reason = format!(
            "the body was not sent within {} seconds",
            PATIENCE.as_secs()
        );
        Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout_exception", reason)
    })?
}

/// A body, as far as it was read. The rest of a body that is too long is read and dropped.
struct Incoming {
    bytes: Buffer,
    limit: usize,
    length: usize,
    is_too_long: bool,
}

impl Incoming {
    fn new(limit: usize) -> Self {
        Self {
            bytes: Buffer::allocated(limit),
            limit,
            length: 0,
            is_too_long: false,
        }
    }

    /// Reads to the end of the body, or until it has more than `enough` bytes. Returns whether the
    /// body has ended.
    async fn read<B>(&mut self, mut body: Pin<&mut B>, enough: usize) -> Result<bool, Problem>
    where
        B: Body,
        B::Error: fmt::Display,
    {
        while self.length <= enough.min(DISCARDED) {
            let data = match body.frame().await {
                None => return Ok(true),
                Some(Err(error)) => {
                    return Err(Problem::parsing(format!("the body ended early: {error}")));
                }
                Some(Ok(frame)) => frame.into_data(),
            };
            let Ok(mut data) = data else { continue };
            self.length = self.length.saturating_add(data.remaining());
            while data.has_remaining() {
                let chunk = data.chunk();
                self.is_too_long = self.is_too_long || self.bytes.extend(chunk).is_err();
                data.advance(data.chunk().len());
            }
        }
        Ok(false)
    }

    fn into_bytes(self) -> Result<Bytes, Problem> {
        if self.is_too_long {
            Err(too_long(self.limit))
        } else {
            Ok(self.bytes.into_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn a_body_takes_memory_for_the_whole_of_it_only_after_its_beginning() {
        let text = vec![b'x'; 1_000_000];
        // a client can send more than the beginning at a time
        let (beginning, rest) = text.split_at(100_000);
        let mut incoming = Incoming::new(text.len());
        let body = std::pin::pin!(Full::new(Bytes::copy_from_slice(beginning)));
        assert!(!incoming.read(body, BEGINNING).await.unwrap());
        assert!(matches!(incoming.bytes, Buffer::Allocated { .. }));
        incoming.bytes.allow_map();
        let body = std::pin::pin!(Full::new(Bytes::copy_from_slice(rest)));
        assert!(incoming.read(body, usize::MAX).await.unwrap());
        assert!(matches!(incoming.bytes, Buffer::Mapped(..)));
        assert!(incoming.into_bytes().unwrap() == text);
    }

    /// If each took the memory of the longest text, they would be stored one by one.
    #[tokio::test]
    async fn short_compressed_bodies_are_decompressed_at_the_same_time() {
        use std::io::Write as _;

        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&[b' '; 500_000]).unwrap();
        let packed = encoder.finish().unwrap();
        let limits = Limits::default();
        let mut kept = Vec::new();
        for _ in 0..8 {
            let body = Full::new(Bytes::from(packed.clone()));
            let headers = HeaderMap::new();
            // pending if it waits for those before
            let received = std::pin::pin!(limits.receive(&headers, Encoding::Gzip, body));
            match received.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(received) => kept.push(received.unwrap()),
                Poll::Pending => panic!("it waits for the {} before", kept.len()),
            }
        }
        assert!(kept.iter().all(|received| received.bytes.len() == 500_000));
        let free = limits.free();
        drop(kept);
        assert_eq!(limits.free()[1] - free[1], 8 * 500_000_usize.div_ceil(UNIT));
    }
}
