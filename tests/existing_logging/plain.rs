//! fmt in `main`, with `RUST_LOG`.

use integration_tests::guide;

use crate::{is_child, lines, request, run};

fn set_up() {
    // [guide]
    use tracing_openreplay::LayerExt as _;
    use tracing_subscriber::{EnvFilter, fmt, prelude::*};

    tracing_subscriber::registry()
        .with(EnvFilter::from_default_env())
        .with(fmt::layer().with_session())
        .init();
    // [end]
}

fn set_up_from_its_parts() {
    // [guide]
    use tracing_openreplay::LayerExt as _;
    use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

    tracing_subscriber::registry()
        .with(fmt::layer().with_session())
        .with(LevelFilter::INFO)
        .init();
    // [end]
}

fn set_up_json() {
    // [guide]
    tracing_openreplay::init();
    // [end]
}

#[test]
fn the_parts_of_fmt_write_what_fmt_wrote_and_the_id() {
    if is_child() {
        match std::env::var("BY").as_deref() {
            Ok("fmt") => tracing_subscriber::fmt().init(),
            _ => set_up_from_its_parts(),
        }
        return request();
    }
    let test = "plain::the_parts_of_fmt_write_what_fmt_wrote_and_the_id";
    // `fmt()` reads RUST_LOG only with the feature `env-filter`, whose default level is ERROR
    let before = run(
        test,
        &[("BY", "fmt"), ("RUST_LOG", "info"), ("NO_COLOR", "1")],
    );
    let after = run(test, &[("NO_COLOR", "1")]);
    let time = "2026-11-22T12:00:00.000000Z".len();
    let text = |written: &str| -> Vec<String> {
        lines(written)
            .iter()
            .map(|line| line[time..].to_owned())
            .collect()
    };
    let after: Vec<_> = text(&after)
        .iter()
        .map(|line| {
            line.replace("[openReplaySession.id=42] ", "")
                .replace(" tags=\"error\"", "")
        })
        .collect();
    assert_eq!(after, text(&before));
    assert_eq!(after.len(), 3);
}

#[test]
fn one_line_replaces_the_json_of_fmt() {
    if is_child() {
        set_up_json();
        return request();
    }
    let written = run("plain::one_line_replaces_the_json_of_fmt", &[]);
    let records: Vec<_> = lines(&written)
        .into_iter()
        .map(integration_tests::json::object)
        .collect();
    let messages: Vec<_> = records
        .iter()
        .map(|record| record["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "[openReplaySession.id=42] cart opened items=3",
            "[openReplaySession.id=42] out of stock code=7",
            "no session",
        ]
    );
    assert_eq!(records[1]["level"], "error");
}

#[test]
fn rust_log_decides_as_before() {
    if is_child() {
        set_up();
        return request();
    }
    let test = "plain::rust_log_decides_as_before";

    let written = run(test, &[("RUST_LOG", "info"), ("NO_COLOR", "1")]);
    let lines_at_info = lines(&written);
    // the page has the first two, of a program of another name and another time
    let shown = guide::block("docs/existing-logging.md", "fmt and `RUST_LOG`", "text");
    let time = "2026-11-22T12:00:00.000000Z".len();
    let mut expected: Vec<_> = shown.lines().map(|line| &line[time..]).collect();
    expected.push("  WARN shop: no session");
    let written_here: Vec<_> = lines_at_info
        .iter()
        .map(|line| line[time..].replace("existing_logging", "shop"))
        .collect();
    assert_eq!(written_here, expected, "{written}");

    // with every span off, the task still knows its session
    let written = run(test, &[("RUST_LOG", "error"), ("NO_COLOR", "1")]);
    let lines_at_error = lines(&written);
    assert_eq!(lines_at_error.len(), 1, "{written}");
    let end =
        "ERROR existing_logging: [openReplaySession.id=42] out of stock code=7 tags=\"error\"";
    assert!(lines_at_error[0].ends_with(end), "{written}");
}
