use clap_complete::Shell;

use crate::exit::{Failure, Outcome};
use crate::{NAME, command, print};

/// Print completions for a shell
///
/// For example, for bash:
///
///   openreplay-elastic completions bash > /etc/bash_completion.d/openreplay-elastic
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

impl Args {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command(), NAME, &mut script);
        print::bytes(&script)?;
        Ok(Outcome::Done)
    }
}
