//! docs/quick-start.md from the top down: its files, its commands, and the record that it shows.

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use integration_tests::{Terminal, browser, guide, terminal::Running};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{SESSION, free_address, root, shows, soon, within};

const PAGE: &str = "docs/quick-start.md";
const BACKEND: &str = "1. The backend";

/// The folder `~/quick-start`, in another place and for addresses that are free.
pub(crate) struct QuickStart {
    home: TempDir,
    pub(crate) app: String,
    site: String,
    init: String,
    run: String,
    send: String,
    npm: String,
    bundle: String,
    nginx: String,
}

impl QuickStart {
    pub(crate) fn new() -> Self {
        let home = TempDir::new().unwrap();
        let instead = home.path().join("quick-start");
        let app = free_address();
        let [init, run, send, npm, bundle, nginx] = guide::commands(
            PAGE,
            &[
                ("~/quick-start", instead.to_str().unwrap()),
                ("127.0.0.1:3000", &app),
            ],
        );
        Self {
            home,
            app,
            site: free_address(),
            init,
            run,
            send,
            npm,
            bundle,
            nginx,
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("quick-start")
    }

    /// A terminal that builds into this workspace's own folder, and keeps what `ship` knows here.
    pub(crate) fn terminal(&self) -> Terminal {
        let target = root().canonicalize().unwrap().join("target");
        let state = self.home.path().join("state");
        let variables = [
            ("CARGO_TARGET_DIR", target.to_str().unwrap()),
            ("XDG_STATE_HOME", state.to_str().unwrap()),
        ];
        Terminal::open(self.home.path(), &variables)
    }

    /// Makes the package, with the versions that this workspace has locked.
    pub(crate) fn init(&self, terminal: &mut Terminal) {
        terminal.ok(&self.init);
        let manifest = self.folder().join("Cargo.toml");
        let made = fs::read_to_string(&manifest).unwrap();
        let package = made.trim_end().strip_suffix("[dependencies]");
        let root = root().canonicalize().unwrap();
        let dependencies = guide::block(PAGE, BACKEND, "toml");
        assert!(dependencies.contains("CHECKOUT/"), "{dependencies}");
        let dependencies = dependencies.replace("CHECKOUT", root.to_str().unwrap());
        let package = package.expect("cargo leaves the dependencies to the reader");
        fs::write(manifest, package.to_owned() + &dependencies).unwrap();
        fs::copy(root.join("Cargo.lock"), self.folder().join("Cargo.lock")).unwrap();
    }

    /// Starts the page's program by these lines, which end in `cargo run`, and waits until it
    /// listens.
    pub(crate) fn run(&self, terminal: &mut Terminal, lines: &str) -> Running {
        self.run_without(terminal, lines, "")
    }

    /// The same, with these words of the program left out.
    pub(crate) fn run_without(&self, terminal: &mut Terminal, lines: &str, words: &str) -> Running {
        // To cargo the programs of two tests are one, wherever they stand, and the later text is
        // the newer one: so text, build and start are one turn.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let program = guide::block(PAGE, BACKEND, "rust,no_run");
        assert!(program.contains("127.0.0.1:3000"), "{program}");
        assert!(program.contains(words), "{program}");
        let program = program
            .replace(words, "")
            .replace("127.0.0.1:3000", &self.app);
        fs::write(self.folder().join("src/main.rs"), program).unwrap();
        terminal.ok(&format!("cd {} && cargo build", self.folder().display()));
        let running = terminal.start(lines);
        let listens = format!(": </dev/tcp/{}", self.app.replace(':', "/"));
        // cargo may have to wait until another test has built
        within(Duration::from_secs(300), terminal, &listens);
        running
    }

    /// Makes the page, with the packages that the browser's tests have locked, and serves it
    /// through nginx.
    pub(crate) fn serve(&self, terminal: &mut Terminal) {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(browser::frontend().join(file), self.folder().join(file)).unwrap();
        }
        terminal.ok(&format!(
            "export NPM_CONFIG_PREFER_OFFLINE=true\n{}",
            self.npm
        ));

        let files = [
            ("2. The page", "html", "page/index.html"),
            ("2. The page", "js", "page.js"),
            ("3. nginx in front", "nginx", "nginx/nginx.conf"),
        ];
        let page = fs::read_to_string(root().join(PAGE)).unwrap();
        for (heading, language, file) in files {
            assert!(page.contains(&format!("`{file}`")), "{file}");
            let text = guide::block(PAGE, heading, language)
                .replace("127.0.0.1:3000", &self.app)
                .replace("127.0.0.1:8080", &self.site);
            fs::write(self.folder().join(file), text).unwrap();
        }
        terminal.ok(&self.bundle);
        terminal.start(&self.nginx);
        let listens = format!(": </dev/tcp/{}", self.site.replace(':', "/"));
        soon(terminal, &listens);
    }

    /// Presses the page's button in a browser; OpenReplay's responses to the tracker are made up.
    pub(crate) fn click(&self) {
        let console = self.press(
            r#"route.fulfill({ headers, json: {
              token: "a.b.c.d", userUUID: "u", sessionID: args.session, projectID: "1", delay: 0,
              startTimestamp: Date.now(), beaconSizeLimit: 1_000_000,
            } })"#,
            &format!("Success in session {SESSION}"),
        );
        assert!(
            console.iter().all(|line| !line.contains("rror")),
            "{console:?}"
        );
    }

    /// Presses the button in a page whose tracker gets this response when it starts, until the page
    /// shows this.
    fn press(&self, started: &str, shown: &str) -> Vec<String> {
        let script = r#"
            const headers = { "access-control-allow-origin": "*" };
            await page.route("**/ingest/**", (route) => route.fulfill({ headers, json: { tags: [] } }));
            await page.route("**/ingest/v1/web/start", (route) => STARTED);
            await page.goto(args.url);
            await page.getByRole("button").click();
            await page.getByText(args.shown).waitFor();
        "#;
        let url = format!("http://{}", self.site);
        let args = json!({ "url": url, "session": SESSION, "shown": shown });
        browser::run(&script.replace("STARTED", started), &args).console
    }
}

#[test]
#[ignore = "needs curl"]
fn the_program_responds_and_a_failure_is_one_record() {
    let quick_start = QuickStart::new();
    let mut terminal = quick_start.terminal();
    quick_start.init(&mut terminal);
    let app = quick_start.run(&mut terminal, &quick_start.run);
    let responses = terminal.ok(&quick_start.send);
    assert_eq!(responses, "SuccessInternal Server Error");

    app.wait_for("\"level\":\"error\"");
    let records = app.out();
    let mut errors = records
        .lines()
        .filter(|line| line.contains("\"level\":\"error\""));
    let shown = guide::block(PAGE, BACKEND, "json");
    let error: Value = serde_json::from_str(errors.next().unwrap()).unwrap();
    shows(&shown, &error);
    assert_eq!(errors.next(), None);
    assert_eq!(records.matches("Endpoint accessed").count(), 1);
}

/// How OpenReplay responds to a tracker with an unknown project key.
const NO_PROJECT: &str = r#"route.fulfill({ headers, status: 404, body: "no such project" })"#;

#[test]
#[ignore = "needs Chromium, nginx"]
fn without_a_project_a_page_with_an_id_of_its_own_has_a_session() {
    let quick_start = QuickStart::new();
    let mut terminal = quick_start.terminal();
    quick_start.init(&mut terminal);
    quick_start.serve(&mut terminal);
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    assert!(page.contains(&format!("`\"{SESSION}\"`")), "{page}");
    let file = quick_start.folder().join("page.js");
    let shown = fs::read_to_string(&file).unwrap();
    let own = shown.replace("tracker.getSessionID()", &format!("\"{SESSION}\""));
    assert_ne!(own, shown);
    fs::write(file, own).unwrap();
    terminal.ok(&quick_start.bundle);
    let app = quick_start.run(&mut terminal, &quick_start.run);
    quick_start.press(NO_PROJECT, &format!("Success in session {SESSION}"));
    app.wait_for(&format!(
        "[openReplaySession.id={SESSION}] Endpoint accessed"
    ));
}

#[test]
#[ignore = "needs Chromium, nginx"]
fn a_page_whose_tracker_does_not_start_reports_why_and_sends_requests_without_a_session() {
    let quick_start = QuickStart::new();
    let mut terminal = quick_start.terminal();
    quick_start.init(&mut terminal);
    quick_start.serve(&mut terminal);
    let app = quick_start.run(&mut terminal, &quick_start.run);

    for (started, reason) in [
        (NO_PROJECT, "Server error: 404. no such project"),
        ("undefined", "OpenReplay took more than a second"),
    ] {
        quick_start.press(started, &format!("Success without a session: {reason}"));
    }
    let records = app.out();
    assert_eq!(
        records.matches(r#""Endpoint accessed""#).count(),
        2,
        "{records}"
    );
}
