//! The repository itself: links that lead somewhere, lists that match their folders, and nothing that does not belong.

use std::{
    collections::BTreeSet,
    fs,
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

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut broken = Vec::new();
    let mut followed = 0;
    for page in files().iter().filter(|name| name.ends_with(".md")) {
        let text = read(page).unwrap_or_default();
        let folder = root()
            .join(page)
            .parent()
            .expect("a page is in a folder")
            .to_path_buf();
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty()
                || link.contains("://")
                || link.contains("::")
                || link.starts_with("mailto:")
            {
                continue;
            }
            followed += 1;
            if !folder.join(file).exists() {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(followed > 0, "no page has a link");
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
fn every_ignored_test_says_what_it_needs() {
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
