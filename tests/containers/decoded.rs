//! What others read: Kubernetes, Docker and systemd.

use std::fs;
use std::process::Command;

use integration_tests::{CommandOutput, guide};
use serde_json::json;

use super::{PAGE, built, fed, manifest, program};

#[test]
#[ignore = "needs Kubernetes' own types"]
fn kubernetes_decodes_the_manifests_strictly() {
    for kind in ["DaemonSet", "Pod"] {
        assert_eq!(manifest(kind)["kind"], kind);
    }
    let blocks = guide::blocks(PAGE).into_iter();
    for block in blocks.filter(|block| block.text.starts_with("apiVersion")) {
        // so that this is a test: a misspelt field is an error
        let wrong = block
            .text
            .replacen("readOnlyRootFilesystem", "readOnlyRootFileSystem", 1);
        assert_ne!(wrong, block.text);
        let (is_read, output) = fed(Command::new(built("kubernetes")), &wrong);
        assert!(!is_read && output.contains("unknown field"), "{output}");
    }
}

#[test]
#[ignore = "needs Kubernetes' own types"]
fn the_pods_have_no_privilege_but_what_they_need() {
    let daemon_set = manifest("DaemonSet");
    let pod = &daemon_set["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    for name in ["hostNetwork", "hostPID", "hostIPC"] {
        assert_eq!(pod.get(name), None);
    }
    let sidecar = &manifest("Pod")["spec"]["initContainers"][0];
    for container in [&pod["containers"][0], sidecar] {
        let context = &container["securityContext"];
        assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["allowPrivilegeEscalation"], false);
    }
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let writable = mounts.iter().filter(|mount| mount["readOnly"] != true);
    let writable: Vec<_> = writable.map(|mount| &mount["name"]).collect();
    assert_eq!(writable, ["state"]);
}

fn units() -> Vec<String> {
    let blocks = guide::blocks(PAGE).into_iter();
    let units = blocks.filter(|block| block.language == "ini" && block.heading == "systemd");
    let mut units: Vec<_> = units.map(|block| block.text).collect();
    units.push(guide::block(
        "docs/without-elasticsearch.md",
        "Run a store for several apps",
        "ini",
    ));
    assert_eq!(units.len(), 4);
    units
}

// `systemd-analyze` does not notice: the service fails when it starts (`209/STDOUT`).
#[test]
fn no_unit_writes_its_output_to_a_folder_that_systemd_creates_afterwards() {
    let mut outputs = 0;
    for unit in units() {
        let value = |name: &str| unit.lines().find_map(|line| line.strip_prefix(name));
        let Some((_, file)) = value("StandardOutput=").and_then(|output| output.split_once(':'))
        else {
            continue;
        };
        outputs += 1;
        for (setting, parent) in [
            ("LogsDirectory=", "/var/log"),
            ("StateDirectory=", "/var/lib"),
        ] {
            let folder = value(setting).map(|name| format!("{parent}/{name}/"));
            assert!(
                folder.is_none_or(|folder| !file.starts_with(&folder)),
                "{unit}"
            );
        }
    }
    assert_eq!(outputs, 1);
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_verifies_the_units() {
    for unit in units() {
        // their programs have to be there
        let unit = unit.replace("/usr/local/bin/shop", "/bin/true").replace(
            "/usr/local/bin/openreplay-elastic",
            program().to_str().unwrap(),
        );
        let verified = verify(&unit);
        assert_eq!((verified.code, &*verified.err), (Some(0), ""), "{unit}");
        let wrong = verify(&unit.replacen(
            "[Service]",
            "[Service]\nRestartMode=of-course\nNoSuchSetting=1",
            1,
        ));
        assert!(wrong.err.contains("NoSuchSetting"), "{wrong:?}");
    }
}

fn verify(unit: &str) -> CommandOutput {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ship.service");
    fs::write(&file, unit).unwrap();
    CommandOutput::of(
        Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(file),
    )
}

#[test]
#[ignore = "needs the library that reads compose files"]
fn docker_reads_the_compose_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("compose.yaml");
    fs::write(&file, guide::block(PAGE, "Docker and Compose", "yaml")).unwrap();
    let output = CommandOutput::of(
        Command::new(built("compose"))
            .arg(&file)
            .current_dir(&folder),
    );
    assert_eq!(output.code, Some(0), "{output:?}");
    let services = &output.json()["services"];
    assert_eq!(services["shop"]["logging"]["options"]["max-file"], "3");
    assert_eq!(services["ship"]["volumes"][0]["read_only"], true);
}
