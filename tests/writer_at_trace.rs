//! The writer's own thread logs nothing: with everything at TRACE, nothing comes but what the app
//! said.

use std::time::Duration;

use integration_tests::StandIn;
use openreplay_elastic::ElasticWriter;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::prelude::*;

#[test]
fn at_trace_only_the_app_speaks() {
    let server = StandIn::start();
    let (writer, guard) = ElasticWriter::builder(server.url())
        .flush_interval(Duration::from_millis(5))
        .build()
        .unwrap();
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(writer.clone());
    tracing_subscriber::registry()
        .with(layer)
        .with(LevelFilter::TRACE)
        .init();
    for number in 0..20 {
        tracing::trace!(number, "said by the app");
        assert!(guard.flush(Duration::from_secs(60)).is_complete());
    }
    assert!(guard.shutdown(Duration::from_secs(60)).is_complete());
    let documents = server.documents();
    assert_eq!(documents.len(), 20, "{documents:?}");
    assert_eq!(writer.stats().indexed, 20);
}
