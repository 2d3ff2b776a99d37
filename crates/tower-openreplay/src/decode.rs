//! Decodes an id without allocating.

/// Writes the bytes into the buffer and returns the written part, or `None` if they do not fit.
pub(crate) fn fill(buffer: &mut [u8], bytes: impl Iterator<Item = u8>) -> Option<&[u8]> {
    let mut len = 0;
    for byte in bytes {
        *buffer.get_mut(len)? = byte;
        len += 1;
    }
    Some(&buffer[..len])
}
