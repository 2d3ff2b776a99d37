//! The address of the replay in a record, and the one that the tracker itself gives.

use std::time::{Duration, UNIX_EPOCH};

use integration_tests::{Lines, browser};
use openreplay_session::{SessionId, sync_scope};
use serde_json::json;
use tracing::subscriber::with_default;
use tracing_subscriber::prelude::*;

use crate::{site::Site, ways::TRACKER};

/// Both clocks stand still at this time, in milliseconds since 1970: about a day after the first
/// session of the ingest.
const NOW: u64 = 1_845_150_000_000;

#[test]
#[ignore = "needs Chromium"]
fn a_record_has_the_address_that_the_tracker_gives_at_that_time() {
    let site = Site::start();
    let script = format!(
        r#"
        await page.addInitScript((now) => {{ Date.now = () => now; performance.now = () => 0; }}, args.now);
        await page.goto(args.url);
        return page.evaluate(async () => {{
          {TRACKER}
          const tracker = await start();
          return {{
            id: tracker.getSessionID(),
            plain: tracker.getSessionURL(),
            url: tracker.getSessionURL({{ withCurrentTime: true }}),
          }};
        }});
        "#
    );
    let ran = browser::run(&script, &json!({ "url": site.url, "now": NOW }));
    let id: SessionId = ran.value["id"].as_str().unwrap().parse().unwrap();

    let lines = Lines::default();
    // the project's id is the ingest's
    let layer = tracing_openreplay::json()
        .with_replay_url(format!("{}/1", site.url))
        .with_clock(|| UNIX_EPOCH + Duration::from_millis(NOW))
        .with_writer(lines.clone());
    with_default(tracing_subscriber::registry().with(layer), || {
        sync_scope(id, || tracing::info!("paid"));
    });
    let record = &lines.records()[0];
    assert_eq!(record["openReplaySession.url"], ran.value["url"]);
    let plain = ran.value["plain"].as_str().unwrap();
    let url = record["openReplaySession.url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("{plain}?jumpto=")),
        "{url}: {plain}"
    );
}
