//! Every block of code on every page has something that runs, compiles or compares it.

use std::{collections::BTreeMap, fs, path::Path};

use integration_tests::guide;

use crate::root;

/// A page, a language, how many blocks of it, and the file that holds the page to it. Who adds a
/// block adds what checks it there, and then counts it here.
const COVERED: &[(&str, &str, usize, &str)] = &[
    ("CONTRIBUTING.md", "sh", 1, "tests/guide/examples.rs"),
    ("README.md", "rust,no_run", 2, "tests/support/docs.rs"),
    ("README.md", "sh", 2, "tests/guide/readme.rs"),
    ("README.md", "text", 1, "tests/guide/readme.rs"),
    ("README.md", "toml", 2, "tests/guide/readme.rs"),
    (
        "crates/openreplay-elastic-cli/README.md",
        "sh",
        1,
        "tests/guide/readme.rs",
    ),
    (
        "crates/openreplay-buffer/README.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "crates/openreplay-elastic/README.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "crates/openreplay-record/README.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "crates/openreplay-session/README.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "crates/openreplay-store/README.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "crates/tracing-openreplay/README.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "crates/openreplay-elastic/README.md",
        "rust,no_run",
        1,
        "crates/openreplay-elastic/src/lib.rs",
    ),
    (
        "crates/openreplay-record/README.md",
        "rust",
        1,
        "crates/openreplay-record/src/lib.rs",
    ),
    (
        "crates/openreplay-session/README.md",
        "rust",
        1,
        "crates/openreplay-session/src/lib.rs",
    ),
    (
        "crates/openreplay-store/README.md",
        "rust,no_run",
        1,
        "crates/openreplay-store/src/lib.rs",
    ),
    (
        "crates/tower-openreplay/README.md",
        "rust",
        1,
        "crates/tower-openreplay/src/lib.rs",
    ),
    (
        "crates/tower-openreplay/README.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "crates/tracing-openreplay/README.md",
        "json",
        1,
        "tests/guide/records.rs",
    ),
    (
        "crates/tracing-openreplay/README.md",
        "rust",
        1,
        "crates/tracing-openreplay/src/lib.rs",
    ),
    (
        "docs/containers-and-systemd.md",
        "ini",
        4,
        "tests/containers/main.rs",
    ),
    (
        "docs/containers-and-systemd.md",
        "sh",
        1,
        "tests/containers/main.rs",
    ),
    (
        "docs/containers-and-systemd.md",
        "yaml",
        6,
        "tests/containers/main.rs",
    ),
    (
        "docs/elasticsearch.md",
        "sh",
        10,
        "tests/guide/elasticsearch.rs",
    ),
    (
        "docs/elasticsearch.md",
        "text",
        1,
        "tests/engine/reindex.rs",
    ),
    (
        "docs/elasticsearch.md",
        "nginx",
        1,
        "tests/support/nginx.rs",
    ),
    (
        "docs/errors-and-panics.md",
        "rust",
        6,
        "tests/support/docs.rs",
    ),
    (
        "docs/errors-and-panics.md",
        "text",
        1,
        "tests/guide/records.rs",
    ),
    (
        "docs/errors-and-panics.md",
        "toml",
        6,
        "tests/guide/dependencies.rs",
    ),
    (
        "docs/existing-logging.md",
        "rust",
        8,
        "tests/existing_logging/guide.rs",
    ),
    (
        "docs/existing-logging.md",
        "toml",
        8,
        "tests/guide/dependencies.rs",
    ),
    (
        "docs/existing-logging.md",
        "text",
        1,
        "tests/existing_logging/plain.rs",
    ),
    ("docs/frontend.md", "ts", 7, "tests/browser/snippets.rs"),
    ("docs/hyper.md", "rust,no_run", 1, "tests/support/docs.rs"),
    ("docs/hyper.md", "toml", 1, "tests/guide/dependencies.rs"),
    ("docs/tonic.md", "rust", 1, "tests/support/docs.rs"),
    ("docs/tonic.md", "rust,no_run", 1, "tests/support/docs.rs"),
    ("docs/tonic.md", "toml", 2, "tests/guide/dependencies.rs"),
    ("docs/no-row.md", "sh", 4, "tests/guide/no_row.rs"),
    ("docs/other-services.md", "js", 1, "tests/baggage/node.rs"),
    (
        "docs/other-services.md",
        "toml",
        1,
        "tests/guide/dependencies.rs",
    ),
    (
        "docs/proxies-and-origins.md",
        "nginx",
        2,
        "tests/support/nginx.rs",
    ),
    (
        "docs/proxies-and-origins.md",
        "rust",
        1,
        "tests/support/docs.rs",
    ),
    (
        "docs/proxies-and-origins.md",
        "toml",
        2,
        "tests/guide/dependencies.rs",
    ),
    (
        "docs/quick-start.md",
        "json",
        1,
        "tests/guide/quick_start.rs",
    ),
    (
        "docs/quick-start.md",
        "rust,no_run",
        1,
        "tests/guide/quick_start.rs",
    ),
    ("docs/quick-start.md", "sh", 6, "tests/guide/quick_start.rs"),
    (
        "docs/quick-start.md",
        "html",
        1,
        "tests/guide/quick_start.rs",
    ),
    ("docs/quick-start.md", "js", 1, "tests/guide/quick_start.rs"),
    (
        "docs/quick-start.md",
        "nginx",
        1,
        "tests/guide/quick_start.rs",
    ),
    (
        "docs/quick-start.md",
        "toml",
        1,
        "tests/guide/quick_start.rs",
    ),
    (
        "docs/requests-and-traces.md",
        "json",
        1,
        "tests/existing_logging/traced.rs",
    ),
    (
        "docs/requests-and-traces.md",
        "rust",
        2,
        "tests/existing_logging/guide.rs",
    ),
    (
        "docs/requests-and-traces.md",
        "sh",
        1,
        "tests/engine/fields.rs",
    ),
    (
        "docs/requests-and-traces.md",
        "toml",
        2,
        "tests/guide/dependencies.rs",
    ),
    ("docs/shippers.md", "ini", 1, "tests/shippers/main.rs"),
    ("docs/shippers.md", "sh", 1, "tests/shippers/main.rs"),
    ("docs/shippers.md", "text", 2, "tests/shippers/main.rs"),
    ("docs/shippers.md", "yaml", 3, "tests/shippers/main.rs"),
    (
        "docs/spawns-streams-websockets.md",
        "rust",
        3,
        "tests/support/docs.rs",
    ),
    (
        "docs/spawns-streams-websockets.md",
        "toml",
        3,
        "tests/guide/dependencies.rs",
    ),
    (
        "docs/without-elasticsearch.md",
        "dockerfile",
        1,
        "tests/guide/without_elasticsearch.rs",
    ),
    (
        "docs/without-elasticsearch.md",
        "ini",
        1,
        "tests/guide/without_elasticsearch.rs",
    ),
    (
        "docs/without-elasticsearch.md",
        "sh",
        2,
        "tests/guide/without_elasticsearch.rs",
    ),
    (
        "examples/axum-app/README.md",
        "console",
        2,
        "tests/guide/examples.rs",
    ),
    (
        "examples/axum-app/README.md",
        "json",
        1,
        "tests/guide/examples.rs",
    ),
    (
        "examples/two-services/README.md",
        "json",
        1,
        "tests/guide/examples.rs",
    ),
    (
        "examples/two-services/README.md",
        "text",
        1,
        "tests/guide/examples.rs",
    ),
    (
        "examples/two-services/README.md",
        "sh",
        2,
        "tests/guide/examples.rs",
    ),
];

#[test]
fn every_block_of_code_on_every_page_is_run_compiled_or_compared() {
    let mut shown = BTreeMap::new();
    visit(Path::new(""), &mut |page| {
        for block in guide::blocks(page) {
            *shown.entry((page.to_owned(), block.language)).or_insert(0) += 1;
        }
    });
    let covered: BTreeMap<_, _> = COVERED
        .iter()
        .map(|(page, language, count, _)| (((*page).to_owned(), (*language).to_owned()), *count))
        .collect();
    assert_eq!(shown, covered);

    for (page, _, _, file) in COVERED {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        // a crate's own README is part of its documentation
        let included =
            page.ends_with("README.md") && text.contains("include_str!(\"../README.md\")");
        assert!(
            included || text.contains(&format!("\"{page}\"")),
            "{file} does not read {page}"
        );
    }
}

#[test]
fn no_page_hides_a_line_that_its_program_needs() {
    visit(Path::new(""), &mut |page| {
        for block in guide::blocks(page) {
            // documentation tests take these lines, which only rustdoc's own pages leave out
            let hidden =
                |line: &str| line.trim_start() == "#" || line.trim_start().starts_with("# ");
            let rust = block.language.starts_with("rust");
            assert!(
                !rust || !block.text.lines().any(hidden),
                "{page}: {}",
                block.text
            );
        }
    });
}

/// Every Markdown file of the repository, as a path from its root.
pub(crate) fn visit(folder: &Path, page: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = folder.join(&name);
        if entry.file_type().unwrap().is_dir() {
            if !matches!(&*name, ".git" | "target" | "node_modules") {
                visit(&path, page);
            }
        } else if name.ends_with(".md") {
            page(path.to_str().unwrap());
        }
    }
}
