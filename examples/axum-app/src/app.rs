//! The app and its layers.

use std::{any::Any, time::Duration};

use axum::{Router, extract::Request};
use openreplay_elastic::Client;
use tower_http::{
    catch_panic::CatchPanicLayer, classify::ServerErrorsFailureClass, trace::TraceLayer,
};
use tower_openreplay::SessionLayer;
use tracing::Span;

use crate::{error, page, records, routes, settings::Settings, tail::Tail};

/// The whole app: what is asked under `/api`, and the page that asks it.
///
/// A layer added later stands further out, so read upwards from the last:
///
/// 1. `SessionLayer`, outermost: everything further in runs, and logs, in the session of its request. The query
///    parameter is for `EventSource`, which cannot set a header.
/// 2. `CatchPanicLayer` turns a panic into an answer. It logs nothing: the panic hook has already written the record,
///    at the place of the panic. It stands outside `TraceLayer`, which would log its 500 once more.
/// 3. `TraceLayer` opens a span for the request, and logs each 5xx once.
///
/// The page's own requests have no `TraceLayer`, or looking at the log would write to it.
pub(crate) fn app(settings: &Settings, tail: Tail, elasticsearch: Option<Client>) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(request_span)
        .on_response(error::log_server_error)
        .on_failure(log_broken_body);

    routes::api()
        .layer(trace)
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
            error::internal_server_error()
        }))
        .merge(page::routes(settings))
        .merge(records::routes(tail, elasticsearch))
        .layer(SessionLayer::new().with_query_parameter("openReplaySession.id"))
}

/// Every record of the request carries this span: what was asked for.
fn request_span(request: &Request) -> Span {
    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
}

/// An answer that had begun and then failed. A 5xx is logged as an answer, by `error::log_server_error`.
fn log_broken_body(failure: ServerErrorsFailureClass, _after: Duration, _span: &Span) {
    if let ServerErrorsFailureClass::Error(reason) = failure {
        tracing::error!("Error: the answer broke off: {reason}");
    }
}
