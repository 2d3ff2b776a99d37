//! Room for an id that comes encoded.

/// Fills the buffer with these bytes; `None` if there are more than it holds.
pub(crate) fn fill(buffer: &mut [u8], bytes: impl Iterator<Item = u8>) -> Option<&[u8]> {
    let mut len = 0;
    for byte in bytes {
        *buffer.get_mut(len)? = byte;
        len += 1;
    }
    Some(&buffer[..len])
}
