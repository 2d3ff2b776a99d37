//! Two versions of `openreplay-session` would keep two current sessions: Cargo does not resolve
//! them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const APP: &str = r#"
[package]
name = "app"
edition = "2024"

[dependencies]
one = { package = "openreplay-session", path = "../one" }
two = { package = "openreplay-session", path = "../../there/two" }
"#;

/// Makes a workspace that inherits as this one does.
fn workspace(folder: &Path, members: &str) {
    fs::create_dir(folder).unwrap();
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, rest) = text.split_once("\nexclude = ").unwrap();
    let head = format!("[workspace]\nresolver = \"3\"\nmembers = {members}\nexclude = ");
    fs::write(folder.join("Cargo.toml"), head + rest).unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

/// Copies the crate with this change to its manifest.
fn copy(to: &Path, change: impl Fn(String) -> String) {
    let from = root().join("crates/openreplay-session");
    fs::create_dir_all(to.join("src")).unwrap();
    let manifest = fs::read_to_string(from.join("Cargo.toml")).unwrap();
    fs::write(to.join("Cargo.toml"), change(manifest)).unwrap();
    fs::copy(from.join("build.rs"), to.join("build.rs")).unwrap();
    fs::copy(from.join("src/lib.rs"), to.join("src/lib.rs")).unwrap();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether Cargo finds versions for a program that needs two of the crate, and what it prints.
fn resolves(change: impl Fn(String) -> String) -> (bool, String) {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    workspace(&path("here"), r#"["app", "one"]"#);
    workspace(&path("there"), r#"["two"]"#);
    copy(&path("here/one"), &change);
    copy(&path("there/two"), |manifest| {
        let mut lines = manifest.lines();
        let version = lines.find(|line| line.starts_with("version = \""));
        change(manifest.replace(version.unwrap(), "version = \"99.0.0\""))
    });
    fs::create_dir_all(path("here/app/src")).unwrap();
    fs::write(path("here/app/Cargo.toml"), APP).unwrap();
    fs::write(path("here/app/src/lib.rs"), "").unwrap();

    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        .current_dir(path("here"))
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), errors)
}

#[test]
fn two_versions_do_not_resolve() {
    let (resolved, errors) = resolves(|manifest| manifest);
    assert!(!resolved);
    let reason = "links to the native library `openreplay-session`";
    assert!(errors.contains(reason), "{errors}");

    // nothing else is wrong with them
    let (resolved, errors) = resolves(|manifest| {
        let without = manifest.replace("links = \"openreplay-session\"\n", "");
        assert_ne!(without, manifest);
        without
    });
    assert!(resolved, "{errors}");
}
