//! The unit that reads the journal, with a journald of the test's own.

use std::fs;
use std::process::Command;

use integration_tests::guide;
use integration_tests::ship::Killed;

use super::{PAGE, Store, assert_rows, path_with_command, records};

/// In namespaces of its own: journald, a service that writes to it, and then the unit's command.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
/lib/systemd/systemd-journald &
until [ -S /run/systemd/journal/stdout ]; do sleep 0.05; done
systemd-cat --identifier=shop cat "$RECORDS"
exec sh -c "$SHIP"
"#;

#[test]
#[ignore = "needs root, systemd"]
fn records_come_out_of_the_journal_that_splits_them() {
    let store = Store::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records");
    let records = records();
    assert!(records[1].len() > 48 * 1024, "journald splits no record");
    fs::write(&file, records.join("\n") + "\n\u{1b}[31mred\n").unwrap();

    let blocks = guide::blocks(PAGE).into_iter();
    let mut units = blocks.filter(|block| block.text.contains("journalctl"));
    let unit = units.next().expect("a unit").text;
    let (_, command) = unit.split_once("ExecStart=/bin/sh -c '").unwrap();
    let (command, _) = command.split_once("'\n").unwrap();
    // no systemd runs that would name the unit
    let ship = command.replace("--unit=shop.service", "--identifier=shop");
    assert_ne!(ship, command);

    let mut unshare = Command::new("unshare");
    unshare
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(["sh", "-c", SCRIPT])
        .env("RECORDS", &file)
        .env("SHIP", ship)
        .env("PATH", path_with_command())
        .env("ELASTICSEARCH_URL", store.url())
        .env("ELASTICSEARCH_API_KEY", store.key());
    let _running = Killed::start(&mut unshare);
    assert_rows(&store.rows(2), &records);
}
