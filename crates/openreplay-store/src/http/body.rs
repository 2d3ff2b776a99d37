//! A request's body, within limits.

use std::fmt;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Problem;

/// No body may be longer, before or after decompression.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;
/// All bodies that are worked on together.
const MEMORY: usize = 32 * 1024 * 1024;
const UNIT: usize = 1024;
/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(60);
/// So much of a body that is too long is read all the same: clients read the response only once
/// they have sent all.
const DISCARDED: usize = 8 * LONGEST;

/// Memory for the bodies of all requests.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MEMORY / UNIT)))
    }
}

/// A body, and the memory that is reserved for it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    is_gzip: bool,
    _memory: OwnedSemaphorePermit,
}

impl Memory {
    /// Reads a body once there is memory for it.
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
        let needed = match length {
            Some(length) if !is_gzip => length,
            // compressed, or of unknown length: it may become this long
            _ => LONGEST,
        };
        let units = u32::try_from(needed.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let memory = Arc::clone(&self.0).acquire_many_owned(units).await;
        let memory = memory.map_err(|_| Problem::unavailable("the store is closing"))?;
        let bytes = tokio::time::timeout(PATIENCE, read(body, needed))
            .await
            .map_err(|_| {
                let reason = format!(
                    "the body was not sent within {} seconds",
                    PATIENCE.as_secs()
                );
                Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout_exception", reason)
            })??;
        Ok(Received {
            bytes,
            is_gzip,
            _memory: memory,
        })
    }
}

impl Received {
    /// The body without its compression. Takes the CPU for a while, so not on a thread of the
    /// runtime.
    pub(crate) fn decoded(&self) -> Result<Bytes, Problem> {
        if !self.is_gzip {
            return Ok(self.bytes.clone());
        }
        let mut decoded = Vec::new();
        let limit = LONGEST as u64 + 1;
        let read = MultiGzDecoder::new(&*self.bytes)
            .take(limit)
            .read_to_end(&mut decoded);
        match read {
            Ok(length) if length > LONGEST => Err(too_long()),
            Ok(_) => Ok(decoded.into()),
            Err(error) => Err(Problem::parsing(format!("the body is not gzip: {error}"))),
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
    let mut bytes = BytesMut::with_capacity(expected.min(1024 * 1024));
    let mut length = 0_usize;
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
        if length > LONGEST {
            bytes = BytesMut::new();
        } else {
            bytes.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
        if length > DISCARDED {
            break;
        }
    }
    match length > LONGEST {
        true => Err(too_long()),
        false => Ok(bytes.freeze()),
    }
}
