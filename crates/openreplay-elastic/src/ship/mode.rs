/// Whether there is a later scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// There is none: what is there at the start is delivered.
    Once,
    /// Files are followed, and so are those that come later.
    Follow,
}
