/// The first `length` bytes at most, and no half character.
pub(crate) fn shortened(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
