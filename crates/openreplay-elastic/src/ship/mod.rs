//! Follows log files and delivers each complete line exactly once.
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
//! # Exactly-once delivery
//!
//! A record's `_id` is derived from the offset of its line and from a random number, which each
//! file gets when it is first seen. If a line is sent again, Elasticsearch recognises its `_id` and
//! does not store it twice.
//!
//! An `_id` is unique only within one index. Before records are sent, the shipper therefore writes
//! the number of their file and the name of their index to the checkpoint. After a crash, it sends
//! the same records to the same index again, even if [`rotate`](crate::admin::rotate) has run in
//! between. If an index is deleted, or rejects records for a minute, the records go to the next
//! index, and the checkpoint is updated first.
//!
//! A file is recognised by its inode, its first line and the text before the place where reading
//! stopped. If the text differs, the file counts as another file and gets a new number. If only the
//! inode differs, as after `rsync`, delivery continues where it stopped.
//!
//! # Log rotation
//!
//! Files may be renamed and created again at any time, as logrotate does by default, or truncated.
//! Let the patterns match the new names, too (`app.log*`). Otherwise, files that are renamed while
//! no shipper runs are missed. With logrotate's `copytruncate`, the copies must not match the
//! patterns; lines that are written between the last check and the truncation are lost, as with any
//! follower.
//!
//! A line is read once it has a line feed. A line that is not a JSON object becomes the message of
//! a record. This includes the partial line of an app that was killed, together with the line that
//! its next run appends.
//!
//! # Compressed files
//!
//! Files compressed with gzip or zstd are recognised by their first bytes and read as a stream. All
//! offsets refer to the decompressed text. If the text of a compressed file is that of a known
//! file, it is a copy of that file: the copy waits as long as the original exists, and then
//! continues where the original stopped. So a rotation may compress files, at once or later.
//!
//! # Container runtimes and the journal
//!
//! Kubernetes' runtimes, Docker's `json-file` logging driver and `journalctl --output=json` put an
//! envelope around each line. The shipper recognises envelopes line by line and removes them: see
//! [`Format`]. A record keeps its own `@timestamp` and `level`. If the time is missing, the record
//! gets the runtime's time; if the level is missing, it gets the default level of its stream. A
//! line that is not a JSON object becomes a record with the runtime's time and, in the field
//! `stream`, `stdout` or `stderr`. Its level is the journal's `PRIORITY`, or the first level that
//! its text names. If there is neither, the level is `error` on standard error and `info`
//! elsewhere.
//!
//! Long lines are split into pieces, by default of 16 KiB in Kubernetes and Docker and of 48 KiB in
//! the journal. The shipper joins the pieces, even across rotations and restarts, and stores the
//! line once: the checkpoint contains the beginnings of incomplete lines. If the remaining pieces
//! do not follow within a minute, the beginning is delivered as it is. Docker corrupts a multi-byte
//! character that lies across two pieces.
//!
//! # Limits
//!
//! Any number of files may match. At most 256 of them are open at a time, or half of the process's
//! limit of open files if that is less. The quietest files are closed, and opened again when they
//! grow.
//!
//! A deleted file is read to its end if it is open, and is remembered for an hour, so that its
//! compressed copy is recognised. A file that is missing, because its folder is
//! not mounted or it was moved within its file system, is remembered for 30 days; if it comes back,
//! delivery continues where it stopped. Records that were in flight from such a file when a run
//! ended wait for it, but only for a day if its folder exists. A file that cannot be read is
//! reported once on standard error and retried, without delaying other files.
//!
//! A symbolic link is followed only if root or the user of this process owns it, or if its owner
//! also owns the target. Linked folders are not entered: see [`ShipOptions::follow_links`]. Pipes
//! and devices are ignored.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use openreplay_record::panel::RecordFault;

use self::trusted::Links;

#[cfg(feature = "admin")]
pub(crate) use self::content::Text;
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
    /// Creates options that keep the checkpoint in this file, which no other shipper may use.
    pub fn new(checkpoint: impl Into<PathBuf>) -> Self {
        Self {
            patterns: Vec::new(),
            checkpoint: checkpoint.into(),
            format: Format::default(),
            gzip: None,
            links: Links::default(),
        }
    }

    /// Adds a file, or a pattern with `*`, `?`, `[...]` and `**`. Names are bytes: an invalid byte
    /// counts as one character.
    #[must_use]
    pub fn file(mut self, pattern: impl Into<OsString>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Sets the format whose envelopes are removed from the lines. Default: [`Format::Auto`].
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Follows all symbolic links, and enters linked folders. Default: linked folders are not
    /// entered, and a link is followed only if root or the user of this process owns it, or if its
    /// owner also owns the target.
    #[must_use]
    pub fn follow_links(mut self, follow: bool) -> Self {
        self.links = if follow { Links::All } else { Links::Trusted };
        self
    }

    /// Sets the compression level of requests, from 1 to 9. Default: no compression.
    #[must_use]
    pub fn gzip(mut self, level: u32) -> Self {
        self.gzip = Some(level);
        self
    }
}

/// How far a shipper is, and what happened to the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The total size of all existing files, in bytes, whether delivered or not.
    pub bytes: u64,
    /// How many of these bytes are delivered.
    pub bytes_done: u64,
    /// The number of stored records. Records that an earlier run stored and this run sent again are
    /// included.
    pub stored: u64,
    /// The number of records that Elasticsearch rejected permanently.
    pub rejected: u64,
    /// The number of lines that were not JSON objects or too long, and are stored as the message of
    /// a record.
    pub wrapped: u64,
    /// The number of NUL bytes before lines, which are skipped. They appear after a truncation if
    /// the app does not open its file in append mode.
    pub nuls: u64,
    /// The number of records with each fault that keeps OpenReplay's panel from showing them
    /// properly. They are delivered anyway.
    pub faults: BTreeMap<RecordFault, u64>,
    /// The number of files whose last line has no line feed yet. That line is not read yet.
    pub unfinished: u64,
    /// The number of records of a stream that were read but not delivered before the signal to
    /// stop. For files, always 0: the next run delivers the remaining records.
    pub undelivered: u64,
    /// What cannot be read for now, by path.
    pub unreadable: Vec<Unreadable>,
}
