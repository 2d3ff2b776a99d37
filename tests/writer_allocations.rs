//! What a log call allocates once the buffer has been used: nothing.

use std::io::Write as _;
use std::time::Duration;

use integration_tests::StandIn;
use openreplay_elastic::ElasticWriter;
use tracing_subscriber::fmt::MakeWriter as _;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_log_call_allocates_nothing_in_steady_state() {
    let far_end = StandIn::start();
    far_end.forget();
    let (writer, guard) = ElasticWriter::builder(far_end.url())
        .buffer_bytes(4 * 1024 * 1024)
        .build()
        .unwrap();
    let line = format!(
        r#"{{"level":"info","message":"{}"}}{}"#,
        "x".repeat(370),
        "\n"
    );
    let write = |records: usize| {
        for _ in 0..records {
            writer.make_writer().write_all(line.as_bytes()).unwrap();
        }
    };
    // more than the buffer holds: from here on its memory goes round
    for _ in 0..3 {
        write(20_000);
        assert!(guard.flush(LIMIT).is_complete());
    }
    for round in 0..20 {
        let calls = allocation_counter::measure(|| write(2_000));
        assert_eq!(calls.count_total, 0, "round {round}: {calls:?}");
        assert!(guard.flush(LIMIT).is_complete());
    }
    assert!(writer.stats().dropped > 0, "the buffer has been full");
}
