//! The commands of the README, and of the command's own.

use std::{
    fs,
    net::TcpStream,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    Elasticsearch, Terminal,
    engine::{PASSWORD, USER},
    guide,
    process::Example,
    query_as_openreplay,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{ANY_PORT, SESSION, address, free_address, root, soon, without_durations};

/// A program of the README, built outside of the workspace with the `Cargo.toml` that the README
/// shows.
struct Program {
    folder: TempDir,
    binary: PathBuf,
    address: String,
}

impl Program {
    /// The program below a heading, with these words instead of the README's.
    fn build(name: &str, heading: &str, instead: &[(&str, &str)]) -> Self {
        let root = root().canonicalize().unwrap();
        let address = free_address();
        let folder = TempDir::new().unwrap();
        let package =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n");
        let manifest = package
            + &guide::block("README.md", "Usage", "toml")
            + &match heading {
                "Usage" => String::new(),
                other => guide::block("README.md", other, "toml"),
            };
        let manifest = manifest.replace("CHECKOUT", root.to_str().unwrap());
        let mut program = guide::block("README.md", heading, "rust,no_run");
        for (word, other) in [("127.0.0.1:3000", &*address)].iter().chain(instead) {
            assert!(program.contains(word), "{word} is not in {program}");
            program = program.replace(word, other);
        }
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.path().join("src/main.rs"), program).unwrap();
        fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        let target = root.join("target");
        let variables = [("CARGO_TARGET_DIR", target.to_str().unwrap())];
        Terminal::open(folder.path(), &variables).ok("cargo build --quiet");
        Self {
            binary: target.join("debug").join(name),
            folder,
            address,
        }
    }

    /// Starts the program, and waits until it listens.
    fn start(&self) -> Example {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder.path());
        command.env_remove("RUST_LOG");
        let app = Example::run(&mut command);
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(&self.address).is_err() {
            assert!(Instant::now() < end, "it does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        app
    }

    /// The status of a response to a request of a session.
    fn send(&self, session: &str) -> u16 {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let request = agent.get(format!("http://{}/api/endpoint", self.address));
        let response = request.header("openReplaySession.id", session).call();
        response.unwrap().status().as_u16()
    }
}

#[test]
#[ignore = "needs minutes to build"]
fn the_first_program_logs_what_the_readme_shows() {
    let program = Program::build("readme-app", "Usage", &[]);
    let app = program.start();
    assert_eq!(program.send("42"), 500);
    let (status, records) = app.terminate();
    assert!(status.success(), "{status}");

    let messages: Vec<_> = records
        .iter()
        .filter_map(|record| record["message"].as_str())
        .collect();
    let written: Value = (messages.join("\n") + "\n").into();
    let shown = guide::block("README.md", "Usage", "text");
    assert_eq!(
        without_durations(&written),
        without_durations(&shown.into())
    );
}

#[test]
#[ignore = "needs minutes to build, and OpenReplay's Go client"]
fn the_second_program_serves_openreplay_every_record_also_after_a_restart() {
    let program = Program::build("readme-store", "See it in OpenReplay", &[]);
    for run in 1..=3 {
        let app = program.start();
        for _ in 0..run * 50 {
            assert_eq!(program.send(SESSION), 200);
        }
        let (status, _) = app.terminate();
        assert!(status.success(), "{status}");

        let _app = program.start();
        let keys = fs::read_to_string(program.folder.path().join("records/keys.json")).unwrap();
        let keys: Value = serde_json::from_str(&keys).unwrap();
        assert_eq!(
            keys[0]["name"], "openreplay",
            "the README calls it the first"
        );
        let url = format!("http://{}/openreplay", program.address);
        let hits = query_as_openreplay(&url, &keys[0], Some(SESSION)).unwrap();
        assert_eq!(hits.len(), (1..=run).sum::<usize>() * 50);
    }
}

#[test]
#[ignore = "needs Elasticsearch"]
fn four_commands_lead_to_a_row_in_elasticsearch() {
    let engine = Elasticsearch::start();
    let [_try_it, see_it] = guide::commands("README.md", &[]);
    let lines: Vec<_> = see_it
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let [setup, api_key, app, logs] = lines[..] else {
        panic!("not four commands: {see_it}")
    };

    let variables = [
        ("ELASTICSEARCH_URL", engine.url()),
        ("ELASTICSEARCH_USER", USER),
        ("ELASTICSEARCH_PASSWORD", PASSWORD),
        ("LISTEN_ADDR", ANY_PORT),
    ];
    let mut terminal = Terminal::open(&root(), &variables);
    terminal.ok(setup);
    assert!(terminal.ok(api_key).contains("API Key ID"));
    let address = address(&terminal.start(app));
    let asked = ureq::get(format!("http://{address}/api/endpoint"))
        .header("openReplaySession.id", SESSION)
        .call();
    assert_eq!(asked.expect("the app responds").status(), 200);
    let output = soon(&mut terminal, logs);
    let row = format!("[openReplaySession.id={SESSION}] Endpoint accessed");
    assert!(output.out.contains(&row), "{output:?}");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn the_commands_own_readme_sets_up_checks_and_shows() {
    let engine = Elasticsearch::start();
    let instead = [
        ("http://localhost:9200", engine.url()),
        ("…", PASSWORD),
        (" SESSION", &format!(" {SESSION}")),
    ];
    let [lines] = guide::commands("crates/openreplay-elastic-cli/README.md", &instead);
    let mut terminal = Terminal::open(&root(), &[]);
    let mut lines: Vec<_> = lines.lines().filter(|line| !line.is_empty()).collect();
    let rows = lines.pop().expect("the last shows a session");
    for line in lines {
        terminal.ok(line);
    }
    // no record has a session yet, which it reports
    assert_eq!(terminal.run(rows).code, Some(5));
    let record = json!({
        "@timestamp": "2026-11-22T12:00:00.000000Z",
        "level": "info",
        "message": format!("[openReplaySession.id={SESSION}] Endpoint accessed"),
    });
    engine.ok("POST", "/logs/_doc?refresh=true", &record.to_string());
    assert!(terminal.ok(rows).contains("Endpoint accessed"));
}
