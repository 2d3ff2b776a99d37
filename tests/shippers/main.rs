//! docs/shippers.md: what it shows, run by the real shippers, and its rows about untested
//! services.

mod run;
mod services;
mod settings;
mod store;
mod vector;

use std::{fs, fs::File, path::Path, sync::Arc};

use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;
use tracing::{error, info, subscriber::with_default, warn};
use tracing_subscriber::{Registry, prelude::*};

const PAGE: &str = "docs/shippers.md";
const SESSION: u64 = 4_950_498_349_085_463_837;

/// Records such as an app writes, among them those that shippers fail on: four of the session, one
/// of none.
fn write_records(path: &Path) -> Vec<Value> {
    let file = Arc::new(File::create(path).unwrap());
    with_default(
        Registry::default().with(tracing_openreplay::json().with_writer(file)),
        || {
            sync_scope(SessionId::from(SESSION), || {
                info!(
                    items = 3,
                    path = "C:\\cart\t\"%20\" ${HOST} $(echo) \u{1f6d2} \u{1}",
                    "cart opened"
                );
                warn!("slow");
                error!("first line\nsecond line");
                info!("{}", "long ".repeat(20_000));
            });
            error!("no session");
        },
    );
    let written = fs::read_to_string(path).unwrap();
    written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
