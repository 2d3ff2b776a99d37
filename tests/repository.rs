//! The repository itself: links that lead somewhere, lists that match their folders, and nothing
//! that does not belong.

use std::{
    collections::BTreeSet,
    fs, iter,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file, as a path from the root; what a build leaves behind is passed over.
fn files() -> Vec<String> {
    fn visit(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !matches!(&*name, ".git" | "target" | "node_modules") {
                    visit(&path, found);
                }
            } else {
                found.push(
                    path.strip_prefix(root())
                        .expect("below the root")
                        .to_string_lossy()
                        .into_owned(),
                );
            }
        }
    }
    let mut found = Vec::new();
    visit(&root(), &mut found);
    assert!(
        found.iter().any(|name| name == "README.md"),
        "README.md is not among {found:?}"
    );
    found
}

fn read(name: &str) -> Option<String> {
    fs::read_to_string(root().join(name)).ok()
}

/// The targets of Markdown's inline links, outside of code.
fn links(markdown: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(
                line.split("](")
                    .skip(1)
                    .filter_map(|rest| rest.split(')').next()),
            );
        }
    }
    found
}

/// What a link may name of a page: its headings in GitHub's spelling, a repeated one with a number.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && line.starts_with('#') {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let anchor: String = heading
                .chars()
                .filter(|&c| c.is_alphanumeric() || [' ', '-', '_'].contains(&c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect();
            let again = (1..).map(|count| format!("{anchor}-{count}"));
            let mut names = iter::once(anchor.clone()).chain(again);
            let free = names.find(|name| !found.contains(name));
            found.extend(free);
        }
    }
    found
}

#[test]
fn every_relative_link_leads_to_a_file_and_its_anchor_to_a_heading() {
    let mut broken = Vec::new();
    let (mut files_followed, mut anchors_followed) = (0, 0);
    for page in files().iter().filter(|name| name.ends_with(".md")) {
        let text = read(page).unwrap_or_default();
        let folder = root()
            .join(page)
            .parent()
            .expect("a page is in a folder")
            .to_path_buf();
        for link in links(&text) {
            if link.contains("://") || link.contains("::") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = match link.split_once('#') {
                Some((file, anchor)) => (file, Some(anchor)),
                None => (link, None),
            };
            let target = if file.is_empty() {
                root().join(page)
            } else {
                folder.join(file)
            };
            files_followed += 1;
            let mut leads = target.exists();
            if let Some(anchor) = anchor {
                anchors_followed += 1;
                let text = fs::read_to_string(&target).unwrap_or_default();
                leads &= anchors(&text).contains(anchor);
            }
            if !leads {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(files_followed > 0, "no page has a link");
    assert!(anchors_followed > 0, "no link has an anchor");
}

#[test]
fn every_link_in_a_crates_readme_works_on_crates_io_and_docs_rs() {
    let files = files();
    let readmes = files
        .iter()
        .filter(|name| name.starts_with("crates/") && name.ends_with("/README.md"));
    let mut relative = Vec::new();
    let mut links_seen = 0;
    for page in readmes {
        for link in links(&read(page).unwrap_or_default()) {
            links_seen += 1;
            if !link.starts_with("https://") && !link.starts_with('#') {
                relative.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(relative.is_empty(), "{relative:#?}");
    assert!(links_seen > 0, "no crate's README has a link");
}

#[test]
fn every_published_crate_inherits_the_addresses_of_the_project() {
    for name in files() {
        let is_manifest = name.starts_with("crates/") && name.ends_with("/Cargo.toml");
        let text = read(&name).filter(|_| is_manifest).unwrap_or_default();
        for key in ["repository", "homepage"] {
            assert!(
                !is_manifest || text.contains(&format!("\n{key}.workspace = true\n")),
                "{name} does not inherit {key}"
            );
        }
    }
}

#[test]
fn the_readmes_badge_has_the_lowest_rust_version() {
    let manifest = read("Cargo.toml").expect("Cargo.toml");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .expect("a lowest Rust version");
    let readme = read("README.md").expect("README.md");
    assert!(readme.contains(&format!("badge/rust-{version}%2B-")));
}

#[test]
fn the_readme_names_every_crate_example_and_page() {
    let readme = read("README.md").expect("README.md");
    let mut missing = Vec::new();
    for folder in ["crates", "examples", "docs"] {
        let entries: BTreeSet<_> = files()
            .iter()
            .filter_map(|name| {
                name.strip_prefix(&format!("{folder}/"))?
                    .split('/')
                    .next()
                    .map(String::from)
            })
            .filter(|entry| entry != "images" && !entry.eq_ignore_ascii_case("README.md"))
            .collect();
        assert!(!entries.is_empty(), "{folder} is empty");
        missing.extend(
            entries
                .into_iter()
                .map(|entry| format!("{folder}/{entry}"))
                .filter(|path| !readme.contains(path)),
        );
    }
    assert!(missing.is_empty(), "README.md does not name {missing:?}");
}

#[test]
fn no_manifest_or_lock_file_names_where_a_package_was_fetched_from() {
    let mut named = Vec::new();
    for name in files() {
        let lock = name.ends_with("package-lock.json")
            || name.ends_with("Cargo.toml")
            || name.ends_with("pom.xml");
        let text = if lock {
            read(&name).unwrap_or_default()
        } else {
            continue;
        };
        let fetched = ["\"resolved\": \"http", "registry = ", "<repository>"];
        named.extend(
            fetched
                .into_iter()
                .filter(|mark| text.contains(mark))
                .map(|mark| format!("{name}: {mark}")),
        );
    }
    assert!(named.is_empty(), "{named:#?}");
}

#[test]
fn every_ignored_test_names_what_it_needs() {
    let mark = concat!("#[ign", "ore");
    let mut silent = Vec::new();
    for name in files().iter().filter(|name| name.ends_with(".rs")) {
        let text = read(name).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.starts_with(mark) && !line.starts_with(&format!("{mark} = \"needs ")) {
                silent.push(format!("{name}:{}: {line}", number + 1));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn every_fuzzed_input_has_its_property_test() {
    let guide = read("CONTRIBUTING.md").expect("CONTRIBUTING.md");
    let (_, table) = guide
        .split_once("| input | must hold | in | property |")
        .unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let mut rows = 0;
    for row in table.lines().skip(2) {
        let mut texts = row.rsplit('`').skip(1).step_by(2);
        let (name, file) = (texts.next().unwrap(), texts.next().unwrap());
        let text = read(file).unwrap_or_else(|| panic!("{file} is missing"));
        let is_property = text.split("proptest! {").skip(1).any(|block| {
            let end = block.find("\n}").unwrap_or(block.len());
            block[..end].contains(&format!("fn {name}("))
        });
        assert!(is_property, "{file} has no property {name}");
        rows += 1;
    }
    assert!(rows > 10, "{table}");
}

#[test]
fn every_job_of_the_gate_is_a_script_that_can_be_run() {
    let gate = read(".ci/run").expect(".ci/run");
    let jobs = gate
        .lines()
        .find_map(|line| line.strip_prefix("jobs=(")?.strip_suffix(')'))
        .expect("a list of jobs");
    let listed: BTreeSet<_> = jobs
        .split(' ')
        .map(|job| format!("scripts/{job}"))
        .collect();
    let guide = read("CONTRIBUTING.md").expect("CONTRIBUTING.md");
    for job in &listed {
        assert!(root().join(job).is_file(), "{job} is missing");
        assert!(
            guide.contains(&format!("`{job}`")),
            "CONTRIBUTING.md does not explain {job}"
        );
    }
}
