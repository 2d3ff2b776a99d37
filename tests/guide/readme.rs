//! What the README tells a reader to run, run as it stands there.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    Elasticsearch, Said,
    engine::{PASSWORD, USER},
    openreplay_elastic,
};

const SESSION: &str = "4950498349085463837";

/// The commands of the first `sh` block after a heading, without their comments.
fn commands(heading: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md");
    let (_, section) = readme.split_once(heading).expect("the section is there");
    let (_, block) = section.split_once("```sh\n").expect("it has commands");
    let (block, _) = block.split_once("```").expect("the block ends");
    let bare = |line: &str| {
        line.split("  #")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    block
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(bare)
        .filter(|line| !line.is_empty())
        .collect()
}

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs Elasticsearch"]
fn four_commands_lead_from_nothing_to_a_row() {
    let engine = Elasticsearch::start();
    let built = openreplay_elastic();
    let programs = Path::new(built.get_program())
        .parent()
        .expect("it is in a folder");
    let path = format!(
        "{}:{}",
        programs.display(),
        env::var("PATH").unwrap_or_default()
    );
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("a free port")
        .port();
    let shell = |line: &str| {
        // the last command takes the shell's place, so that it is what ends with the test
        let line = match line.rsplit_once(" && ") {
            Some((before, last)) => format!("{before} && exec {last}"),
            None => format!("exec {line}"),
        };
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &line])
            .env("PATH", &path)
            .env("ELASTICSEARCH_URL", engine.url())
            .env("ELASTICSEARCH_USER", USER)
            .env("ELASTICSEARCH_PASSWORD", PASSWORD)
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        shell
    };
    let commands = commands("## See it in OpenReplay");
    let [setup, api_key, app, logs] = &commands[..] else {
        panic!("not four commands: {commands:?}")
    };

    let said = Said::by(&mut shell(setup));
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = Said::by(&mut shell(api_key));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("API Key ID"), "{said:?}");

    let mut app = Running(
        shell(app)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the app starts"),
    );
    let records = BufReader::new(app.0.stdout.take().expect("it is piped"));
    let mut records = records.lines().map_while(Result::ok);
    assert!(
        records.any(|record| record.contains("Listening on")),
        "the app ended"
    );
    let asked = ureq::get(format!("http://127.0.0.1:{port}/api/endpoint"))
        .header("openReplaySession.id", SESSION)
        .call();
    assert_eq!(asked.expect("the app answers").status(), 200);

    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let said = Said::by(&mut shell(logs));
        if said.code == Some(0) {
            assert!(
                said.out.contains(&format!(
                    "[openReplaySession.id={SESSION}] Endpoint accessed"
                )),
                "{said:?}"
            );
            break;
        }
        assert!(Instant::now() < end, "{said:?}");
        thread::sleep(Duration::from_millis(200));
    }
}
