use clap_mangen::Man;

use crate::exit::{Failure, Outcome};
use crate::{command, print};

/// Print the man page, or that of a subcommand
///
/// For example:
///
///   openreplay-elastic man | man -l -
///   openreplay-elastic man ship > /usr/share/man/man1/openreplay-elastic-ship.1
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The subcommand.
    subcommand: Option<String>,
}

impl Args {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut whole = command();
        whole.build();
        let page = match &self.subcommand {
            None => whole,
            Some(name) => match whole.find_subcommand(name) {
                Some(found) => found.clone(),
                None => {
                    return Err(Failure::Usage(format!(
                        "no subcommand {name:?}; `openreplay-elastic --help` lists them"
                    )));
                }
            },
        };
        let mut text = Vec::new();
        Man::new(page).render(&mut text)?;
        print::bytes(&text)?;
        Ok(Outcome::Done)
    }
}
