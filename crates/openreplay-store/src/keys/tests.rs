use std::fs;

use tempfile::TempDir;

use super::file::FILE;
use super::*;

fn header(scheme: &str, key: &Key) -> Vec<u8> {
    format!("{scheme} {}", key.encoded()).into_bytes()
}

#[test]
fn the_first_two_keys_stay_the_same_and_have_separate_rights() {
    let folder = TempDir::new().unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    let (openreplay, writer) = (keys.openreplay().unwrap(), keys.writer().unwrap());
    assert_eq!((openreplay.id.len(), openreplay.api_key.len()), (20, 22));
    let keys = Keys::open(folder.path()).unwrap();
    assert_eq!(keys.openreplay(), Some(openreplay.clone()));
    for scheme in ["ApiKey", "APIKey", "apikey", "Basic"] {
        assert_eq!(
            keys.rights(Some(&header(scheme, &openreplay))),
            Some(Rights::Read)
        );
        assert_eq!(
            keys.rights(Some(&header(scheme, &writer))),
            Some(Rights::Write)
        );
    }
    let padded = String::from_utf8(header("ApiKey", &writer)).unwrap();
    let unpadded = padded.trim_end_matches('=');
    assert_ne!(unpadded, padded);
    let rights = keys.rights(Some(unpadded.as_bytes()));
    assert_eq!(rights, Some(Rights::Write));
    let mixed = Key {
        id: writer.id,
        api_key: openreplay.api_key,
    };
    for wrong in [
        &header("ApiKey", &mixed)[..],
        b"ApiKey",
        b"ApiKey !",
        b"Basic YTpi",
        b"Bearer YTpi",
        b"\xff",
    ] {
        assert_eq!(keys.rights(Some(wrong)), None);
    }
    assert_eq!(keys.rights(None), None);
    assert_eq!(Keys::none().rights(None), Some(Rights::ReadWrite));
}

#[test]
fn further_keys_are_kept_as_hashes_and_found_by_a_server_that_runs() {
    let folder = TempDir::new().unwrap();
    let server = Keys::open(folder.path()).unwrap();
    let key = Keys::open(folder.path())
        .unwrap()
        .create("shop", Rights::ReadWrite)
        .unwrap();
    assert_eq!(
        server.rights(Some(&header("ApiKey", &key))),
        Some(Rights::ReadWrite)
    );
    let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
    assert!(text.contains(&key.id) && !text.contains(&key.api_key));
    assert!(!format!("{server:?}{key:?}").contains(&key.api_key));
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    Keys::open(folder.path()).unwrap();
    let mode = fs::metadata(folder.path().join(FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_none_of_ours_is_left_as_it_is_and_not_quoted() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    fs::write(&path, "[\"secret\"]").unwrap();
    let error = Keys::open(folder.path()).unwrap_err();
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "[\"secret\"]");
}

#[test]
fn a_key_whose_entry_is_removed_is_rejected_by_a_server_that_runs() {
    let folder = TempDir::new().unwrap();
    let server = Keys::open(folder.path()).unwrap();
    let key = server.create("shop", Rights::Write).unwrap();
    let (revoked, kept) = (
        header("ApiKey", &key),
        header("ApiKey", &server.openreplay().unwrap()),
    );
    assert_eq!(server.rights(Some(&revoked)), Some(Rights::Write));
    let path = folder.path().join(FILE);
    let mut entries: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    entries.retain(|entry| entry["id"] != key.id);
    fs::write(&path, serde_json::to_vec(&entries).unwrap()).unwrap();
    let started = Instant::now();
    while server.rights(Some(&revoked)).is_some() {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.rights(Some(&kept)), Some(Rights::Read));
}

#[test]
fn a_key_without_rights_is_not_accepted_and_the_others_are() {
    let folder = TempDir::new().unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    let (openreplay, writer) = (keys.openreplay().unwrap(), keys.writer().unwrap());
    let path = folder.path().join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replacen(r#""read": true"#, r#""read": false"#, 1);
    assert_ne!(changed, text);
    fs::write(&path, changed).unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    assert_eq!(keys.rights(Some(&header("ApiKey", &openreplay))), None);
    assert_eq!(
        keys.rights(Some(&header("ApiKey", &writer))),
        Some(Rights::Write)
    );
}

/// Each has the keys open for itself, as a process has.
#[test]
fn keys_that_are_created_at_the_same_time_are_all_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let created: Vec<Key> = std::thread::scope(|scope| {
        let create = || {
            let keys = Keys::open(path).unwrap();
            (0..10)
                .map(|_| keys.create("shop", Rights::ReadWrite).unwrap())
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let server = Keys::open(path).unwrap();
    for key in created {
        assert_eq!(
            server.rights(Some(&header("ApiKey", &key))),
            Some(Rights::ReadWrite)
        );
    }
    let names = fs::read_to_string(path.join(FILE)).unwrap();
    assert_eq!(names.matches(OPENREPLAY).count(), 1);
}

/// As with `sudo openreplay-elastic api-key --data` in the folder of a service.
#[cfg(unix)]
#[test]
#[ignore = "needs root"]
fn the_files_belong_to_the_owner_of_the_folder_if_root_creates_them() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let folder = TempDir::new().unwrap();
    let path = folder.path();
    chown(path, Some(61_184), Some(61_184)).unwrap();
    let store = crate::Store::open(path).unwrap();
    let mut batch = crate::Batch::new();
    batch.create(None, "{}");
    store.write(batch).unwrap();
    Keys::open(path)
        .unwrap()
        .create("shop", Rights::ReadWrite)
        .unwrap();
    let files: Vec<_> = fs::read_dir(path).unwrap().map(Result::unwrap).collect();
    assert!(files.len() > 4, "{files:?}");
    let owner = |path: &Path| {
        let file = fs::metadata(path).unwrap();
        (file.uid(), file.gid())
    };
    for file in files {
        assert_eq!(owner(&file.path()), (61_184, 61_184), "{file:?}");
    }

    chown(path, Some(0), Some(0)).unwrap();
    Keys::open(path)
        .unwrap()
        .create("other shop", Rights::ReadWrite)
        .unwrap();
    assert_eq!(owner(&path.join(FILE)), (61_184, 61_184));
}

/// As after `sudo jq` has replaced the file.
#[cfg(unix)]
#[test]
#[ignore = "needs root, to become another user"]
fn a_service_replaces_keys_that_belong_to_root() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;

    const FOLDER: &str = "OPENREPLAY_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        Keys::open(folder).unwrap();
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    fs::write(&path, "[]").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    chown(folder.path(), Some(61_184), Some(61_184)).unwrap();
    let name = "keys::tests::a_service_replaces_keys_that_belong_to_root";
    let mut service = std::process::Command::new(std::env::current_exe().unwrap());
    service
        .args(["--exact", name, "--include-ignored"])
        .env(FOLDER, folder.path())
        .uid(61_184)
        .gid(61_184);
    let output = service.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(OPENREPLAY), "{text}");
}

/// As with `sudo openreplay-elastic api-key --data` after `sudo jq` has replaced the file.
#[cfg(unix)]
#[test]
#[ignore = "needs root"]
fn keys_that_belong_to_root_go_back_to_the_owner_of_the_folder() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    fs::write(&path, "[]").unwrap();
    chown(folder.path(), Some(61_184), Some(61_184)).unwrap();
    Keys::open(folder.path()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().uid(), 61_184);
}
