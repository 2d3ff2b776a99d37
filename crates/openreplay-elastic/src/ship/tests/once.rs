//! A single run ends when no more can be delivered, and reports what remains.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use super::*;
use crate::ship::{ShipOptions, Shipper};
use crate::{Client, Connection};

#[test]
#[cfg(unix)]
fn retries_until_the_end_what_cannot_be_opened_at_the_start() {
    let mut folder = Folder::new("*.log");
    unreadable(&folder.path("a.log"));
    folder.append("b.log", &numbered([1]));
    for expected in [&[1][..], &[], &[]] {
        assert_eq!(numbers(folder.take_once()), expected);
        let unreadable = folder.files.unreadable();
        assert_eq!(unreadable.len(), 1, "{unreadable:?}");
        assert_eq!(unreadable[0].path, folder.path("a.log"));
    }
    fs::remove_file(folder.path("a.log")).unwrap();
    folder.append("a.log", &numbered([2]));
    folder.append("c.log", &numbered([3]));
    assert_eq!(numbers(folder.take_once()), [2]);
    assert_eq!(folder.files.unreadable(), []);
}

/// Creates a path whose metadata can be read, but which cannot be opened. Root may read all files,
/// but may not follow the links of others.
#[cfg(unix)]
fn unreadable(path: &Path) {
    use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};

    if rustix::process::geteuid().is_root() {
        symlink("/etc/passwd", path).unwrap();
        lchown(path, Some(12_345), None).unwrap();
    } else {
        append(path, "x");
        fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
    }
}

#[test]
fn reports_a_file_that_disappears_before_it_is_read() {
    let mut folder = Folder::new("*.log");
    folder.files.set_most_open(1);
    folder.append("a.log", &numbered([1]));
    folder.append("b.log", &numbered([2]));
    folder.files.scan(Mode::Once);
    fs::remove_file(folder.path("a.log")).unwrap();
    assert_eq!(numbers(folder.take_once()), [2]);
    // A rotation may have moved or compressed the file, so it is searched for once more.
    assert!(!folder.files.is_settled());
    for _ in 0..2 {
        assert_eq!(folder.take_once(), [""; 0]);
        let unreadable = folder.files.unreadable();
        assert_eq!(unreadable.len(), 1, "{unreadable:?}");
        assert_eq!(
            unreadable[0].reason,
            "the file is missing; 8 bytes were not delivered"
        );
    }
}

#[test]
fn a_file_that_is_moved_before_it_is_read_does_not_end_the_run() {
    let mut folder = Folder::new("*.log");
    folder.files.set_most_open(1);
    folder.append("a.log", &numbered([1]));
    folder.append("b.log", &numbered([2]));
    folder.files.scan(Mode::Once);
    fs::rename(folder.path("a.log"), folder.path("a.old")).unwrap();
    let framed = folder.files.fill(1 << 20).unwrap();
    folder.files.mark_delivered(&framed.parts);
    assert!(folder.files.fill(1 << 20).is_none());
    assert!(!folder.files.is_settled());

    folder.files.report_rest();
    let unreadable = folder.files.unreadable();
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    assert_eq!(
        unreadable[0].reason,
        "it was moved during the run, with 8 bytes that were not delivered"
    );

    assert_eq!(numbers(folder.take_once()), [1]);
    assert!(folder.files.is_settled());
    assert_eq!(folder.files.unreadable(), []);
}

#[test]
fn in_flight_records_of_a_file_that_is_being_moved_do_not_end_the_run() {
    let mut folder = Folder::new("*.log");
    folder.append("a.log", &numbered([1]));
    let before = folder.fill();
    folder.restart("*.log");
    folder.files.set_most_open(1);
    folder.append("b.log", &numbered([2]));
    folder.files.scan(Mode::Once);
    fs::rename(folder.path("a.log"), folder.path("a.old")).unwrap();
    let (_, gone, waiting) = reread(&mut folder.files, &before.parts);
    assert_eq!((gone, &waiting), (vec![], &before.parts));
    let framed = folder.files.fill(1 << 20).unwrap();
    folder.files.mark_delivered(&framed.parts);
    assert!(folder.files.fill(1 << 20).is_none());
    assert!(!folder.files.is_settled());

    folder.files.scan(Mode::Once);
    let (again, gone, waiting) = reread(&mut folder.files, &waiting);
    assert_eq!((gone, waiting), (vec![], vec![]));
    assert_eq!(documents(&again), documents(&before));
    folder.files.mark_delivered(&again.parts);
    assert!(folder.files.is_settled());
}

#[test]
#[cfg(unix)]
fn a_dangling_link_does_not_hold_up_the_run() {
    let mut folder = Folder::new("*.log");
    std::os::unix::fs::symlink("nowhere", folder.path("a.log")).unwrap();
    folder.append("b.log", &numbered([1]));
    assert_eq!(numbers(folder.take_once()), [1]);
    assert!(folder.files.is_settled());
    assert_eq!(folder.files.unreadable(), []);

    // unless the user named it
    folder.restart("a.log");
    folder.take_once();
    assert!(folder.files.is_settled());
    assert_eq!(folder.files.unreadable()[0].reason, "there is no such file");
}

#[tokio::test]
async fn an_unreachable_server_at_the_start_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let builder = Connection::builder(&url).request_timeout(Duration::from_millis(50));
    let client = Client::new(&builder.build().unwrap()).unwrap();
    let options = ShipOptions::new(folder.path().join("ship.json"));
    let shipper = Shipper::open(client, options).unwrap();
    let run = tokio::time::timeout(Duration::from_secs(60), shipper.run_once(|_| ()));
    let error = run.await.expect("it ends").unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
#[cfg(unix)]
async fn reports_a_file_that_is_not_found_again() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let hangs_up = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hangs_up.local_addr().unwrap());
    std::thread::spawn(move || hangs_up.incoming().for_each(drop));
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let pattern = path("*.log").into_os_string();
    let options = ShipOptions::new(path("ship.json")).file(pattern);
    let shipper = Shipper::open(client, options).unwrap();

    append(&path("one"), &numbered([1]));
    symlink("one", path("a.log")).unwrap();
    append(&path("b.log"), "");
    {
        let files = &mut shipper.disk.get().files;
        files.set_most_open(1);
        files.scan(Mode::Once);
    }
    // the same file under another name, which the link leads to now
    fs::hard_link(path("one"), path("two")).unwrap();
    for name in ["one", "a.log"] {
        fs::remove_file(path(name)).unwrap();
    }
    symlink("two", path("a.log")).unwrap();

    let run = tokio::time::timeout(Duration::from_secs(60), shipper.run_once(|_| ()));
    let unreadable = run.await.expect("it ends").unwrap().unreadable;
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    assert_eq!(
        unreadable[0].reason,
        "it was moved during the run, with 8 bytes that were not delivered"
    );
}
