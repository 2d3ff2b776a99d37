/// What one step of decompression did, and what it found.
#[derive(Debug)]
pub(super) struct Step {
    /// How many of the compressed bytes it used.
    pub(super) read: usize,
    /// How many bytes of text it wrote.
    pub(super) written: usize,
    /// Why there is no more text, whatever follows.
    pub(super) corrupt: Option<String>,
}
