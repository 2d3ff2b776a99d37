//! That the pages show what is tested here.

use integration_tests::guide;

/// A page, and the programs that it shows.
const PAGES: [(&str, &[&str]); 2] = [
    (
        "docs/existing-logging.md",
        &[
            include_str!("files.rs"),
            include_str!("log_only.rs"),
            include_str!("otlp.rs"),
            include_str!("plain.rs"),
            include_str!("sentry.rs"),
        ],
    ),
    (
        "docs/requests-and-traces.md",
        &[include_str!("request_ids.rs"), include_str!("traced.rs")],
    ),
];

#[test]
fn every_snippet_of_a_page_is_one_of_these_and_the_other_way_round() {
    for (page, sources) in PAGES {
        let blocks = guide::blocks(page).into_iter();
        let mut shown: Vec<_> = blocks
            .filter(|block| block.language == "rust")
            .map(|block| block.text)
            .collect();
        let mut tested: Vec<_> = sources.iter().copied().flat_map(snippets).collect();
        shown.sort_unstable();
        tested.sort_unstable();
        assert_eq!(shown, tested, "{page}");
    }
}

/// What stands between `[guide]` and `[end]`, at the left margin. `[guide: more]` goes on with the
/// one before.
fn snippets(source: &str) -> Vec<String> {
    let mut snippets: Vec<String> = Vec::new();
    for part in source.split("    // [guide").skip(1) {
        let (how, rest) = part.split_once("]\n").unwrap();
        let lines = rest.split("    // [end]").next().unwrap().lines();
        let text: String = lines
            .map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned() + "\n")
            .collect();
        match snippets.last_mut() {
            Some(last) if how == ": more" => *last += &format!("\n{text}"),
            _ => snippets.push(text),
        }
    }
    snippets
}
