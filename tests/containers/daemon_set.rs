//! The DaemonSet's container, without a container engine: its command in a file system of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use integration_tests::CommandOutput;
use integration_tests::cri::{CriLog, append};
use integration_tests::ship::Killed;
use serde_json::Value;

use super::{SESSION, Store, assert_rows, manifest, program, records};

#[test]
#[ignore = "needs root, Kubernetes' own types"]
fn the_daemon_set_delivers_records_from_inside_its_file_system_once() {
    let store = Store::start();
    let root = tempfile::tempdir().unwrap();
    install(&program(), root.path());
    install(Path::new("/usr/bin/setpriv"), root.path());
    let spec = &manifest("DaemonSet")["spec"]["template"]["spec"];
    let container = &spec["containers"][0];
    for mount in container["volumeMounts"].as_array().unwrap() {
        fs::create_dir_all(inside(root.path(), mount["mountPath"].as_str().unwrap())).unwrap();
    }
    // as the kubelet names it: NAMESPACE_POD_UID/CONTAINER/RESTARTS.log
    let logs = inside(root.path(), "/var/log/pods/shop_cart-7d9_0b1f8e52/cart");
    let others = inside(root.path(), "/var/log/pods/kube-system_dns_77aa/dns");
    for folder in [&logs, &others] {
        fs::create_dir_all(folder).unwrap();
    }
    for (name, mode) in [("/var/log/pods", 0o750), ("/state", 0o700)] {
        fs::set_permissions(inside(root.path(), name), Permissions::from_mode(mode)).unwrap();
    }
    let records = records();
    let other = CriLog::new("stdout").pieces(&records[0]).concat();
    append(&others.join("0.log"), &other);
    let pieces: Vec<_> = records
        .iter()
        .flat_map(|record| CriLog::new("stdout").pieces(record))
        .collect();
    assert!(pieces.len() > records.len() + 1, "no record is split");

    let file = logs.join("0.log");
    append(&file, &pieces[..2].concat());
    let ship = || {
        let arguments = ["command", "args"]
            .into_iter()
            .flat_map(|name| container[name].as_array().unwrap());
        let mut command = Command::new("/usr/sbin/chroot");
        // as the runtime drops capabilities: root's files are read all the same
        command
            .arg(root.path())
            .args(["setpriv", "--bounding-set=-all", "--no-new-privs"])
            .args(arguments.map(|word| word.as_str().unwrap()));
        command.env_clear().env("PATH", "/usr/local/bin");
        for variable in container["env"].as_array().unwrap() {
            let name = variable["name"].as_str().unwrap();
            command.env(name, value(name, variable, &store));
        }
        command.stderr(Stdio::null());
        command
    };
    let shipping = Killed::start(&mut ship());
    assert_rows(&store.rows(1), &records[..1]);
    // the pod is replaced while a line has only begun, and the kubelet rotates meanwhile
    drop(shipping);
    fs::rename(&file, logs.join("0.log.20260701-120000")).unwrap();
    append(&file, &pieces[2..].concat());
    let shipping = Killed::start(&mut ship());
    assert_rows(&store.rows(2), &records);
    drop(shipping);
    let again = CommandOutput::of(ship().arg("--once").arg("--json"));
    assert_eq!(
        (again.code, &again.json()["stored"]),
        (Some(0), &Value::from(0)),
        "{again:?}"
    );
    assert_rows(&store.rows(2), &records);
    let message = store.rows(2)[0]["message"].clone();
    assert!(message.as_str().unwrap().contains(&SESSION.to_string()));
}

fn value(name: &str, variable: &Value, store: &Store) -> String {
    match name {
        "ELASTICSEARCH_URL" => {
            assert!(variable["value"].as_str().unwrap().starts_with("https://"));
            store.url().to_owned()
        }
        "ELASTICSEARCH_API_KEY" => {
            assert_eq!(variable["valueFrom"]["secretKeyRef"]["name"], "openreplay");
            store.key().to_owned()
        }
        name => panic!("{name}"),
    }
}

fn inside(root: &Path, path: &str) -> std::path::PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Puts a program into a file system, with the libraries that it is linked with, and nothing else.
fn install(program: &Path, root: &Path) {
    let target = root.join("usr/local/bin");
    fs::create_dir_all(&target).unwrap();
    fs::copy(program, target.join(program.file_name().unwrap())).unwrap();
    let output = CommandOutput::of(Command::new("ldd").arg(program));
    let libraries = output
        .out
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for library in libraries {
        let copy = inside(root, library);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(library, copy).unwrap();
    }
}
