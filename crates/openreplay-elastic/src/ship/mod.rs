//! Follows files of records and delivers each complete line once.
//!
//! ```no_run
//! use openreplay_elastic::ship::{ShipOptions, Shipper};
//!
//! # async fn example(client: openreplay_elastic::Client) -> Result<(), openreplay_elastic::Error> {
//! let options = ShipOptions::new("/var/lib/app/ship.json").file("/var/log/app/*.log").once(true);
//! let shipped = Shipper::open(client, options)?.run(|_| ()).await?;
//! println!("{} records", shipped.stored);
//! # Ok(())
//! # }
//! ```
//!
//! # How that comes about
//!
//! A record's `_id` is made from a random number that the file got when it was first seen and the line's offset, so sending
//! a line again finds it there. Since an `_id` is unique in one index only, what is about to be sent is written to the
//! checkpoint first, with that number and the index it goes to: after a crash just that is sent again, to the very same index,
//! whatever [`rotate`](crate::admin::rotate) did meanwhile. Where an index is gone, or takes nothing for a minute, the checkpoint knows
//! which records go to the next one before they do. A file is known again by its inode, its first line and what stands
//! before the place where it was left; where that differs, it was written anew, and is another file with a number of its own.
//!
//! # What it follows
//!
//! Files may be renamed and made anew, as logrotate does by default, at any moment, or truncated. Let the patterns match the new
//! names too (`app.log*`), so that nothing is missed that was renamed while no shipper ran. With logrotate's `copytruncate`
//! the copies must not match the patterns, and what is written between the last look and the truncation is lost, as with
//! any follower. A line counts from its line feed on. A line that is no JSON object becomes a record with the line as its message;
//! so does the half line that an app leaves when it is killed, with the line that the next run writes behind it.
//!
//! Any number of files may match: at most 256 are open at a time, fewer where the process may have fewer than twice as many; the
//! quietest ones are closed, and opened again when they grow. A file that is deleted is read to its end if it is open. One that
//! is nowhere to be found, since its folder is not mounted or it was moved within its file system, is known for 30 days: it goes
//! on where it was when it comes back. What was on its way from it when a run ended waits for it; where its folder is there,
//! for a day. A file that cannot be read is said once on standard error and tried again, while the others go on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::checkpoint::Checkpoint;
use self::count::Counts;
use self::files::Files;
use self::lines::Framed;
use self::position::InFlight;
use self::sending::Sending;
use crate::Client;
use crate::bulk::{Delivery, Patient, Target};
use crate::numbered::LOGS;
use crate::transport::error::Error;

pub use self::unreadable::Unreadable;

mod bytes;
mod checkpoint;
mod count;
mod files;
mod folders;
mod hash;
mod identity;
mod index;
mod lines;
mod patterns;
mod position;
mod sending;
mod system;
mod tail;
#[cfg(test)]
mod tests;
mod unreadable;

const POLL: Duration = Duration::from_millis(250);
/// How often a single run looks again for what is being moved.
const LOOKS: u32 = 8;
/// What a request grows to, if there is as much.
const BATCH: usize = 8 << 20;

/// What to follow, and how.
#[derive(Clone, Debug)]
pub struct ShipOptions {
    patterns: Vec<String>,
    checkpoint: PathBuf,
    once: bool,
    gzip: Option<u32>,
}

impl ShipOptions {
    /// Keeps the checkpoint in this file, which must be this shipper's alone.
    pub fn new(checkpoint: impl Into<PathBuf>) -> Self {
        Self {
            patterns: Vec::new(),
            checkpoint: checkpoint.into(),
            once: false,
            gzip: None,
        }
    }

    /// Adds a file, or a pattern with `*`, `?`, `[...]` and `**`.
    #[must_use]
    pub fn file(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Ends when everything has been delivered that was there at the start; a last line without a line feed too, if it is a
    /// whole JSON object. Default: goes on following.
    #[must_use]
    pub fn once(mut self, once: bool) -> Self {
        self.once = once;
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
    /// Records that are stored; one that an earlier run stored, and this one sent again, counts here too.
    pub stored: u64,
    /// Records that Elasticsearch refused for good.
    pub refused: u64,
    /// Lines that were no JSON objects or too long, and are stored as the message of a record.
    pub wrapped: u64,
    /// Files whose last line has no line feed yet: that line is left for later.
    pub unfinished: u64,
    /// What cannot be read for now, by path.
    pub unreadable: Vec<Unreadable>,
}

/// Follows files, and delivers what is in them.
#[derive(Debug)]
pub struct Shipper {
    target: Target,
    client: Client,
    delivery: Delivery,
    options: ShipOptions,
    files: Files,
    checkpoint: Checkpoint,
    counts: Counts,
    index: Option<(String, Instant)>,
    /// What was on its way when an earlier run ended, and has to go to the same index.
    waiting: Vec<InFlight>,
}

impl Shipper {
    /// Reads the checkpoint, if there is one, and keeps others away from it.
    ///
    /// # Errors
    ///
    /// [`is_config`](Error::is_config) for a pattern that is none; [`is_precondition`](Error::is_precondition) where another shipper has the
    /// checkpoint; [`is_io`](Error::is_io) where it cannot be read or written.
    pub fn open(client: Client, options: ShipOptions) -> Result<Self, Error> {
        let checkpoint = Checkpoint::open(&options.checkpoint)?;
        let files = Files::new(&options.patterns, checkpoint.files(), checkpoint.hash())?
            .except(checkpoint.own_files());
        let target = Target::new(client.clone(), LOGS);
        Ok(Self {
            delivery: Delivery::new(target.clone(), options.gzip),
            target,
            client,
            options,
            files,
            waiting: checkpoint.in_flight(),
            checkpoint,
            counts: Counts::default(),
            index: None,
        })
    }

    /// Delivers until there is no more, or for ever. `progress` is told at the start, and after each request.
    ///
    /// Dropping the future at any moment loses nothing: the next run goes on where this one was.
    ///
    /// # Errors
    ///
    /// [`is_io`](Error::is_io) where the checkpoint fails. With [`ShipOptions::once`] also where, at the start, Elasticsearch
    /// cannot be reached or trusted, does not answer or allow it, or has no `logs`; else that is said on standard error, and
    /// tried again. A file that cannot be read is no error: [`Progress::unreadable`] names it.
    pub async fn run(mut self, mut progress: impl FnMut(&Progress)) -> Result<Progress, Error> {
        if self.options.once {
            self.can_write().await?;
        }
        let mut looks = 0;
        let mut is_start = true;
        loop {
            self.files.look(self.options.once);
            if std::mem::take(&mut is_start) {
                progress(&self.progress());
                if !self.options.once {
                    // what is wrong is said before there is anything to send
                    self.index().await;
                }
            }
            self.again().await?;
            let filled = self.files.fill(BATCH);
            for text in self.files.news() {
                self.counts.warn(&text);
            }
            let Some(filled) = filled else {
                self.checkpoint
                    .save(self.files.positions(), None, &self.waiting)?;
                let is_end = self.options.once && (self.files.is_settled() || looks == LOOKS);
                if is_end {
                    self.files.name_rest();
                }
                let now = self.progress();
                progress(&now);
                if is_end {
                    return Ok(now);
                }
                looks += 1;
                tokio::time::sleep(POLL).await;
                continue;
            };
            let index = self.index().await;
            self.deliver(filled, index, BTreeMap::new()).await?;
            progress(&self.progress());
        }
    }

    fn progress(&self) -> Progress {
        let (bytes, bytes_done, unfinished) = self.files.sums();
        Progress {
            bytes,
            bytes_done,
            unfinished,
            unreadable: self.files.unreadable(),
            ..self.counts.progress()
        }
    }

    /// Sends what was on its way when an earlier run ended, as far as it can be read.
    async fn again(&mut self) -> Result<(), Error> {
        for _ in 0..self.waiting.len() {
            let InFlight {
                index,
                parts,
                moved,
            } = self.waiting.remove(0);
            let (framed, gone, waiting) = self.files.again(&parts);
            for part in gone {
                let text = format!(
                    "{} bytes were on their way when the last run ended, and are not there any more: {}",
                    part.to.offset - part.from,
                    part.path.display()
                );
                self.counts.warn(&text);
            }
            if !waiting.is_empty() {
                self.waiting.push(InFlight {
                    index: index.clone(),
                    parts: waiting,
                    moved: moved.clone(),
                });
            }
            self.deliver(framed, index, moved).await?;
        }
        Ok(())
    }

    async fn deliver(
        &mut self,
        filled: Framed,
        index: String,
        moved: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        self.counts.wrapped(filled.wrapped);
        let parts = filled.parts.clone();
        if filled.records > 0 {
            let in_flight = InFlight {
                index,
                parts: parts.clone(),
                moved,
            };
            let sending = Sending::start(
                in_flight,
                &mut self.checkpoint,
                &self.files,
                &self.waiting,
                &self.counts,
            )?;
            for batch in sending.batches(filled) {
                self.delivery.deliver(batch, &sending, &Patient).await;
            }
            // the checkpoint knows of these only
            self.delivery.finish(&sending, &Patient).await;
            sending.end()?;
        }
        self.files.done(&parts);
        Ok(())
    }
}
