//! A page of one origin that asks a backend of another.

use axum::http::{HeaderValue, Method};
use integration_tests::browser;
use serde_json::{Value, json};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_openreplay::{SessionLayer, header_names};

use crate::{site::Site, ways::TRACKER};

#[test]
#[ignore = "needs Chromium"]
fn with_our_header_names_the_preflight_passes_and_the_session_arrives() {
    let page = Site::start();
    let cors = cors(&page)
        .allow_headers(header_names())
        .allow_credentials(true);
    let api = Site::start_with(SessionLayer::new(), |app| app.layer(cors));

    let ran = ask_across(&page, &api, "include", true);
    assert_eq!(ran["answered"], json!(true), "{ran}");
    assert_eq!(api.session_of("asked /ask/other"), ran["id"]);

    // both headers, as the browser asks for them: in lower case, sorted
    let [preflight, request] = &api.seen("/ask/other")[..] else {
        panic!("a preflight and a request")
    };
    assert_eq!(
        (preflight.method.as_str(), request.method.as_str()),
        ("OPTIONS", "GET")
    );
    assert_eq!(
        preflight.header("access-control-request-headers"),
        ["openreplaysession.id,x-openreplay-sessiontoken"]
    );
}

#[test]
#[ignore = "needs Chromium"]
fn without_them_the_request_never_leaves_the_browser() {
    let page = Site::start();
    let cors = cors(&page);
    let api = Site::start_with(SessionLayer::new(), |app| app.layer(cors));

    let ran = ask_across(&page, &api, "omit", false);
    assert_eq!(ran["answered"], json!(false));
    let methods: Vec<_> = api
        .seen("/ask/other")
        .into_iter()
        .map(|seen| seen.method)
        .collect();
    assert_eq!(methods, ["OPTIONS"]);
    assert!(
        ran["console"].to_string().contains(
            "Request header field openreplaysession.id is not allowed by Access-Control-Allow-Headers in preflight response"
        ),
        "{ran}"
    );
}

#[test]
#[ignore = "needs Chromium"]
fn a_star_serves_only_requests_without_credentials() {
    let page = Site::start();
    for (credentials, answered) in [("omit", true), ("include", false)] {
        // CorsLayer refuses a star beside credentials, so the answer is made by hand
        let cors = cors(&page).allow_headers(Any);
        let api = Site::start_with(SessionLayer::new(), |app| {
            app.layer(cors)
                .layer(tower_http::set_header::SetResponseHeaderLayer::overriding(
                    axum::http::header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                    HeaderValue::from_static("true"),
                ))
        });
        let ran = ask_across(&page, &api, credentials, true);
        assert_eq!(ran["answered"], json!(answered), "{credentials}: {ran}");
    }
}

fn cors(page: &Site) -> CorsLayer {
    let origin = HeaderValue::from_str(&page.url).expect("an address is a header value");
    CorsLayer::new()
        .allow_origin(AllowOrigin::exact(origin))
        .allow_methods([Method::GET])
}

/// One request with the documented header, and the tracker's own if wanted, from a page of `page` to `api`.
fn ask_across(page: &Site, api: &Site, credentials: &str, token: bool) -> Value {
    let ran = browser::run(
        &format!(
            r#"
            await page.goto(args.page);
            return page.evaluate(async (args) => {{
              {TRACKER}
              const tracker = await start({{ network: {{ sessionTokenHeader: {token} }} }});
              const id = tracker.getSessionID();
              const headers = {{ "openReplaySession.id": id }};
              const asked = fetch(args.api + "/ask/other", {{ headers, credentials: args.credentials }});
              return {{ id, answered: await asked.then((answer) => answer.ok, () => false) }};
            }}, args);
            "#
        ),
        &json!({ "page": page.url, "api": api.url, "credentials": credentials }),
    );
    let mut value = ran.value;
    value["console"] = json!(ran.console);
    value
}
