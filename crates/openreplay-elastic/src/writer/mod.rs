//! A writer that sends log records to Elasticsearch in the background.
//!
//! ```no_run
//! use openreplay_elastic::ElasticWriter;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let key = std::env::var("ELASTICSEARCH_API_KEY")?;
//!     let (writer, _guard) = ElasticWriter::builder("https://elastic:9200").api_key(key).build()?;
//!     tracing_openreplay::json().with_writer(writer).init();
//!     // the app; when `main` returns, `_guard` sends the remaining records
//!     Ok(())
//! }
//! ```
//!
//! # The cost of a log call
//!
//! A log call holds a lock while it copies a line, and allocates nothing once the buffer has been
//! used. It never waits for Elasticsearch and never fails. Everything else happens on the writer's
//! own thread, which has its own runtime and no subscriber: it cannot hold up the app's runtime,
//! and cannot log about itself.
//!
//! # Delivery
//!
//! Each record is stored, rejected or dropped, and [`Stats`] counts each of these. While
//! Elasticsearch is unreachable or busy, records wait in a buffer of fixed size
//! ([`buffer_bytes`](ElasticWriterBuilder::buffer_bytes)). If the buffer is full, debug and info
//! records are dropped before warnings and errors, and as soon as there is room, a record with the
//! number of dropped records is written. Each record is stored once, however often it is sent, even
//! across a rollover of the alias. There are two exceptions, in which a record may be stored twice
//! after a lost response: if the index that may have the record accepts no writes for a minute
//! after the alias has moved on, and if the first, the middle and the last record of the request
//! were all rejected.
//!
//! If Elasticsearch rejects a record, the record is sent once more with its fixed fields only, so
//! that a type conflict in some field does not lose an error.
//!
//! # Requirements
//!
//! An alias `logs`, which `openreplay-elastic setup` creates; the writer itself creates no index.
//! An API key with the single privilege `create_doc` on `logs` and on the indices behind it,
//! `logs-*`: an `_id` is unique in an index only, so a request without a response is resent to the
//! same index. A key for the alias alone also works, but may store a record twice if the alias
//! rolls over at that moment.
//!
//! # Shutdown
//!
//! Keep the [`Guard`]: dropping it sends the remaining records, for at most 5 seconds. A process
//! that ends without dropping it (`std::process::exit`, or a kill) loses the records that have not
//! been sent: while Elasticsearch responds, those of little more than a second. A forked process
//! has no such thread, and sends nothing.

use std::sync::Arc;

use openreplay_buffer::{Buffer, Priority};
pub use openreplay_buffer::{Flushed, Stats};
use tracing_subscriber::fmt::MakeWriter;

pub use self::builder::ElasticWriterBuilder;
pub use self::guard::Guard;
pub use self::line::LineWriter;
use crate::bulk::Ids;
use crate::transport::connection::{Connection, ConnectionBuilder};

mod builder;
mod clock;
mod guard;
mod line;
mod observer;
#[cfg(test)]
mod tests;
mod worker;

/// What the log calls and the sending thread share.
type Shared = Buffer<Ids>;

/// A writer that delivers lines, each a JSON object, to Elasticsearch in the background.
///
/// It implements [`MakeWriter`], and clones write to the same buffer. See the [module
/// documentation](self) for details.
#[derive(Clone, Debug)]
pub struct ElasticWriter {
    shared: Arc<Shared>,
}

impl ElasticWriter {
    /// Starts with one node's address, such as `https://elastic:9200`.
    pub fn builder(url: impl Into<String>) -> ElasticWriterBuilder {
        ElasticWriterBuilder::new(Connection::builder(url))
    }

    /// Starts with an Elastic Cloud id.
    pub fn cloud(id: impl Into<String>) -> ElasticWriterBuilder {
        ElasticWriterBuilder::new(Connection::cloud(id))
    }

    /// Starts with any connection.
    pub fn with_connection(connection: ConnectionBuilder) -> ElasticWriterBuilder {
        ElasticWriterBuilder::new(connection)
    }

    /// Writes one or more lines; the last line feed is optional.
    pub fn write_line(&self, line: &[u8]) {
        self.shared.push(line, None);
    }

    /// Returns what became of the lines so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl<'a> MakeWriter<'a> for ElasticWriter {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter::new(&self.shared, None)
    }

    fn make_writer_for(&'a self, metadata: &tracing_core::Metadata<'_>) -> LineWriter<'a> {
        LineWriter::new(&self.shared, Some(Priority::from(*metadata.level())))
    }
}
