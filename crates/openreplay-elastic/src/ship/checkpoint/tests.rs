use proptest::prelude::*;

use std::collections::BTreeMap;

use super::*;
use crate::envelope::Format;
use crate::ship::files::{Files, Mode};
use crate::ship::identity::{Identity, Place};
use crate::ship::position::{Part, Pieces, Start};

proptest! {
    #[test]
    fn any_bytes_are_a_checkpoint_or_an_error_that_says_what_to_do(bytes: Vec<u8>) {
        if let Err(error) = State::read(&bytes, Path::new("x.json")) {
            prop_assert!(error.is_precondition());
            prop_assert!(error.to_string().contains("move it away"));
        }
    }

    #[test]
    #[cfg(unix)]
    fn what_was_written_is_read_back(seed: u64, from: u64, key: [u64; 2], path in prop::collection::vec(1..=255_u8, 1..40), index in ".{1,20}", text in prop::collection::vec(prop_oneof![1..10_u8, 11..=255_u8], 0..20)) {
        use std::os::unix::ffi::OsStringExt as _;

        let hash = Hash::SipHash { key };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "line\n").unwrap();
        let identity = Identity::of(file.as_file(), hash).unwrap().unwrap();
        let to = Place::at(file.as_file(), 5, hash).unwrap();
        let path = PathBuf::from(std::ffi::OsString::from_vec(path));
        let moved = BTreeMap::from([("id".to_owned(), index.clone())]);
        let in_flight = InFlight { index, parts: vec![Part { seed, path: path.clone(), from, to }], moved };
        let state = State {
            version: VERSION,
            hash,
            files: vec![Position { seed, identity, path, delivered: to, missing_since: Some(from), pieces: pieces(Start { seed, offset: from }, &text) }],
            in_flight: Some(in_flight.clone()),
            waiting: vec![in_flight],
        };
        let bytes = serde_json::to_vec(&state).unwrap();
        prop_assert_eq!(State::read(&bytes, Path::new("x.json")).unwrap(), state);
    }
}

#[test]
fn keeps_a_second_shipper_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/ship.json");
    let first = Checkpoint::open(&path).unwrap();
    let error = Checkpoint::open(&path).unwrap_err();
    assert!(
        error.is_precondition()
            && error
                .to_string()
                .starts_with("another shipper has the checkpoint")
    );
    drop(first);
    Checkpoint::open(&path).unwrap();
}

/// As the first version wrote it. What a later one cannot read would be sent again from the start of each file.
const VERSION_1: &str = r#"{"version":1,"files":[{"seed":7,"identity":{"inode":12,"head":15445669652542104338},"path":"/var/log/app.log","delivered":{"offset":20,"before":1135801916242202611},"missing_since":1782907200}],"in_flight":{"index":"logs-000001","parts":[{"seed":7,"path":"/var/log/app.log","from":20,"to":{"offset":40,"before":3}}],"moved":{"id":"logs-000002"}},"waiting":[]}"#;

/// As it is written now.
const VERSION_2: &str = r#"{"version":2,"hash":{"name":"sip-hash","key":[1,2]},"files":[{"seed":7,"identity":{"inode":12,"head":1},"path":"/var/log/app.log","delivered":{"offset":20,"before":2},"missing_since":null,"pieces":[{"from":{"seed":7,"offset":0},"stream":"stdout","time":"2026-07-01T12:00:00.250000Z","text":"begin"},{"from":{"seed":6,"offset":9},"stream":{"journal":5},"time":"2026-07-01T12:00:00.250000Z","level":"error","is_over":true,"text":{"base64":"/w=="}}]}],"in_flight":null,"waiting":[{"index":"logs-000001","parts":[{"seed":8,"path":{"base64":"L2xvZy//LmxvZw=="},"from":20,"to":{"offset":40,"before":3}}],"moved":{}}]}"#;

#[test]
fn version_1_is_read_and_stays_with_its_hashes() {
    let state = State::read(VERSION_1.as_bytes(), Path::new("x.json")).unwrap();
    assert_eq!(state.hash, Hash::Fnv1a);
    let mut now = state.clone();
    now.version = VERSION;
    let written = serde_json::to_string(&now).unwrap();
    let added = r#"{"version":2,"hash":{"name":"fnv1a"},"#;
    assert_eq!(written, VERSION_1.replace(r#"{"version":1,"#, added));
}

#[test]
fn version_2_is_written_and_read_to_the_letter() {
    let state = State::read(VERSION_2.as_bytes(), Path::new("x.json")).unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), VERSION_2);
    let start = Start { seed: 7, offset: 0 };
    let mut pieces = state.files[0].pieces.clone();
    assert_eq!(pieces.take_over().unwrap().text, &[255][..]);
    assert_eq!(pieces, self::pieces(start, b"begin"));
}

#[test]
#[cfg(unix)]
fn a_path_that_is_no_text_is_kept_as_bytes() {
    use std::os::unix::ffi::OsStrExt as _;

    let state = State::read(VERSION_2.as_bytes(), Path::new("x.json")).unwrap();
    let path = state.waiting[0].parts[0].path.as_os_str();
    assert_eq!(path.as_bytes(), b"/log/\xff.log");
}

#[test]
fn another_version_is_rejected_whatever_it_looks_like() {
    for version in ["0", "3", "4294967295"] {
        let text = format!(r#"{{"version":{version},"lines":"of another kind"}}"#);
        let error = State::read(text.as_bytes(), Path::new("x.json")).unwrap_err();
        assert!(error.to_string().contains("of another version"), "{error}");
    }
}

/// The hashes are those that the first version made of this file.
#[test]
#[cfg(unix)]
fn a_file_that_version_1_has_delivered_goes_on_where_it_was() {
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
    let patterns = [log.to_str().unwrap().to_owned()];
    let mut files = Files::new(&patterns, checkpoint.files(), checkpoint.hash()).unwrap();
    files.scan(Mode::Follow);
    let framed = files.fill(1 << 20).unwrap();
    assert_eq!(
        (framed.records, framed.parts[0].from, framed.parts[0].seed),
        (1, 20, 7)
    );
}

/// A line that has begun.
fn pieces(start: Start, text: &[u8]) -> Pieces {
    let line = [b"2026-07-01T12:00:00.25Z stdout P ", text].concat();
    let mut pieces = Pieces::default();
    let piece = Format::Cri.unwrap(&line).unwrap();
    assert_eq!(pieces.take(piece, start), None);
    pieces
}
