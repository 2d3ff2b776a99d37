use std::fs;

use super::*;
use crate::ship::checkpoint::Checkpoint;
use crate::ship::trusted::Links;

#[test]
fn does_not_follow_its_own_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ship.json");
    let checkpoint = Checkpoint::open(&path).unwrap();
    for path in checkpoint.own_files() {
        append(&path, "{}\n");
    }
    append(&folder.path().join("app.log"), "{\"n\":1}\n");
    let pattern = folder.path().join("*").into_os_string();
    let files = Files::new(&[pattern], Vec::new(), HASH).unwrap();
    let taken = take(&mut files.except(checkpoint.own_files()), Mode::Follow);
    assert_eq!(taken, [r#"{"n":1}"#]);
}

#[test]
fn rejects_an_invalid_pattern() {
    let error = Files::new(&["a[".into()], Vec::new(), HASH).unwrap_err();
    assert!(error.is_config());
    assert_eq!(
        error.to_string(),
        r#""a[" is not a valid file pattern: expected one such as app.log* or app-[0-9].log"#
    );
}

#[test]
#[cfg(unix)]
fn an_unreadable_file_is_retried_and_holds_up_no_other() {
    let mut folder = Folder::new("*.log");
    folder.append("b.log", &numbered([1]));
    std::os::unix::fs::symlink("a.log", folder.path("a.log")).unwrap();
    fs::create_dir(folder.path("c.log")).unwrap();
    for n in 0..50 {
        let name = format!("loop{n}.log");
        std::os::unix::fs::symlink(&name, folder.path(&name)).unwrap();
    }
    assert_eq!(folder.take().len(), 1);
    let unreadable = folder.files.unreadable();
    assert_eq!(unreadable.len(), 51);
    assert_eq!(unreadable[0].path, folder.path("a.log"));
    assert!(
        unreadable[0].reason.contains("symbolic links"),
        "{unreadable:?}"
    );
    let messages = folder.files.take_messages();
    assert_eq!(messages.len(), 21);
    assert!(
        messages[0].contains("a.log cannot be read (Too many"),
        "{messages:?}"
    );
    assert_eq!(messages[20], "31 more files cannot be read or are skipped");

    assert_eq!(folder.take(), [""; 0]);
    assert_eq!(folder.files.take_messages(), [""; 0]);
    fs::remove_file(folder.path("a.log")).unwrap();
    folder.append("a.log", &numbered([2]));
    assert_eq!(folder.take().len(), 1);
    assert_eq!(folder.files.unreadable().len(), 50);
}

#[test]
#[cfg(unix)]
fn keeps_following_the_file_that_a_link_led_to() {
    let mut folder = Folder::new("links/*.log");
    folder.files.set_most_open(1);
    fs::create_dir(folder.path("links")).unwrap();
    for name in ["a", "b"] {
        let link = folder.path(&format!("links/{name}.log"));
        std::os::unix::fs::symlink(folder.path(name), link).unwrap();
        folder.append(name, &numbered([1]));
    }
    assert_eq!(folder.take().len(), 2);
    for name in ["a", "b"] {
        folder.append(name, &numbered([2]));
        fs::rename(folder.path(name), folder.path(&format!("{name}.1"))).unwrap();
        folder.append(name, &numbered([3]));
    }
    assert_eq!(numbers(folder.take()), [2, 2, 3, 3]);
}

#[test]
fn a_single_run_reports_missing_files_and_other_file_types() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let patterns = ["absent.log", "folder", "old.log", "none*.log"];
    fs::write(folder.path().join("old.log"), b"\x04\x22\x4d\x18").unwrap();
    let patterns = patterns.map(|name| folder.path().join(name).into_os_string());
    let why = |files: &Files| -> Vec<_> {
        let unreadable = files.unreadable().into_iter();
        unreadable.map(|unreadable| unreadable.reason).collect()
    };
    let mut files = Files::new(&patterns, Vec::new(), HASH).unwrap();
    files.scan(Mode::Once);
    assert_eq!(
        why(&files),
        [
            "there is no such file",
            "it is not a regular file",
            "it is compressed with lz4; gzip and zstd can be read"
        ]
    );
    let mut files = Files::new(&patterns, Vec::new(), HASH).unwrap();
    files.scan(Mode::Follow);
    assert_eq!(why(&files).len(), 2);
    let messages = files.take_messages();
    let says = |text: &str| messages.iter().any(|news| news.contains(text));
    assert!(
        says("absent.log does not exist yet; waiting for it") && says("none*.log yet"),
        "{messages:?}"
    );
}

#[test]
fn a_shipper_can_run_in_a_task() {
    fn is_send(_: impl Send) {}
    let connection = crate::Connection::builder("http://127.0.0.1:1").build();
    let client = crate::Client::new(&connection.unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = crate::ship::ShipOptions::new(folder.path().join("ship.json"));
    let open = || crate::ship::Shipper::open(client.clone(), options.clone()).unwrap();
    is_send(open().run_once(|_| ()));
    is_send(open().follow(|_| ()));
}

#[test]
#[cfg(target_os = "linux")]
fn follows_and_reports_names_that_are_not_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let mut folder = Folder::new("*.log");
    let name = |bytes: &[u8]| folder.folder.path().join(OsStr::from_bytes(bytes));
    for (number, bytes) in [&b"\xff.log"[..], b"a\n\xe9.log", "é.log".as_bytes()]
        .iter()
        .enumerate()
    {
        append(&name(bytes), &numbered([number]));
    }
    assert_eq!(numbers(folder.take()), [0, 1, 2]);
    folder.restart("*.log");
    assert_eq!(folder.take(), [""; 0]);
}

#[test]
#[cfg(unix)]
fn a_path_that_is_left_out_is_reported_once() {
    use std::os::unix::fs::symlink;

    let mut folder = Folder::new("**/*");
    folder.append("a.log", &numbered([1]));
    fs::write(folder.path("a.log.old"), b"\xfd7zXZ\x00\x00").unwrap();
    symlink(".", folder.path("one")).unwrap();
    symlink(".", folder.path("two")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, folder.path("pipe"), fifo, mode, 0).unwrap();
    assert_eq!(numbers(folder.take()), [1]);
    let mut messages = folder.files.take_messages();
    messages.sort_unstable();
    let reasons: Vec<_> = messages
        .iter()
        .map(|text| text.split_once(" is skipped: ").unwrap().1)
        .collect();
    let linked = "it is a link to a folder; --follow-links enters it";
    let expected = [
        "it is compressed with xz; gzip and zstd can be read",
        linked,
        "it is not a regular file",
        linked,
    ];
    assert_eq!(reasons, expected, "{messages:?}");
    assert_eq!(folder.take(), [""; 0]);
    assert_eq!(folder.files.take_messages(), [""; 0]);
    assert_eq!(folder.files.unreadable(), []);
}

#[test]
#[cfg(unix)]
fn linked_folders_are_entered_if_links_are_followed() {
    use std::os::unix::fs::symlink;

    let mut folder = Folder::new("in/**/*.log");
    folder.files = folder.files.links(Links::All);
    fs::create_dir(folder.path("in")).unwrap();
    fs::create_dir(folder.path("out")).unwrap();
    folder.append("out/a.log", &numbered([1]));
    symlink("../out", folder.path("in/out")).unwrap();
    symlink("..", folder.path("in/all")).unwrap();
    assert_eq!(numbers(folder.take()), [1]);
}
