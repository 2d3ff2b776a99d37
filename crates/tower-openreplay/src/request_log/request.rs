use std::{any::Any, fmt, sync::Arc, time::Instant};

use http::{
    HeaderName, HeaderValue, Method, Response, Uri,
    uri::{Authority, PathAndQuery},
};
use tower_http::classify::{GrpcEosErrorsAsFailures, GrpcFailureClass};
use tracing::{Level, Span, field};

use super::{
    options::Options,
    protocol::Outcome,
    route::{Route, uri_of},
};
use crate::{
    failure::Attached,
    record::{self, Event, Facts},
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An extension of logged requests, so that an inner `RequestLog` does not log them again.
#[derive(Clone, Copy)]
struct IsLogged;

/// A request that is logged, with the contents of its records.
pub(super) struct LoggedRequest {
    options: Arc<Options>,
    method: Method,
    address: Address,
    request_id: Option<HeaderValue>,
    route: Route,
    started: Instant,
    pub(super) span: Span,
}

impl LoggedRequest {
    /// Returns `None` if the options exclude the request, or if an outer `RequestLog` logs it.
    pub(super) fn new<B>(options: &Arc<Options>, request: &mut http::Request<B>) -> Option<Self> {
        let address = Address::of(uri_of(request));
        if options.excludes(address.path()) || request.extensions().get::<IsLogged>().is_some() {
            return None;
        }
        let mut logged = Self {
            options: Arc::clone(options),
            method: request.method().clone(),
            address,
            request_id: request.headers().get(X_REQUEST_ID).cloned(),
            route: Route::of(request),
            started: Instant::now(),
            span: Span::none(),
        };
        logged.span = record::span(&logged.facts());
        request.extensions_mut().insert(IsLogged);
        Some(logged)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            method: &self.method,
            path: self.address.path(),
            request_id: self.request_id.as_ref().and_then(|id| id.to_str().ok()),
            route: self.route.as_str(),
        }
    }

    /// Logs a response. Returns the classifier for its trailers, if they decide the outcome.
    pub(super) fn log_response<B>(
        &self,
        response: &Response<B>,
    ) -> Option<GrpcEosErrorsAsFailures> {
        let outcome = self.options.protocol.classify(response);
        let event = Event::Response(response.status());
        let attached = Attached::claim_for_request(response);
        let level = match (&outcome, &attached) {
            (Outcome::Failure(_), _) => Some(Level::ERROR),
            (_, Some(_)) => Some(Level::INFO),
            (_, None) => self.options.success,
        };
        match (level, &attached, &outcome) {
            (None, _, _) => {}
            (Some(level), Some(attached), _) => {
                self.log(level, event, Some(&attached.error()));
            }
            (Some(level), None, Outcome::Failure(Some(status))) => {
                self.log(level, event, Some(&field::display(Status(status))));
            }
            (Some(level), None, _) => self.log(level, event, None),
        }
        match outcome {
            Outcome::AtEnd(at_end) => Some(at_end),
            Outcome::Success | Outcome::Failure(_) => None,
        }
    }

    /// Logs the error that the service returned instead of a response.
    pub(super) fn log_error(&self, error: &(impl fmt::Display + 'static)) {
        self.log_unknown(Event::Failed, error);
    }

    /// Logs the error that the body returned.
    pub(super) fn log_body_error(&self, error: &(impl fmt::Display + 'static)) {
        self.log_unknown(Event::BodyFailed, error);
    }

    /// Logs the failure that the trailers report.
    pub(super) fn log_trailers(&self, status: &GrpcFailureClass) {
        let error = field::display(Status(status));
        self.log(Level::ERROR, Event::BodyFailed, Some(&error));
    }

    pub(super) fn log_cancelled(&self) {
        self.log(Level::WARN, Event::Cancelled, None);
    }

    fn log_unknown<E: fmt::Display + 'static>(&self, event: Event, error: &E) {
        let any: &dyn Any = error;
        match self.options.causes.find(any) {
            Some(error) => self.log(Level::ERROR, event, Some(&error)),
            None => self.log(Level::ERROR, event, Some(&field::display(error))),
        }
    }

    fn log(&self, level: Level, event: Event, error: Option<&dyn field::Value>) {
        record::request(level, &self.facts(), event, error, self.started.elapsed());
    }
}

/// The part of the URI that is logged, which is smaller than the whole URI.
enum Address {
    Path(PathAndQuery),
    /// The URI of a CONNECT request has an authority instead of a path.
    Authority(Authority),
    Empty,
}

impl Address {
    fn of(uri: &Uri) -> Self {
        match (uri.path_and_query(), uri.authority()) {
            (Some(path), _) => Self::Path(path.clone()),
            (None, Some(authority)) => Self::Authority(authority.clone()),
            (None, None) => Self::Empty,
        }
    }

    /// Returns the path or the authority. A query string and the user in an authority are omitted,
    /// since they may contain secrets.
    fn path(&self) -> &str {
        match self {
            Self::Path(path) => path.path(),
            Self::Authority(authority) => {
                let authority = authority.as_str();
                (authority.rsplit_once('@')).map_or(authority, |(_, host)| host)
            }
            Self::Empty => "",
        }
    }
}

// Not derived, because the query string and the user may contain secrets.
impl fmt::Debug for LoggedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedRequest")
            .field("method", &self.method)
            .field("path", &self.address.path())
            .finish_non_exhaustive()
    }
}

/// A gRPC failure that displays its code and message, without tower-http's prefix.
struct Status<'a>(&'a GrpcFailureClass);

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            GrpcFailureClass::Status(status) => status.fmt(f),
            other => other.fmt(f),
        }
    }
}
