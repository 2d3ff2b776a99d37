//! Counts the instructions of a request, a record and a span, and compares them with those of
//! peers.
//!
//! `cargo bench -p instructions` needs valgrind, and fails if a figure is above its limit.
//! Instructions do not depend on what else the machine does, but they are not times: those come
//! from the benchmarks of each crate.
//!
//! `--features opentelemetry` counts with that feature of tracing-openreplay.

mod callgrind;
mod layers;
mod options;
mod records;
#[cfg(feature = "opentelemetry")]
mod trace;

use std::{error::Error, process::ExitCode};

/// Something whose instructions are counted.
struct Case {
    name: String,
    run: Run,
}

/// Prepares a case, and has [`callgrind::TIMES`] times of it measured.
type Run = Box<dyn Fn(Measure<'_>)>;
type Measure<'a> = &'a dyn Fn(&mut dyn FnMut());

/// A case and one to compare it with.
struct Comparison {
    subject: String,
    peer: String,
    /// What both of them do, and which is not counted.
    without: Option<&'static str>,
    /// The most instructions that the subject may need, in percent of those of the peer.
    limit: f64,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn cases() -> Vec<Case> {
    let cases = layers::cases()
        .chain(records::cases())
        .chain(options::cases());
    #[cfg(feature = "opentelemetry")]
    let cases = cases.chain(trace::cases());
    cases.collect()
}

fn comparisons() -> impl Iterator<Item = Comparison> {
    let comparisons = layers::comparisons().chain(records::comparisons());
    let comparisons = comparisons.chain(options::comparisons());
    #[cfg(feature = "opentelemetry")]
    let comparisons = comparisons.chain(trace::comparisons());
    comparisons
}

/// Returns whether all figures are within their limits.
fn run() -> Result<bool, Box<dyn Error>> {
    let cases = cases();
    if callgrind::run_if_measured(&cases) {
        return Ok(true);
    }
    let counts = callgrind::count(&cases)?;
    println!("{:<64} {:>12}", "", "instructions");
    for (case, count) in cases.iter().zip(&counts) {
        println!("{:<64} {count:>12.0}", case.name);
    }
    let of = |name: &str| {
        let at = cases.iter().position(|case| case.name == name);
        at.map(|at| counts[at])
            .ok_or_else(|| format!("there is no case {name:?}"))
    };
    println!("\n{:<64} {:>12} {:>12}", "", "% of peer", "limit, %");
    let mut is_within = true;
    for comparison in comparisons() {
        let Comparison {
            subject,
            peer,
            without,
            limit,
        } = comparison;
        let without = without.map_or(Ok(0.0), of)?;
        let percent = (of(&subject)? - without) / (of(&peer)? - without) * 100.0;
        println!("{subject:<64} {percent:>12.1} {limit:>12.0}  {peer}");
        if percent > limit {
            eprintln!(
                "error: {subject} needs {percent:.1} % of the instructions of {peer}, allowed are {limit} %"
            );
            is_within = false;
        }
    }
    Ok(is_within)
}
