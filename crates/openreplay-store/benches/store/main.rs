//! The store, served over HTTP, next to the Elasticsearch of the project's tests, if that is
//! installed: `cargo bench -p openreplay-store`.
//!
//! - `-- --quick` takes few records, and no Elasticsearch.
//! - `-- --records 5000000` takes so many records, and no Elasticsearch.
//!
//! Both acknowledge a request once its records are on disk. What counts is the CPU time of the
//! server, of all its threads together, and what it writes to the disk (Linux only). A server is a
//! process of its own, so the clients are not counted.

use std::path::Path;
use std::time::Duration;

use openreplay_store::Store;
use tempfile::TempDir;

mod engine;
mod load;
mod record;

/// 1 MiB of records.
const LARGE: usize = 2_300;
const SMALL: usize = 5;
const CLIENTS: usize = 8;
const CENTURIES: Duration = Duration::from_secs(200 * 365 * 24 * 60 * 60);

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    if let Some(folder) = after(engine::SERVE) {
        return engine::serve(Path::new(folder));
    }
    if let Some(records) = after("--records") {
        return load::many(records.parse().expect("a number of records"));
    }
    load::compare(arguments.iter().any(|argument| argument == "--quick"));
}

fn open(folder: &Path) -> Store {
    Store::builder(folder)
        .max_age(CENTURIES)
        .open()
        .expect("a store")
}

fn folder() -> TempDir {
    // the system's own folder for temporary files may be in memory
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
