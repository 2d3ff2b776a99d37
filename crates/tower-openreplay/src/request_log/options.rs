use tracing::Level;

use super::{cause::Causes, protocol::Protocol};

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) protocol: Protocol,
    /// The level of a success, or `None` if successes are not logged.
    pub(super) success: Option<Level>,
    pub(super) excluded: Vec<String>,
    pub(super) causes: Causes,
}

impl Options {
    pub(super) fn excludes(&self, path: &str) -> bool {
        self.excluded.iter().any(|excluded| excluded == path)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocol: Protocol::Http,
            success: Some(Level::INFO),
            excluded: Vec::new(),
            causes: Causes::default(),
        }
    }
}
