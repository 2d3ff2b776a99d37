//! Reads and delivers one batch after another.

use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::blocking::Blocking;
use super::checkpoint::Checkpoint;
use super::count::Counts;
use super::disk::Disk;
use super::files::Files;
use super::health::Health;
use super::lines::Framed;
use super::mode::Mode;
use super::position::{InFlight, IndexName, Part};
use super::sending::Sending;
use super::{Progress, ShipOptions};
use crate::bulk::{Delivery, SystemClock, Target};
use crate::transport::client::Client;
use crate::transport::error::Error;

const POLL: Duration = Duration::from_millis(250);
/// How often a single run scans again for files that are being moved.
const SCANS: u32 = 8;
/// The minimum and maximum number of bytes that are read for one entry of the checkpoint. A request
/// grows up to the maximum, if enough is available.
const BATCH: RangeInclusive<usize> = 1 << 19..=8 << 20;

/// An event that [`Shipper::follow`] reports.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The first scan is complete.
    #[non_exhaustive]
    Started {
        /// The files that are followed.
        files: &'a [PathBuf],
        /// How far the files are delivered.
        progress: &'a Progress,
    },
    /// A request was answered, or a scan found nothing to deliver.
    Progress(&'a Progress),
    /// Delivery has started to fail, or works again.
    Health(&'a Health),
}

/// Follows files, and delivers their lines.
#[derive(Debug)]
pub struct Shipper {
    pub(super) target: Target,
    pub(super) client: Client,
    delivery: Delivery,
    pub(super) disk: Blocking<Disk>,
    pub(super) counts: Arc<Counts>,
    /// The index behind the alias, and when it was requested.
    pub(super) index: Option<(IndexName, Instant)>,
}

impl Shipper {
    /// Opens the checkpoint, and creates it if it is missing. No other shipper can use the
    /// checkpoint at the same time.
    ///
    /// # Errors
    ///
    /// [`is_config`](Error::is_config) for an invalid pattern;
    /// [`is_precondition`](Error::is_precondition) if another shipper uses the checkpoint;
    /// [`is_io`](Error::is_io) if the checkpoint cannot be read or written.
    pub fn open(client: Client, options: ShipOptions) -> Result<Self, Error> {
        let ShipOptions {
            patterns,
            checkpoint,
            format,
            gzip,
            links,
        } = options;
        let checkpoint = Checkpoint::open(&checkpoint)?;
        let files = Files::new(&patterns, checkpoint.files(), checkpoint.hash())?
            .links(links)
            .except(checkpoint.own_files())
            .with_format(format);
        let target = Target::new(client.clone());
        Ok(Self {
            delivery: Delivery::new(target.clone(), gzip),
            target,
            client,
            disk: Blocking::new(Disk::new(files, checkpoint)),
            counts: Arc::default(),
            index: None,
        })
    }

    /// Delivers everything that exists at the start, including a last line without a line feed if
    /// it is a complete JSON object. Calls `progress` at the start and after each request.
    ///
    /// The future can be dropped at any time without losing records: the next run continues where
    /// this one stopped.
    ///
    /// # Errors
    ///
    /// [`is_io`](Error::is_io) if the checkpoint cannot be written. Also returns an error if, at
    /// the start, Elasticsearch is unreachable, is not trusted, does not respond, rejects the
    /// credentials, or has no `logs`. Later failures of this kind are reported on standard error
    /// and retried. A file that cannot be read is not an error: [`Progress::unreadable`] lists it.
    pub async fn run_once(
        mut self,
        mut progress: impl FnMut(&Progress),
    ) -> Result<Progress, Error> {
        self.require_writable().await?;
        self.scan(Mode::Once).await;
        progress(&self.progress().await);
        let mut scans = 0;
        loop {
            if self.deliver_next().await? {
                scans = 0;
                progress(&self.progress().await);
            } else {
                let is_settled = self.disk.run(|disk| disk.files.is_settled()).await;
                if is_settled || scans == SCANS {
                    break;
                }
                scans += 1;
                tokio::time::sleep(POLL).await;
            }
            self.scan(Mode::Once).await;
        }
        self.disk.run(|disk| disk.files.report_rest()).await;
        let end = self.progress().await;
        progress(&end);
        Ok(end)
    }

    /// Delivers existing and new lines, without end. Calls `report` with each event.
    ///
    /// The future can be dropped at any time without losing records: the next run continues where
    /// this one stopped.
    ///
    /// # Errors
    ///
    /// [`is_io`](Error::is_io) if the checkpoint cannot be written. All other failures are reported
    /// on standard error and retried. A file that cannot be read is not an error:
    /// [`Progress::unreadable`] lists it.
    pub async fn follow(mut self, mut report: impl FnMut(Event<'_>)) -> Result<Infallible, Error> {
        self.scan(Mode::Follow).await;
        let files = self.disk.run(|disk| disk.files.paths()).await;
        report(Event::Started {
            files: &files,
            progress: &self.progress().await,
        });
        let counts = Arc::clone(&self.counts);
        // Report failures before there is anything to send.
        watch(&counts, self.index(), &mut report).await;
        loop {
            let delivered = watch(&counts, self.deliver_next(), &mut report).await?;
            report(Event::Progress(&self.progress().await));
            if !delivered {
                tokio::time::sleep(POLL).await;
            }
            self.scan(Mode::Follow).await;
        }
    }

    async fn scan(&self, mode: Mode) {
        self.disk.run(move |disk| disk.files.scan(mode)).await;
    }

    async fn progress(&self) -> Progress {
        let sums = self.disk.run(|disk| disk.sums()).await;
        Progress {
            bytes: sums.bytes,
            bytes_done: sums.bytes_done,
            unfinished: sums.unfinished,
            unreadable: sums.unreadable,
            ..self.counts.progress()
        }
    }

    /// Delivers what was in flight before, and the next batch. Returns whether there was a batch;
    /// if not, the checkpoint is up to date.
    async fn deliver_next(&mut self) -> Result<bool, Error> {
        self.resend().await?;
        // The last line exceeds `room`, and should still fit into the request.
        let room = self.delivery.room() / 16 * 15;
        let enough = room.clamp(*BATCH.start(), *BATCH.end());
        let (framed, messages) = self
            .disk
            .run(move |disk| (disk.files.fill(enough), disk.files.take_messages()))
            .await;
        for text in messages {
            self.counts.warn(&text);
        }
        let Some(framed) = framed else {
            self.disk.run(|disk| disk.save(None)).await?;
            return Ok(false);
        };
        let in_flight = InFlight {
            index: self.index().await,
            parts: framed.parts.clone(),
            moved: std::collections::BTreeMap::new(),
        };
        self.deliver(framed, in_flight).await?;
        Ok(true)
    }

    /// Sends what was in flight when an earlier run ended, as far as it can be read.
    async fn resend(&mut self) -> Result<(), Error> {
        let waiting = self.disk.run(|disk| disk.waiting()).await;
        for _ in 0..waiting {
            let Some(resent) = self.disk.run(Disk::reread).await else {
                break;
            };
            for part in &resent.lost {
                self.counts.warn(&lost(part));
            }
            self.deliver(resent.framed, resent.in_flight).await?;
        }
        Ok(())
    }

    async fn deliver(&mut self, framed: Framed, in_flight: InFlight) -> Result<(), Error> {
        self.counts.read(&framed, &names(&framed.parts));
        let Framed {
            body,
            records,
            parts,
            ..
        } = framed;
        if records > 0 {
            let sending = Sending::start(in_flight, &self.disk, &self.counts).await?;
            for batch in sending.batches(body, records) {
                self.delivery.deliver(batch, &sending, &SystemClock).await;
            }
            // The checkpoint stores these records only.
            self.delivery.finish(&sending, &SystemClock).await;
            sending.end()?;
        }
        self.disk.run(move |disk| disk.mark_delivered(&parts)).await;
        Ok(())
    }
}

/// Reports changes of the health while `work` runs.
async fn watch<T>(
    counts: &Counts,
    work: impl Future<Output = T>,
    report: &mut impl FnMut(Event<'_>),
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            health = counts.changed() => report(Event::Health(&health)),
            done = &mut work => return done,
        }
    }
}

/// Names the files that lines come from.
fn names(parts: &[Part]) -> String {
    let Some(first) = parts.first() else {
        return String::new();
    };
    let name = first.path.display();
    match parts.len() {
        1 => name.to_string(),
        2 => format!("{name} or one more file"),
        count => format!("{name} or one of {} more files", count - 1),
    }
}

fn lost(part: &Part) -> String {
    format!(
        "lost {} bytes that were in flight when the last run ended; their file no longer contains them: {}",
        part.bytes(),
        part.path.display()
    )
}
