/// Whether more scans follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Delivers the files that exist at the start; no more scans follow.
    Once,
    /// Follows the files, and those that are created later.
    Follow,
}
