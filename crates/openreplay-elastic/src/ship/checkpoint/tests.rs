use proptest::prelude::*;

use std::collections::BTreeMap;

use super::*;
use crate::envelope::Format;
use crate::ship::content::Content;
use crate::ship::files::Files;
use crate::ship::identity::{Identity, Place};
use crate::ship::mode::Mode;
use crate::ship::position::{Existence, IndexName, Part, Pieces, Start};

proptest! {
    #[test]
    fn any_bytes_are_a_checkpoint_or_an_error_with_a_remedy(bytes: Vec<u8>) {
        if let Err(error) = State::read(&bytes, Path::new("x.json")) {
            prop_assert!(error.is_precondition());
            prop_assert!(error.to_string().contains("move this one away"));
        }
    }

    #[test]
    #[cfg(unix)]
    fn reads_what_it_wrote(seed: u64, from in 0..=5_u64, key: [u64; 2], path in prop::collection::vec(1..=255_u8, 1..40), index in "[a-z0-9.é]{1,20}[a-z]", text in prop::collection::vec(prop_oneof![1..10_u8, 11..=255_u8], 0..20)) {
        use std::os::unix::ffi::OsStringExt as _;

        let hash = Hash::SipHash { key };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "line\n").unwrap();
        let content = Content::of(file.reopen().unwrap()).unwrap();
        let seen = content.seen().unwrap();
        let identity = Identity::of(&content, &seen, hash).unwrap().unwrap();
        let to = Place::at(&content, 5, hash).unwrap();
        let path = PathBuf::from(std::ffi::OsString::from_vec(path));
        prop_assume!(!index.starts_with(".."));
        let index = IndexName::try_from(index).unwrap();
        let moved = BTreeMap::from([("id".to_owned(), index.clone())]);
        let in_flight = InFlight { index, parts: vec![Part { seed, path: path.clone(), from, to }], moved };
        let state = State {
            version: VERSION,
            hash,
            files: vec![Position { seed, identity, path, delivered: to, existence: if from % 2 == 0 { Existence::Deleted { since: from } } else { Existence::Missing { since: from } }, compressed_length: (from % 3 == 0).then_some(from), pieces: pieces(Start { seed, offset: from }, &text) }],
            in_flight: Some(in_flight.clone()),
            waiting: vec![in_flight],
        };
        let bytes = serde_json::to_vec(&state).unwrap();
        prop_assert_eq!(State::read(&bytes, Path::new("x.json")).unwrap(), state);
    }
}

#[test]
fn rejects_a_second_shipper() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/ship.json");
    let first = Checkpoint::open(&path).unwrap();
    let error = Checkpoint::open(&path).unwrap_err();
    assert!(
        error.is_precondition()
            && error
                .to_string()
                .starts_with("another shipper uses the checkpoint")
    );
    drop(first);
    Checkpoint::open(&path).unwrap();
}

proptest! {
    #[test]
    fn a_damaged_checkpoint_is_rejected_or_kept_as_read(
        is_first in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..30_usize, DAMAGE), 1..4),
    ) {
        let mut text = if is_first { VERSION_1 } else { VERSION_2 }.to_owned();
        for (at, length, edit) in edits {
            let at = at.index(text.len() + 1);
            text.replace_range(at..text.len().min(at + length), &edit);
        }
        match State::read(text.as_bytes(), Path::new("x.json")) {
            Ok(mut state) => {
                let stretches = state.in_flight.iter().chain(&state.waiting).flat_map(|sent| &sent.parts);
                for part in stretches {
                    prop_assert!(part.from <= part.to.offset, "{part:?}");
                }
                state.version = VERSION;
                let written = serde_json::to_vec(&state).unwrap();
                prop_assert_eq!(State::read(&written, Path::new("x.json")).unwrap(), state);
            }
            Err(error) => prop_assert!(error.is_precondition(), "{error}"),
        }
    }
}

/// Text that replaces a part of a checkpoint.
const DAMAGE: &str = r#"|[{}\[\]",:0-9a-z/. \\]{1,3}|[0-9]{1,20}|null|"version":1|"offset":4|,"seed":7|"base64":"/w==""#;

/// A checkpoint as the first version wrote it. If a later version could not read it, every file
/// would be sent again from its start.
const VERSION_1: &str = r#"{"version":1,"files":[{"seed":7,"identity":{"inode":12,"head":15445669652542104338},"path":"/var/log/app.log","delivered":{"offset":20,"before":1135801916242202611},"missing_since":1782907200}],"in_flight":{"index":"logs-000001","parts":[{"seed":7,"path":"/var/log/app.log","from":20,"to":{"offset":40,"before":3}}],"moved":{"id":"logs-000002"}},"waiting":[]}"#;

/// A checkpoint as the current version writes it.
const VERSION_2: &str = r#"{"version":2,"hash":{"name":"sip-hash","key":[1,2]},"files":[{"seed":7,"identity":{"inode":12,"head":1},"path":"/var/log/app.log","delivered":{"offset":20,"before":2},"missing_since":null,"pieces":[{"from":{"seed":7,"offset":0},"stream":"stdout","time":"2026-07-01T12:00:00.250000Z","text":"begin"},{"from":{"seed":6,"offset":9},"stream":{"journal":5},"time":"2026-07-01T12:00:00.250000Z","level":"error","is_over":true,"text":{"base64":"/w=="}}]}],"in_flight":null,"waiting":[{"index":"logs-000001","parts":[{"seed":8,"path":{"base64":"L2xvZy//LmxvZw=="},"from":20,"to":{"offset":40,"before":3}}],"moved":{}}]}"#;

#[test]
fn version_1_is_read_and_keeps_its_hashes() {
    let state = State::read(VERSION_1.as_bytes(), Path::new("x.json")).unwrap();
    assert_eq!(state.hash, Hash::Fnv1a);
    let mut now = state.clone();
    now.version = VERSION;
    let written = serde_json::to_string(&now).unwrap();
    let added = r#"{"version":2,"hash":{"name":"fnv1a"},"#;
    assert_eq!(written, VERSION_1.replace(r#"{"version":1,"#, added));
}

#[test]
fn version_2_is_written_and_read_byte_for_byte() {
    let state = State::read(VERSION_2.as_bytes(), Path::new("x.json")).unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), VERSION_2);
    for missing in ["5", r#"5,"is_deleted":true"#] {
        let missing = format!(r#""missing_since":{missing}"#);
        let text = VERSION_2.replace(r#""missing_since":null"#, &missing);
        let state = State::read(text.as_bytes(), Path::new("x.json")).unwrap();
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
    }
    let start = Start { seed: 7, offset: 0 };
    let mut pieces = state.files[0].pieces.clone();
    assert_eq!(pieces.take_over().unwrap().text, &[255][..]);
    assert_eq!(pieces, self::pieces(start, b"begin"));
}

#[test]
#[cfg(unix)]
fn a_path_that_is_not_unicode_is_kept_as_bytes() {
    use std::os::unix::ffi::OsStrExt as _;

    let state = State::read(VERSION_2.as_bytes(), Path::new("x.json")).unwrap();
    let path = state.waiting[0].parts[0].path.as_os_str();
    assert_eq!(path.as_bytes(), b"/log/\xff.log");
}

#[test]
fn rejects_any_other_version() {
    for version in ["0", "3", "4294967295"] {
        let text = format!(r#"{{"version":{version},"lines":"of another kind"}}"#);
        let error = State::read(text.as_bytes(), Path::new("x.json")).unwrap_err();
        assert!(
            error.to_string().contains("an unsupported version"),
            "{error}"
        );
    }
}

/// The hashes are those that version 1 computed for this file.
#[test]
#[cfg(unix)]
fn continues_a_file_that_version_1_delivered() {
    use std::os::unix::fs::MetadataExt as _;

    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    fs::write(&log, "{\"message\":\"first\"}\n{\"message\":\"second\"}\n").unwrap();
    let path = folder.path().join("ship.json");
    let inode = fs::metadata(&log).unwrap().ino();
    let text = VERSION_1
        .replace("\"inode\":12", &format!("\"inode\":{inode}"))
        .replace("/var/log/app.log", log.to_str().unwrap())
        .replace("1782907200", "null");
    fs::write(&path, text).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    let patterns = [log.clone().into_os_string()];
    let mut files = Files::new(&patterns, checkpoint.files(), checkpoint.hash()).unwrap();
    files.scan(Mode::Follow);
    let framed = files.fill(1 << 20).unwrap();
    assert_eq!(
        (framed.records, framed.parts[0].from, framed.parts[0].seed),
        (1, 20, 7)
    );
}

/// Returns the beginning of a line.
fn pieces(start: Start, text: &[u8]) -> Pieces {
    let line = [b"2026-07-01T12:00:00.25Z stdout P ", text].concat();
    let mut pieces = Pieces::default();
    let piece = Format::Cri.unwrap(&line).unwrap();
    assert_eq!(pieces.take(piece, start), None);
    pieces
}

#[test]
fn rejects_impossible_values() {
    let place = |offset: u64| format!(r#"{{"offset":{offset},"before":1}}"#);
    let part = |from: u64, to: u64| {
        let to = place(to);
        format!(r#"{{"seed":7,"path":"/a","from":{from},"to":{to}}}"#)
    };
    let file = |offset: u64| {
        let delivered = place(offset);
        format!(
            r#"{{"seed":7,"identity":{{"inode":1,"head":1}},"path":"/a","delivered":{delivered},"missing_since":null}}"#
        )
    };
    let in_flight = |index: &str, moved: &str, part: &str| {
        format!(r#"{{"index":"{index}","parts":[{part}],"moved":{{"id":"{moved}"}}}}"#)
    };
    let state = |files: &[String], in_flight: &str| {
        let files = files.join(",");
        format!(
            r#"{{"version":2,"hash":{{"name":"fnv1a"}},"files":[{files}],"in_flight":{in_flight},"waiting":[]}}"#
        )
    };
    let read = |text: &str| State::read(text.as_bytes(), Path::new("x.json"));
    let good = in_flight("logs-1", "logs-2", &part(5, 5));
    read(&state(&[file(5)], &good)).unwrap();
    for (text, why) in [
        (
            state(&[], &in_flight("logs-1", "logs-2", &part(6, 5))),
            "a section from 6 to 5",
        ),
        (
            state(&[], &in_flight("a b", "logs-2", &part(0, 5))),
            r#"the invalid index name "a b""#,
        ),
        (
            state(&[], &in_flight("logs-1", "../x", &part(0, 5))),
            r#"the invalid index name "../x""#,
        ),
        (
            state(&[file(1 << 63)], "null"),
            "an offset of 9223372036854775808",
        ),
        (
            state(&[file(1), file(2)], "null"),
            "two files with the same seed",
        ),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.is_precondition(), "{error}");
        let cause = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
        assert!(
            format!("{error}: {cause}").contains(why),
            "{error}: {cause}"
        );
    }
}

#[test]
#[cfg(unix)]
fn does_not_follow_a_link_at_one_of_its_paths() {
    use std::os::unix::fs::symlink;

    for (suffix, opens) in [("", false), (".lock", false), (".new", true)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ship.json");
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, with_suffix(&path, suffix)).unwrap();
        let opened = Checkpoint::open(&path);
        assert_eq!(opened.is_ok(), opens, "{suffix}: {opened:?}");
        if let Ok(mut checkpoint) = opened {
            checkpoint.save(state_of(1).files, None, &[]).unwrap();
            assert!(!path.is_symlink());
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "{suffix}");
    }
}

#[test]
fn no_two_checkpoints_have_the_same_hashes() {
    let hash = || {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint::open(&folder.path().join("ship.json")).unwrap();
        checkpoint.hash().of(b"{\"message\":\"first\"}\n")
    };
    assert_ne!(hash(), hash());
}

#[cfg(unix)]
fn state_of(seed: u64) -> State {
    let text = VERSION_1.replace("\"seed\":7", &format!("\"seed\":{seed}"));
    State::read(text.as_bytes(), Path::new("x.json")).unwrap()
}

#[test]
#[cfg(unix)]
fn only_its_user_can_read_or_lock_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/ship.json");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::create_dir(folder.path().join("state")).unwrap();
    // As an earlier version created it.
    fs::write(with_suffix(&path, ".lock"), "").unwrap();
    fs::set_permissions(
        with_suffix(&path, ".lock"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    checkpoint.save(state_of(1).files, None, &[]).unwrap();
    checkpoint.save(state_of(2).files, None, &[]).unwrap();
    assert_eq!(
        (mode(&path), mode(&with_suffix(&path, ".lock"))),
        (0o600, 0o600)
    );
    let new = folder.path().join("new/ship.json");
    Checkpoint::open(&new).unwrap();
    assert_eq!(mode(new.parent().unwrap()), 0o700);
}

/// As after one `sudo ship --once` with the checkpoint of a service.
#[test]
#[cfg(unix)]
#[ignore = "needs root"]
fn a_checkpoint_that_root_writes_belongs_to_the_service() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ship.json");
    let owner = |path: &Path| {
        let file = fs::metadata(path).unwrap();
        (file.uid(), file.gid())
    };
    chown(folder.path(), Some(61_184), Some(61_184)).unwrap();
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    for seed in [1, 2] {
        checkpoint.save(state_of(seed).files, None, &[]).unwrap();
        for path in [&path, &with_suffix(&path, ".lock")] {
            assert_eq!(owner(path), (61_184, 61_184), "{path:?}");
        }
        // The owner of the file comes before that of the folder.
        chown(folder.path(), Some(0), Some(0)).unwrap();
    }
}

#[test]
#[cfg(unix)]
#[ignore = "needs root, to become another user"]
fn a_checkpoint_of_another_user_is_not_replaced_by_a_new_one() {
    use std::os::unix::fs::chown;
    use std::os::unix::process::CommandExt as _;

    const CHECKPOINT: &str = "OPENREPLAY_TEST_CHECKPOINT";
    if let Some(path) = std::env::var_os(CHECKPOINT) {
        let error = Checkpoint::open(path.as_ref()).unwrap_err().to_string();
        assert!(
            error.contains("`chown` it to the user of `ship`"),
            "{error}"
        );
        return;
    }
    for suffix in ["", ".lock"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ship.json");
        Checkpoint::open(&path)
            .and_then(|mut checkpoint| checkpoint.save(state_of(1).files, None, &[]))
            .unwrap();
        for mine in [folder.path(), &path, &with_suffix(&path, ".lock")] {
            chown(mine, Some(61_184), Some(61_184)).unwrap();
        }
        chown(with_suffix(&path, suffix), Some(0), Some(0)).unwrap();
        let mut service = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "a_checkpoint_of_another_user_is_not_replaced_by_a_new_one";
        let name = format!("ship::checkpoint::tests::{name}");
        service
            .args(["--exact", &name, "--include-ignored"])
            .env(CHECKPOINT, path)
            .uid(61_184)
            .gid(61_184);
        let output = service.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
