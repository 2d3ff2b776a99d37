//! From log lines in the app to documents in Elasticsearch, in the background.
//!
//! ```no_run
//! use openreplay_elastic::ElasticWriter;
//! use tracing_subscriber::prelude::*;
//!
//! # fn main() -> Result<(), openreplay_elastic::Error> {
//! # let key = "";
//! let (writer, _guard) = ElasticWriter::builder("https://elastic:9200").api_key(key).build()?;
//! tracing_subscriber::registry()
//!     .with(tracing_openreplay::json().with_writer(writer))
//!     .init();
//! # Ok(())
//! # }
//! ```
//!
//! # What a log call costs
//!
//! A lock held for the time of a copy; nothing is allocated once the buffer has been used. A log call never waits for
//! Elasticsearch and never fails. Everything else happens on a thread of the writer's own, with a runtime of its own and
//! without a subscriber: it cannot hold up the app's runtime, and cannot log about itself.
//!
//! # What becomes of a record
//!
//! It is stored, refused or dropped, and [`Stats`] says how many of each. While Elasticsearch is away or busy, records
//! wait in a buffer of fixed size ([`buffer_bytes`](ElasticWriterBuilder::buffer_bytes)); when that is full, debug and
//! info records go before warnings and errors, and a record that says how many went is written as soon as there is room.
//! Each record is stored once, however often it has to be sent, a rollover of the alias included; but for one case: an index
//! that may hold it takes no writes for a minute after the alias has left it.
//!
//! A record that Elasticsearch refuses is sent once more with its fixed fields only, so that a conflict of types in
//! some field does not cost an error's line.
//!
//! # What it needs
//!
//! An alias `logs` that `openreplay-elastic setup` makes; the writer itself creates no index. An API key with the one
//! privilege `create_doc` on `logs` and on the indices behind it, `logs-*`: an `_id` is unique in an index only, so what
//! got no answer is sent again to the very index that it went to. A key for the alias alone works too, but may store a
//! record twice where the alias rolls over in that moment.
//!
//! # At the end
//!
//! Keep the [`Guard`]: dropped, it sends what is left, for 5 seconds at most. A process that ends without it (by
//! `std::process::exit`, or killed) loses what was not sent yet: the records of little more than a second, while Elasticsearch answers. A
//! process forked from this one has no such thread, and sends nothing.

use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter;

use openreplay_buffer::{Buffer, Priority};
pub use openreplay_buffer::{Flushed, Stats};

pub use self::builder::ElasticWriterBuilder;
pub use self::guard::Guard;
pub use self::line::LineWriter;
use crate::Connection;
use crate::bulk::Ids;
use crate::transport::connection::ConnectionBuilder;

mod builder;
mod events;
mod guard;
mod line;
mod pauses;
#[cfg(test)]
mod tests;
mod worker;

/// What the log calls and the thread that sends have in common.
type Shared = Buffer<Ids>;

/// Takes lines, each a JSON object, and delivers them to Elasticsearch in the background. See the
/// [module](self) for how.
///
/// It is a [`MakeWriter`]; clones write to the same buffer.
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

    /// Takes one line, with or without its line feed. Of several lines, each is taken.
    pub fn write_line(&self, line: &[u8]) {
        self.shared.push(line, None);
    }

    /// What became of the lines so far.
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
