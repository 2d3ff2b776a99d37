//! The app and its layers.

use std::any::Any;

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use openreplay_elastic::Client;
use tower_http::catch_panic::CatchPanicLayer;
use tower_openreplay::{RequestLogLayer, SessionLayer};

use crate::{page, records, routes, settings::Settings, tail::Tail};

/// The whole app: the routes under `/api`, and the page that requests them.
///
/// A layer added later stands further out, so read upwards from the last:
///
/// 1. `SessionLayer`, outermost: everything further in runs, and logs, in the session of its request. The query
///    parameter is for `EventSource`, which cannot set a header.
/// 2. `CatchPanicLayer` turns a panic into a response. It logs nothing: the panic hook has already written the record,
///    with the place of the panic. Inside `RequestLogLayer` it would leave a second record, for its response.
/// 3. `RequestLogLayer` keeps a span around the request and logs it once; a failure with its error.
///
/// The page's own requests are not logged, or looking at the log would write to it.
pub(crate) fn app(settings: &Settings, tail: Tail, elasticsearch: Option<Client>) -> Router {
    routes::api()
        .layer(RequestLogLayer::new())
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| panicked()))
        .merge(page::routes(settings))
        .merge(records::routes(tail, elasticsearch))
        .layer(SessionLayer::new().with_query_parameter("openReplaySession.id"))
}

fn panicked() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}
