//! Follows files of records and delivers each complete line once.
//!
//! ```no_run
//! use openreplay_elastic::ship::{ShipOptions, Shipper};
//!
//! # async fn example(client: openreplay_elastic::Client) -> Result<(), openreplay_elastic::Error> {
//! let options = ShipOptions::new("/var/lib/app/ship.json").file("/var/log/app/*.log");
//! let shipped = Shipper::open(client, options)?.run_once(|_| ()).await?;
//! println!("{} records", shipped.stored);
//! # Ok(())
//! # }
//! ```
//!
//! # How it delivers exactly once
//!
//! A record's `_id` is made from a random number that the file got when it was first seen and the
//! line's offset, so sending a line again finds it there. Since an `_id` is unique in one index
//! only, what is about to be sent is written to the checkpoint first, with that number and the
//! index it goes to: after a crash just that is sent again, to the very same index, whatever
//! [`rotate`](crate::admin::rotate) did meanwhile. Where an index is gone, or takes nothing for a
//! minute, the checkpoint knows which records go to the next one before they do. A file is known
//! again by its inode, its first line and what stands before the place where it was left; where
//! that differs, it was written anew, and is another file with a number of its own.
//!
//! # What it follows
//!
//! Files may be renamed and made anew, as logrotate does by default, at any moment, or truncated.
//! Let the patterns match the new names too (`app.log*`), so that nothing is missed that was
//! renamed while no shipper ran. With logrotate's `copytruncate` the copies must not match the
//! patterns, and what is written between the last look and the truncation is lost, as with any
//! follower. A line counts from its line feed on. A line that is no JSON object becomes a record
//! with the line as its message; so does the half line that an app leaves when it is killed, with
//! the line that the next run writes behind it.
//!
//! # Compressed files
//!
//! Files compressed with gzip or zstd are recognised by their first bytes and read as a stream. All
//! offsets are those of the text. A compressed file whose text is that of a known file is a copy of
//! that file: the copy waits as long as the original is there, and then continues where the
//! original stopped. So a rotation may compress files, at once or later.
//!
//! # Container runtimes and the journal
//!
//! What Kubernetes' runtimes, Docker's logging driver `json-file` and `journalctl --output=json`
//! put around each line is recognised line by line, and taken off: see [`Format`]. A record keeps
//! its own `@timestamp` and `level`; if it lacks one, it gets the runtime's time, or the level of a
//! line that names none. A line that is not a JSON object becomes a record with the runtime's time
//! and, in the field `stream`, `stdout` or `stderr`. Its level is the journal's `PRIORITY`, or the
//! first that its text names, or else `error` on standard error and `info` elsewhere.
//!
//! Long lines come in pieces, of 16 KiB by default in Kubernetes and Docker, of 48 KiB in the
//! journal. They are joined, also across a rotation and a restart, and stored once: the checkpoint
//! holds the beginning of a line whose rest is still to come. If no rest comes for a minute, the
//! beginning is delivered as it is. Docker destroys a character of several bytes that lies between
//! two pieces.
//!
//! # Limits
//!
//! Any number of files may match: at most 256 are open at a time, fewer where the process may have
//! fewer than twice as many; the quietest ones are closed, and opened again when they grow. A file
//! that is deleted is read to its end if it is open. One that is nowhere to be found, since its
//! folder is not mounted or it was moved within its file system, is known for 30 days: it goes on
//! where it was when it comes back. What was on its way from it when a run ended waits for it;
//! where its folder is there, for a day. A file that cannot be read is reported once on standard
//! error and tried again, while the others go on.
//!
//! A symbolic link is followed only if root or the user of this process owns it, or if its owner
//! also owns what it leads to; linked folders are not entered: see [`ShipOptions::follow_links`].
//! Pipes and devices are left out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use openreplay_record::panel::RecordFault;

use self::trusted::Links;

pub use self::health::Health;
pub use self::input::InputShipper;
pub use self::run::{Event, Shipper};
pub use self::unreadable::Unreadable;
pub use crate::envelope::Format;

mod blocking;
mod bytes;
mod checkpoint;
mod content;
mod count;
mod disk;
mod faults;
mod files;
mod folders;
mod glob;
mod hash;
mod health;
mod identity;
mod index;
mod input;
mod lines;
mod mode;
mod patterns;
mod position;
mod private;
mod record;
mod run;
mod sending;
mod system;
mod tail;
#[cfg(test)]
mod tests;
mod trusted;
mod unreadable;

/// What to follow, and how.
#[derive(Clone, Debug)]
pub struct ShipOptions {
    patterns: Vec<OsString>,
    checkpoint: PathBuf,
    format: Format,
    gzip: Option<u32>,
    links: Links,
}

impl ShipOptions {
    /// Keeps the checkpoint in this file, which must be this shipper's alone.
    pub fn new(checkpoint: impl Into<PathBuf>) -> Self {
        Self {
            patterns: Vec::new(),
            checkpoint: checkpoint.into(),
            format: Format::default(),
            gzip: None,
            links: Links::default(),
        }
    }

    /// Adds a file, or a pattern with `*`, `?`, `[...]` and `**`. Names are bytes: a byte that is
    /// no text counts as one character.
    #[must_use]
    pub fn file(mut self, pattern: impl Into<OsString>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Takes the envelopes of a container runtime or of the journal off the lines. Default:
    /// [`Format::Auto`].
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Follows all symbolic links, and enters linked folders. Default: linked folders are not
    /// entered, and a link is followed only if root or the user of this process owns it, or if its
    /// owner also owns what it leads to.
    #[must_use]
    pub fn follow_links(mut self, follow: bool) -> Self {
        self.links = if follow { Links::All } else { Links::Trusted };
        self
    }

    /// Compresses what is sent, 1 to 9. Default: not.
    #[must_use]
    pub fn gzip(mut self, level: u32) -> Self {
        self.gzip = Some(level);
        self
    }
}

/// How far a shipper is, and what became of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of all files that are there, delivered before or not.
    pub bytes: u64,
    /// How many of those are delivered.
    pub bytes_done: u64,
    /// Records that are stored; one that an earlier run stored, and this one sent again, counts
    /// here too.
    pub stored: u64,
    /// Records that Elasticsearch rejected for good.
    pub rejected: u64,
    /// Lines that were no JSON objects or too long, and are stored as the message of a record.
    pub wrapped: u64,
    /// NUL bytes before lines, which are skipped: a truncation leaves them if the app does not open
    /// its file to append.
    pub nuls: u64,
    /// How many records have each fault that keeps OpenReplay's panel from showing them as it
    /// should. They are delivered nevertheless.
    pub faults: BTreeMap<RecordFault, u64>,
    /// Files whose last line has no line feed yet: that line is left for later.
    pub unfinished: u64,
    /// Records of a stream that were read, and not delivered when the signal to stop came. Of
    /// files, always 0: the next run delivers what is left.
    pub undelivered: u64,
    /// What cannot be read for now, by path.
    pub unreadable: Vec<Unreadable>,
}
