//! That the page shows what is tested here.

const PAGE: &str = include_str!("../../docs/existing-logging.md");

const SOURCES: [&str; 4] = [
    include_str!("log_only.rs"),
    include_str!("otlp.rs"),
    include_str!("plain.rs"),
    include_str!("sentry.rs"),
];

#[test]
fn every_snippet_of_the_page_is_one_of_these_and_the_other_way_round() {
    let mut shown: Vec<_> = PAGE
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect();
    let mut tested: Vec<_> = SOURCES.into_iter().map(snippet).collect();
    shown.sort_unstable();
    tested.sort_unstable();
    assert_eq!(shown, tested);
}

/// What stands between `[guide]` and `[end]`, at the left margin; several such parts with an empty line between.
fn snippet(source: &str) -> String {
    let parts = source.split("    // [guide]\n").skip(1).map(|rest| {
        let lines = rest.split("    // [end]").next().unwrap().lines();
        lines
            .map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned() + "\n")
            .collect::<String>()
    });
    parts.collect::<Vec<_>>().join("\n")
}
