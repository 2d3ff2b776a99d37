//! A page of one origin that sends requests to a backend of another.

use axum::http::{HeaderName, HeaderValue, Method, header::ACCESS_CONTROL_ALLOW_CREDENTIALS};
use integration_tests::{browser, guide};
use serde_json::{Value, json};
use tower_http::{
    cors::{Any, CorsLayer},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};
use tower_openreplay::SessionLayer;

use crate::{
    cors::cors,
    ingest::SIGNATURE,
    site::Site,
    ways::{TRACKER, XHR},
};

#[test]
fn the_page_shows_the_layer_that_is_tested() {
    let shown = guide::block("docs/proxies-and-origins.md", "Another origin", "rust");
    assert_eq!(shown, include_str!("cors.rs"));
}

#[test]
#[ignore = "needs Chromium"]
fn with_the_guides_layer_a_json_api_responds_and_the_session_arrives() {
    let page = Site::start();
    let cors = cors(origin(&page));
    let api = Site::start_with(SessionLayer::new(), |app| app.layer(cors));
    for (method, path) in [("POST", "/ask/post"), ("PUT", "/ask/put")] {
        let ran = in_page(
            &page,
            &api,
            &format!(
                r#"
                const tracker = await start({{ network: {{ sessionTokenHeader: true }} }});
                const id = tracker.getSessionID();
                const answer = await fetch(api + "{path}", {{
                  method: "{method}",
                  headers: {{ "openReplaySession.id": id, "content-type": "application/json" }},
                  body: JSON.stringify({{ price: 1 }}),
                  credentials: "include",
                }});
                return {{ id, answered: answer.ok }};
                "#
            ),
        );
        assert_eq!(ran["answered"], json!(true), "{ran}");
        assert_eq!(api.session_of(&format!("asked {path}")), ran["id"]);
        // all requested headers, in lower case and sorted
        let preflight = preflight(&api, method, path);
        assert_eq!(
            preflight,
            "content-type,openreplaysession.id,x-openreplay-sessiontoken"
        );
    }
}

#[test]
#[ignore = "needs Chromium"]
fn with_the_guides_layer_an_axios_instance_brings_both_spellings_of_the_token() {
    let page = Site::start();
    let cors = cors(origin(&page));
    let api = Site::start_with(SessionLayer::new(), |app| app.layer(cors));
    let ran = in_page(
        &page,
        &api,
        r#"
        const { axios } = await import("/bundle/libraries.js");
        const instance = axios.create({ baseURL: api, withCredentials: true });
        const tracker = await start({ network: { sessionTokenHeader: true, axiosInstances: [instance] } });
        await instance.post("/ask/axios", { price: 1 });
        return { id: tracker.getSessionID() };
        "#,
    );
    assert_eq!(api.session_of("asked /ask/axios"), ran["id"]);
    let preflight = preflight(&api, "POST", "/ask/axios");
    assert_eq!(
        preflight,
        "content-type,x-openreplay-session-token,x-openreplay-sessiontoken"
    );
    assert!(!api.log().contains(SIGNATURE));
}

#[test]
#[ignore = "needs Chromium"]
fn without_the_names_the_request_never_leaves_the_browser() {
    for (named, headers, token) in [
        (
            "openreplaysession.id",
            r#"{ "openReplaySession.id": id }"#,
            false,
        ),
        ("x-openreplay-sessiontoken", "{}", true),
    ] {
        let page = Site::start();
        let cors = CorsLayer::new().allow_origin(origin(&page));
        let api = Site::start_with(SessionLayer::new(), |app| app.layer(cors));
        let ran = in_page(&page, &api, &asks(headers, token, "omit"));
        assert_eq!(ran["answered"], json!(false));
        assert_eq!(api.one("/ask/other").method, "OPTIONS");
        let message = format!(
            "Request header field {named} is not allowed by Access-Control-Allow-Headers in preflight response"
        );
        assert!(ran["console"].to_string().contains(&message), "{ran}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn a_star_serves_only_requests_without_credentials() {
    let page = Site::start();
    for (credentials, answered) in [("omit", true), ("include", false)] {
        // CorsLayer rejects a star together with credentials, so the test builds the response
        let cors = CorsLayer::new()
            .allow_origin(origin(&page))
            .allow_methods([Method::GET])
            .allow_headers(Any);
        let api = Site::start_with(SessionLayer::new(), |app| {
            app.layer(cors).layer(SetResponseHeaderLayer::overriding(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            ))
        });
        let asks = asks(r#"{ "openReplaySession.id": id }"#, true, credentials);
        let ran = in_page(&page, &api, &asks);
        assert_eq!(ran["answered"], json!(answered), "{credentials}: {ran}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_tracker_records_the_request_id_of_a_response_if_it_is_exposed() {
    let page = Site::start();
    for exposed in [true, false] {
        let mut cors = cors(origin(&page));
        if exposed {
            cors = cors.expose_headers([HeaderName::from_static("x-request-id")]);
        }
        let api = Site::start_with(SessionLayer::new(), |app| {
            app.layer(PropagateRequestIdLayer::x_request_id())
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(cors)
        });
        let ran = in_page(
            &page,
            &api,
            r#"
            let recorded;
            const isRecorded = new Promise((passed) => { recorded = passed; });
            await start({ network: { sanitizer: (data) => {
              if (data.url.endsWith("/ask/get")) recorded(data.response.headers);
              return data;
            } } });
            const response = await fetch(api + "/ask/get");
            await response.text();
            return { id: response.headers.get("x-request-id"), recorded: await isRecorded };
            "#,
        );
        let id = ran["id"].as_str();
        assert_eq!(id.is_some(), exposed, "{ran}");
        assert_eq!(ran["recorded"]["x-request-id"].as_str(), id, "{ran}");
        assert!(ran["recorded"]["content-type"].is_string(), "{ran}");
    }
}

pub(crate) fn origin(page: &Site) -> HeaderValue {
    HeaderValue::from_str(&page.url).expect("an address is a header value")
}

/// The names in the preflight request.
#[track_caller]
fn preflight(api: &Site, method: &str, path: &str) -> String {
    let [preflight, request] = &api.seen(path)[..] else {
        panic!("a preflight and a request")
    };
    assert_eq!(preflight.method, "OPTIONS");
    assert_eq!(request.method, method);
    preflight
        .header("access-control-request-headers")
        .join(" and ")
}

/// One request with these headers, and the tracker's own if wanted.
fn asks(headers: &str, token: bool, credentials: &str) -> String {
    format!(
        r#"
        const id = (await start({{ network: {{ sessionTokenHeader: {token} }} }})).getSessionID();
        const asked = fetch(api + "/ask/other", {{ headers: {headers}, credentials: "{credentials}" }});
        return {{ id, answered: await asked.then((answer) => answer.ok, () => false) }};
        "#
    )
}

/// Runs the code in a page of `page`, where `api` is the address of the other; gives what it
/// returns, and the console.
pub(crate) fn in_page(page: &Site, api: &Site, code: &str) -> Value {
    let script = format!(
        "await page.goto(args.page); return page.evaluate(async (api) => {{ {TRACKER} {XHR} {code} }}, args.api);"
    );
    let ran = browser::run(&script, &json!({ "page": page.url, "api": api.url }));
    let mut value = ran.value;
    value["console"] = json!(ran.console);
    value
}
