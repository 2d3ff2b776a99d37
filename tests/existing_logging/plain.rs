//! fmt in `main`, with `RUST_LOG`.

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
    let ends = [
        "request{path=\"/cart\"}: existing_logging: [openReplaySession.id=42] cart opened items=3",
        "request{path=\"/cart\"}: existing_logging: [openReplaySession.id=42] out of stock code=7 tags=\"error\"",
        "existing_logging: no session",
    ];
    assert_eq!(lines_at_info.len(), ends.len(), "{written}");
    for (line, end) in lines_at_info.iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }

    // with every span off, the task still knows its session
    let written = run(test, &[("RUST_LOG", "error"), ("NO_COLOR", "1")]);
    let lines_at_error = lines(&written);
    assert_eq!(lines_at_error.len(), 1, "{written}");
    let end =
        "ERROR existing_logging: [openReplaySession.id=42] out of stock code=7 tags=\"error\"";
    assert!(lines_at_error[0].ends_with(end), "{written}");
}
