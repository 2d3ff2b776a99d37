//! The frontend code, bundled once for all tests of this run.

use std::{path::PathBuf, sync::OnceLock};

use integration_tests::browser;

/// The folder that holds it.
pub(crate) fn bundle() -> &'static PathBuf {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bundle");
        browser::bundle(&folder);
        folder
    })
}
