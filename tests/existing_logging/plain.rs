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
