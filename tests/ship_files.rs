//! `ship` with more files than it may open, and with files that it cannot read.
#![cfg(unix)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use integration_tests::ship::{Killed, line, numbers, ship, wait_for};
use integration_tests::{CommandOutput, StandIn};
use serde_json::json;

const FILES: usize = 600;
/// What the process may have open, connections and all.
const LIMIT: usize = 128;

#[test]
fn follows_six_hundred_files_with_a_limit_of_a_hundred_and_twenty_eight() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    let mut log = Log {
        folder: folder.path(),
        written: 0,
    };
    log.write_all();
    let shipping = Killed::start(&mut limited(&server, folder.path()));
    wait_for(&server, log.written);
    log.write_all();
    wait_for(&server, log.written);

    // rotated while most of them are closed, to where no pattern leads; the app turns to the new
    // file later
    for n in 0..FILES {
        let name = log.name(n);
        fs::rename(log.folder.join(&name), log.folder.join(format!("{name}.1"))).unwrap();
        log.write(&format!("{name}.1"));
    }
    log.write_all();
    wait_for(&server, log.written);
    #[cfg(target_os = "linux")]
    {
        let open = fs::read_dir(format!("/proc/{}/fd", shipping.0.id())).unwrap();
        assert!(open.count() < LIMIT);
    }
    drop(shipping);

    // no one looks
    for n in 0..FILES {
        if n % 2 == 0 {
            let name = log.name(n);
            fs::rename(log.folder.join(&name), log.folder.join(format!("{name}.2"))).unwrap();
        }
    }
    log.write_all();
    let output = CommandOutput::of(limited(&server, folder.path()).args(["--once", "--json"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.err, "");

    let expected: Vec<_> = (0..log.written as u64).collect();
    assert_eq!(numbers(&server), expected);
}

#[test]
fn goes_on_with_the_others_and_names_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = StandIn::start();
    fs::write(path("good-0.log"), line(0)).unwrap();
    fs::create_dir(path("folder.log")).unwrap();
    symlink("loop.log", path("loop.log")).unwrap();
    let following = ship(server.url(), folder.path(), "*.log")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&server, 1);
    // looked at again and again, and reported once
    thread::sleep(Duration::from_millis(700));
    fs::write(path("good-1.log"), line(1)).unwrap();
    wait_for(&server, 2);
    let mut following = Killed(following);
    following.0.kill().unwrap();
    let mut output = String::new();
    let err = following.0.stderr.take().unwrap();
    std::io::Read::read_to_string(&mut { err }, &mut output).unwrap();
    let [start, unreadable] = output.lines().collect::<Vec<_>>()[..] else {
        panic!("not two lines: {output}")
    };
    assert!(start.starts_with("following "), "{output}");
    let length = format!("good-0.log: {} bytes", line(0).len());
    assert!(start.contains(&length), "{output}");
    assert!(
        unreadable.contains("loop.log cannot be read (")
            && unreadable.ends_with("; continuing with the other files"),
        "{output}"
    );
    drop(following);

    fs::write(path("good-2.log"), "{\"n\":2}\n").unwrap();
    let once = |args: &[&str]| {
        let mut command = ship(server.url(), folder.path(), "*.log");
        CommandOutput::of(command.arg(path("absent")).arg("--once").args(args))
    };
    let output = once(&["--json"]);
    assert_eq!(output.code, Some(7), "{output:?}");
    let result = output.json();
    let unreadable = result["unreadable"].as_array().unwrap();
    let paths: Vec<_> = unreadable.iter().map(|file| &file["path"]).collect();
    assert_eq!(paths, [&json!(path("absent")), &json!(path("loop.log"))]);
    assert_eq!(server.stored(), 3);
    let output = once(&[]);
    assert_eq!(output.code, Some(7), "{output:?}");
    assert!(
        output.out.contains("loop.log could not be read: "),
        "{output:?}"
    );

    fs::remove_file(path("loop.log")).unwrap();
    fs::write(path("loop.log"), "{\"n\":3}\n").unwrap();
    fs::write(path("absent"), "{\"n\":4}\n").unwrap();
    let output = once(&["--json"]);
    assert_eq!((output.code, server.stored()), (Some(0), 5), "{output:?}");
    assert_eq!(output.json()["unreadable"], json!([]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_single_run_names_what_it_could_not_read_though_it_looks_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    // It can be looked at, and not opened: root may read all files, but not over the links of
    // others.
    let path = folder.path().join("a.log");
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        symlink("/etc/passwd", &path).unwrap();
        lchown(&path, Some(12_345), None).unwrap();
    } else {
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    }
    fs::write(folder.path().join("b.log"), "{\"n\":1}\n").unwrap();
    let output =
        CommandOutput::of(ship(server.url(), folder.path(), "*.log").args(["--once", "--json"]));
    assert_eq!((output.code, server.stored()), (Some(7), 1), "{output:?}");
    let unreadable = &output.json()["unreadable"];
    assert_eq!(unreadable[0]["path"], json!(folder.path().join("a.log")));
}

#[test]
fn a_file_that_is_missing_for_two_runs_continues_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = StandIn::start();
    let once = || {
        let mut ship = ship(server.url(), folder.path(), "volume/app.log*");
        let output = CommandOutput::of(ship.args(["--once", "--json"]));
        assert_eq!(output.code, Some(0), "{output:?}");
    };
    fs::create_dir(path("volume")).unwrap();
    fs::write(path("volume/app.log"), "{\"n\":0}\n").unwrap();
    once();
    // not mounted, and then moved elsewhere
    fs::rename(path("volume"), path("elsewhere")).unwrap();
    once();
    fs::create_dir(path("volume")).unwrap();
    once();
    fs::remove_dir(path("volume")).unwrap();
    fs::write(path("elsewhere/app.log"), "{\"n\":0}\n{\"n\":1}\n").unwrap();
    fs::rename(path("elsewhere"), path("volume")).unwrap();
    once();
    assert_eq!(server.documents(), [json!({"n": 0}), json!({"n": 1})]);
}

/// Numbered lines in many files.
struct Log<'a> {
    folder: &'a Path,
    written: usize,
}

impl Log<'_> {
    fn name(&self, n: usize) -> String {
        format!("{n:03}.log")
    }

    fn write_all(&mut self) {
        for n in 0..FILES {
            self.write(&self.name(n));
        }
    }

    fn write(&mut self, name: &str) {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.folder.join(name))
            .unwrap();
        file.write_all(line(self.written as u64).as_bytes())
            .unwrap();
        self.written += 1;
    }
}

fn limited(server: &StandIn, folder: &Path) -> Command {
    let mut command = Command::new("bash");
    let script = format!("ulimit -n {LIMIT}; exec \"$@\"");
    let ship = ship(server.url(), folder, "*.log");
    command.args(["-c", &script, "bash"]);
    command.arg(ship.get_program()).args(ship.get_args());
    command
}
