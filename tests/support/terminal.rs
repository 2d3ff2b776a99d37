//! A shell, as a reader of the guide has one open: what one command exports, the next one sees.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Lines, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::command::{CommandOutput, openreplay_elastic};
use crate::process::leave_the_test;

/// Has the built `openreplay-elastic` on its path. What still runs in it ends when it is dropped.
#[derive(Debug)]
pub struct Terminal {
    shell: Child,
    input: ChildStdin,
    codes: Lines<BufReader<ChildStdout>>,
    outputs: TempDir,
    started: usize,
}

impl Terminal {
    /// Opens one in a folder, with these variables and none of `openreplay-elastic`'s own.
    ///
    /// # Panics
    ///
    /// Where bash is not installed.
    #[must_use]
    pub fn open(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let built = openreplay_elastic();
        let programs = Path::new(built.get_program()).parent();
        let path = format!(
            "{}:{}",
            programs.expect("it is in a folder").display(),
            env::var("PATH").unwrap_or_default()
        );
        let mut shell = Command::new("bash");
        leave_the_test(&mut shell);
        for name in ["URL", "API_KEY", "USER", "PASSWORD"] {
            shell.env_remove(format!("ELASTICSEARCH_{name}"));
        }
        let mut shell = shell
            .env("PATH", path)
            .envs(variables.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // a group of its own, which ends with it
            .process_group(0)
            .spawn()
            .expect("bash is installed");
        let output = shell.stdout.take().expect("it is piped");
        Self {
            input: shell.stdin.take().expect("it is piped"),
            codes: BufReader::new(output).lines(),
            shell,
            outputs: TempDir::new().expect("a folder for the output"),
            started: 0,
        }
    }

    /// Types these lines, and waits for their end.
    ///
    /// # Panics
    ///
    /// Where the shell itself ends.
    #[track_caller]
    pub fn run(&mut self, lines: &str) -> CommandOutput {
        let running = self.next();
        let typed = format!(
            "{{\n{lines}\n}} >{} 2>{} </dev/null; echo $?\n",
            running.out.display(),
            running.err.display()
        );
        self.type_in(&typed);
        let code = self.codes.next().expect("the shell goes on");
        CommandOutput {
            code: code.ok().and_then(|code| code.parse().ok()),
            out: running.out(),
            err: fs::read_to_string(&running.err).unwrap_or_default(),
        }
    }

    /// As [`run`](Self::run), and expects success; returns its standard output.
    ///
    /// # Panics
    ///
    /// On any failure.
    #[track_caller]
    pub fn ok(&mut self, lines: &str) -> String {
        let output = self.run(lines);
        assert_eq!(output.code, Some(0), "{lines}: {output:?}");
        output.out
    }

    /// Types these lines where they may go on for as long as the terminal is open.
    #[track_caller]
    pub fn start(&mut self, lines: &str) -> Running {
        let running = self.next();
        let typed = format!(
            "(\n{lines}\n) >{} 2>{} </dev/null &\n",
            running.out.display(),
            running.err.display()
        );
        self.type_in(&typed);
        running
    }

    fn next(&mut self) -> Running {
        self.started += 1;
        let file = |name: &str| self.outputs.path().join(format!("{}.{name}", self.started));
        Running {
            out: file("out"),
            err: file("err"),
        }
    }

    fn type_in(&mut self, text: &str) {
        let typed = self.input.write_all(text.as_bytes());
        typed.expect("the shell goes on");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // all of it may have ended by itself
        let group = format!("-{}", self.shell.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.shell.wait();
    }
}

/// What goes on in a terminal.
#[derive(Debug)]
pub struct Running {
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Its standard output so far.
    #[must_use]
    pub fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Its standard error so far.
    #[must_use]
    pub fn err(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }

    /// Waits until its standard output contains this.
    ///
    /// # Panics
    ///
    /// Where it does not within the five minutes that a build may take.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let end = Instant::now() + Duration::from_secs(300);
        while !self.out().contains(text) {
            assert!(
                Instant::now() < end,
                "no {text:?} in {}{}",
                self.out(),
                self.err()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}
