//! The log: one record a line on stdout, errors and panics included; and the same where the records
//! are kept.

use tracing_openreplay::{Stdout, json};
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt as _};

/// Writes every record to stdout and to `kept`.
pub(crate) fn init(kept: BoxMakeWriter) {
    json()
        .with_service_name("axum-app")
        .with_service_version(env!("CARGO_PKG_VERSION"))
        .with_writer(Stdout.and(kept))
        .init();
}
