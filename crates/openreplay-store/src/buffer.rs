use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};
use memmap2::MmapMut;

/// The length up to which a buffer is left to the allocator.
const SHORT: usize = 64 * 1024;

/// A buffer of limited length.
///
/// A long one is mapped, so that the system gets its memory back at once. Allocators keep freed
/// memory, glibc's for each thread: with large bodies on several threads, that would be several
/// times the bodies. A short one is allocated, and takes only as much memory as its bytes: the
/// first byte of a mapped buffer can take 2 MiB, if the system has huge pages for all programs.
#[derive(Debug)]
pub(crate) enum Buffer {
    Allocated {
        bytes: BytesMut,
        limit: usize,
        /// Whether it is mapped once it is long.
        may_map: bool,
    },
    /// The memory for all bytes, and their number.
    Mapped(MmapMut, usize),
}

/// The bytes would exceed the buffer's limit.
#[derive(Debug)]
pub(crate) struct LimitReached;

impl Buffer {
    /// Creates an empty buffer for at most so many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let mut buffer = Self::allocated(limit);
        buffer.allow_map();
        buffer
    }

    /// Creates an empty buffer that is not mapped yet, however long it is.
    pub(crate) fn allocated(limit: usize) -> Self {
        Self::Allocated {
            bytes: BytesMut::new(),
            limit,
            may_map: false,
        }
    }

    /// Maps the buffer from now on, if it is long.
    pub(crate) fn allow_map(&mut self) {
        if let Self::Allocated { may_map, .. } = self {
            *may_map = true;
        }
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<(), LimitReached> {
        self.map_if_long(bytes.len());
        match self {
            Self::Allocated {
                bytes: to, limit, ..
            } => {
                if to.len() + bytes.len() > *limit {
                    return Err(LimitReached);
                }
                to.put_slice(bytes);
            }
            Self::Mapped(map, length) => {
                let to = map.get_mut(*length..*length + bytes.len());
                to.ok_or(LimitReached)?.copy_from_slice(bytes);
                *length += bytes.len();
            }
        }
        Ok(())
    }

    /// Maps the memory for all bytes if the next ones make the buffer long.
    fn map_if_long(&mut self, next: usize) {
        let Self::Allocated {
            bytes,
            limit,
            may_map: true,
        } = self
        else {
            return;
        };
        let length = bytes.len();
        if length + next <= SHORT || length + next > *limit {
            return;
        }
        // without a map, the buffer stays allocated
        if let Ok(mut map) = MmapMut::map_anon(*limit) {
            map[..length].copy_from_slice(bytes);
            *self = Self::Mapped(map, length);
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Allocated { bytes, .. } => bytes,
            Self::Mapped(map, length) => &map[..*length],
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Allocated { bytes, .. } => bytes.freeze(),
            Self::Mapped(map, length) => Bytes::from_owner(map).slice(..length),
        }
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.extend(text.as_bytes())
            .map_err(|LimitReached| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_holds_as_much_as_its_limit_and_no_more() {
        for limit in [0, 10, SHORT, SHORT + 1, 1_000_000] {
            let text = vec![b'x'; limit];
            let mut buffer = Buffer::new(limit);
            for piece in text.chunks(60_000) {
                buffer.extend(piece).unwrap();
            }
            assert!(buffer.extend(b"x").is_err(), "{limit}");
            assert_eq!(buffer.into_bytes(), text);
        }
    }
}
