//! Counts instructions with valgrind's callgrind.

use std::{env, error::Error, fs, path::Path, process::Command};

use crate::Case;

/// How often a case does what is measured. A case runs once before, so that what is kept for later
/// is kept already.
pub(crate) const TIMES: usize = 100;

/// With this argument the program runs the cases, as valgrind starts it.
const MEASURED: &str = "--measured";

/// The function whose instructions valgrind counts.
const FUNCTION: &str = concat!(module_path!(), "::measured");

/// Returns the instructions of each case, for one of its times.
pub(crate) fn count(cases: &[Case]) -> Result<Vec<f64>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let dumps = folder.path().join("dump");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        // each return from `measured` writes the instructions since its call into a file of its own
        .arg(format!("--toggle-collect={FUNCTION}"))
        .arg(format!("--dump-after={FUNCTION}"))
        .arg(format!("--callgrind-out-file={}", dumps.display()))
        .arg(env::current_exe()?)
        .arg(MEASURED)
        .output()
        .map_err(|error| format!("cannot run valgrind (Debian's package `valgrind`): {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("valgrind failed: {}\n{stderr}", output.status).into());
    }
    let dump = |nth: usize| total(&dumps.with_extension(nth.to_string()));
    (1..=cases.len()).map(dump).collect()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn total(dump: &Path) -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string(dump)?;
    let total = text.lines().find_map(|line| line.strip_prefix("summary: "));
    let total: u64 = total.ok_or("a dump has no total")?.trim().parse()?;
    Ok(total as f64 / TIMES as f64)
}

/// Runs the cases if valgrind started this program. Returns whether it did.
pub(crate) fn run_if_measured(cases: &[Case]) -> bool {
    let is_measured = env::args().any(|argument| argument == MEASURED);
    if is_measured {
        for case in cases {
            (case.run)(&|work| work());
            (case.run)(&measured);
        }
    }
    is_measured
}

/// What valgrind counts.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
    // so that this function is not left with a jump to the other
    std::hint::black_box(());
}
