//! What the recording contains of the session's headers: the tracker records its own token header,
//! unless a sanitizer removes it.

use crate::{ingest::SIGNATURE, site::Site, ways::in_page};

#[test]
#[ignore = "needs Chromium"]
fn the_trackers_token_is_part_of_the_recording() {
    for option in ["true", r#""X-Recording""#] {
        let site = Site::start();
        record(
            &site,
            &format!(
                "const tracker = await start({{ network: {{ sessionTokenHeader: {option}, ignoreHeaders: true }} }});"
            ),
        );
        assert!(site.ingest.has_recorded(SIGNATURE), "{option}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn with_the_guides_sanitizer_the_recording_has_the_request_and_no_token() {
    let site = Site::start();
    record(
        &site,
        r#"
        const { tracker } = await import("/bundle/token.js");
        while (!tracker.getSessionID()) await new Promise((later) => setTimeout(later, 20));
        "#,
    );
    assert!(!site.ingest.has_recorded(SIGNATURE));
    // the tracker did send it, and the other headers of the request are recorded
    for way in ["object", "headers", "list", "xhr"] {
        let seen = site.one(&format!("/ask/{way}"));
        assert!(
            seen.header("x-openreplay-sessiontoken")[0].ends_with(SIGNATURE),
            "{way}"
        );
    }
    assert!(site.ingest.has_recorded("shown-in-the-replay"));
}

#[test]
#[ignore = "needs Chromium"]
fn the_ids_own_header_puts_no_token_into_the_recording() {
    let site = Site::start();
    record(
        &site,
        r#"
        const { tracker } = await import("/bundle/session.js");
        const { api } = await import("/bundle/fetch.js");
        await api("/ask/id");
        "#,
    );
    assert!(site.ingest.has_recorded("openreplaysession.id"));
    assert!(!site.ingest.has_recorded(SIGNATURE));
}

/// Runs the code, which leaves a `tracker`, then sends requests with every kind of header list, and
/// returns once the recording contains the last of them.
fn record(site: &Site, code: &str) {
    in_page(
        site,
        &format!(
            r#"
            {code}
            const own = {{ "X-Note": "shown-in-the-replay" }};
            await fetch("/ask/object", {{ headers: {{ ...own }} }});
            await fetch("/ask/headers", {{ headers: new Headers(own) }});
            await fetch("/ask/list", {{ headers: Object.entries(own) }});
            await xhr("/ask/xhr", own);
            await fetch("/ask/last");
            setInterval(() => tracker.forceFlushBatch(), 50); // on its own, the tracker sends every 30 seconds
            await fetch("/ingest/recorded?text=/ask/last");
            "#
        ),
    );
}
