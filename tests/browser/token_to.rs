//! Where the tracker's token goes: by default to every server that the page sends requests to.

use serde_json::json;
use tower_http::cors::{Any, CorsLayer};
use tower_openreplay::SessionLayer;

use crate::{origin::in_page, site::Site};

const NAMES: [&str; 2] = ["x-openreplay-sessiontoken", "x-openreplay-session-token"];

/// A server that knows nothing of OpenReplay, and allows requests of every page.
fn stranger() -> Site {
    let cors = CorsLayer::new().allow_origin(Any);
    Site::start_with(SessionLayer::new(), |app| app.layer(cors))
}

#[test]
#[ignore = "needs Chromium"]
fn with_the_guides_matcher_it_goes_to_the_pages_own_origin_alone() {
    let (page, api) = (Site::start(), stranger());
    let ran = in_page(
        &page,
        &api,
        r#"
            const { tracker } = await import("/bundle/token.js");
            while (!tracker.getSessionID()) await new Promise((later) => setTimeout(later, 20));
            return {
              id: tracker.getSessionID(),
              own: [(await fetch("/ask/fetch")).ok, await xhr("/ask/xhr")],
              other: [(await fetch(api + "/ask/fetch")).ok, await xhr(api + "/ask/xhr")],
            };
            "#,
    );
    assert_eq!(ran["own"], json!([true, true]));
    assert_eq!(ran["other"], json!([true, true]), "{ran}");
    for path in ["/ask/fetch", "/ask/xhr"] {
        assert_eq!(page.session_of(&format!("asked {path}")), ran["id"]);
        // one request: not even a preflight
        let seen = api.one(path);
        assert_eq!(seen.method, "GET");
        assert_eq!(NAMES.map(|name| seen.header(name).len()), [0, 0]);
    }
}

#[test]
#[ignore = "needs Chromium"]
fn without_one_requests_to_strangers_fail() {
    let (page, api) = (Site::start(), stranger());
    let ran = in_page(
        &page,
        &api,
        r#"
            await start({ network: { sessionTokenHeader: true } });
            const fetched = await fetch(api + "/ask/fetch").then(() => true, () => false);
            return { answered: [fetched, await xhr(api + "/ask/xhr")] };
            "#,
    );
    assert_eq!(ran["answered"], json!([false, false]));
    for path in ["/ask/fetch", "/ask/xhr"] {
        assert_eq!(api.one(path).method, "OPTIONS");
    }
    assert_eq!(refusals(&ran["console"], NAMES[0]), 2, "{ran}");
}

#[test]
#[ignore = "needs Chromium"]
fn an_axios_instance_that_the_tracker_knows_ignores_the_matcher() {
    let (page, api) = (Site::start(), stranger());
    let ran = in_page(
        &page,
        &api,
        r#"
        const { axios } = await import("/bundle/libraries.js");
        const [known, unknown] = [axios.create(), axios.create()];
        await start({ network: {
          sessionTokenHeader: true,
          tokenUrlMatcher: (url) => new URL(url, location.href).origin === location.origin,
          axiosInstances: [known],
        } });
        const asks = (instance, path) => instance.get(api + path).then(() => true, () => false);
        return { known: await asks(known, "/ask/known"), unknown: await asks(unknown, "/ask/unknown") };
        "#,
    );
    assert_eq!(ran["known"], json!(false));
    assert_eq!(
        api.one("/ask/known")
            .header("access-control-request-headers"),
        [NAMES[1]]
    );
    assert_eq!(refusals(&ran["console"], NAMES[1]), 1, "{ran}");
    assert_eq!(ran["unknown"], json!(true));
    assert_eq!(api.one("/ask/unknown").method, "GET");
}

/// How many requests the browser held back because of this header.
fn refusals(console: &serde_json::Value, name: &str) -> usize {
    let message = format!(
        "Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response"
    );
    console.to_string().matches(&message).count()
}
