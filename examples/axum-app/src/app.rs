//! The app and its layers.

use std::any::Any;

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use tower_http::catch_panic::CatchPanicLayer;
use tower_openreplay::{RequestLogLayer, SessionLayer};

use crate::{kept::Kept, page, records, routes, settings::Tracker};

/// The whole app: the routes under `/api`, the page that requests them, and OpenReplay's way to the
/// records.
///
/// A layer added later stands further out, so read upwards from the last:
///
/// 1. `SessionLayer`, outermost: everything further in runs, and logs, in the session of its
///    request. The query parameter is for `EventSource`, which cannot set a header.
/// 2. `CatchPanicLayer` turns a panic into a response. It logs nothing: the panic hook has already
///    written the record, with the place of the panic. Inside `RequestLogLayer` it would leave a
///    second record, for its response.
/// 3. `RequestLogLayer` keeps a span around the request and logs it once; a failure with its error.
///
/// Requests of the page itself and of OpenReplay are not logged, or reading the log would write to
/// it.
pub(crate) fn app(tracker: Option<&Tracker>, kept: Kept) -> Router {
    routes::api()
        .layer(RequestLogLayer::new())
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| panicked()))
        .merge(page::routes(tracker))
        .merge(openreplay(&kept))
        .merge(records::routes(kept))
        .layer(SessionLayer::new().with_query_parameter("openReplaySession.id"))
}

/// The store under `/openreplay`, which OpenReplay queries as if it were Elasticsearch.
fn openreplay(kept: &Kept) -> Router {
    match kept {
        Kept::Store { store, keys } => {
            Router::new().nest_service("/openreplay", store.service(keys.clone()))
        }
        // OpenReplay queries that one directly
        Kept::Elasticsearch(_) => Router::new(),
    }
}

fn panicked() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}
