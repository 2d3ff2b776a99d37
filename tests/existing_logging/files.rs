//! fmt for people on the terminal, `json()` for OpenReplay in a file; and files that roll over.

use std::{error::Error, fs, path::Path};

use serde_json::Value;
use tempfile::tempdir;

use crate::{is_child, lines, request, run};

fn next_to(path: &Path) -> Result<(), Box<dyn Error>> {
    // [guide]
    use std::{fs::File, sync::Arc};
    use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt, prelude::*};

    let file = File::options().create(true).append(true).open(path)?;

    tracing_subscriber::registry()
        .with(fmt::layer().with_filter(EnvFilter::from_default_env()))
        .with(
            tracing_openreplay::json()
                .with_writer(Arc::new(file))
                .with_filter(LevelFilter::INFO),
        )
        .init();
    // [end]
    Ok(())
}

fn rolling(directory: &Path, work: impl FnOnce()) {
    // [guide]
    use tracing_subscriber::prelude::*;

    let files = tracing_appender::rolling::daily(directory, "shop.ndjson");
    let (writer, _guard) = tracing_appender::non_blocking(files);

    tracing_subscriber::registry()
        .with(tracing_openreplay::json().with_writer(writer))
        .init();
    // [end]

    work();
}

#[test]
fn each_sink_has_its_own_form_and_filter() {
    if is_child() {
        return next_to(Path::new(&std::env::var_os("RECORDS").unwrap()))
            .map(|()| request())
            .unwrap();
    }
    let directory = tempdir().unwrap();
    let path = directory.path().join("shop.ndjson");
    let environment = [
        ("RUST_LOG", "error"),
        ("NO_COLOR", "1"),
        ("RECORDS", path.to_str().unwrap()),
    ];
    let written = run("files::each_sink_has_its_own_form_and_filter", &environment);

    let lines = lines(&written);
    assert_eq!(lines.len(), 1, "{written}");
    assert!(
        lines[0].ends_with("ERROR existing_logging: out of stock code=7"),
        "{written}"
    );
    check_records(&fs::read_to_string(path).unwrap());
}

#[test]
fn files_that_roll_over() {
    if is_child() {
        return rolling(Path::new(&std::env::var_os("RECORDS").unwrap()), request);
    }
    let directory = tempdir().unwrap();
    run(
        "files::files_that_roll_over",
        &[("RECORDS", directory.path().to_str().unwrap())],
    );

    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // two where the day ended in between
    files.sort();
    let written: Vec<_> = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    check_records(&written.concat());
}

#[track_caller]
fn check_records(written: &str) {
    let records: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let rows: Vec<_> = records
        .iter()
        .map(|record| {
            (
                record["level"].as_str().unwrap(),
                record["message"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("info", "[openReplaySession.id=42] cart opened items=3"),
            ("error", "[openReplaySession.id=42] out of stock code=7"),
            ("warning", "no session"),
        ]
    );
}
