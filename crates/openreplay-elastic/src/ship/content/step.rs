/// The outcome of a step.
#[derive(Debug)]
pub(super) struct Step {
    /// How many compressed bytes were used.
    pub(super) read: usize,
    /// How many bytes of text were written.
    pub(super) written: usize,
    /// Why no more text can be decompressed.
    pub(super) corrupt: Option<String>,
}
