//! The frontend code, bundled once for all tests of this run.

use std::{path::PathBuf, process::Command, sync::OnceLock};

use integration_tests::browser::frontend;

/// The folder that holds it.
pub(crate) fn bundle() -> &'static PathBuf {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bundle");
        let built = Command::new("node")
            .arg(frontend().join("build.mjs"))
            .arg(&folder)
            .status()
            .expect("node is installed: scripts/install");
        assert!(built.success(), "the frontend code does not bundle");
        folder
    })
}
