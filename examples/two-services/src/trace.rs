//! One trace through the three services: W3C Trace Context in the requests between them.

use std::task::{Context as Poller, Poll};

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector},
    trace::TracerProvider as _,
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter},
};
use tower::{Layer, Service, layer::layer_fn};

/// Starts the trace's part in this service: each span becomes a line on stderr once it ends.
pub(crate) fn tracer(service: &'static str) -> SdkTracer {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().with_simple_exporter(Stderr);
    provider.build().tracer(service)
}

/// Prints spans, where an app would send them to its tracing backend with `opentelemetry-otlp`.
#[derive(Debug)]
struct Stderr;

impl SpanExporter for Stderr {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        for span in spans {
            let (trace, id) = (span.span_context.trace_id(), span.span_context.span_id());
            let (name, parent) = (span.name, span.parent_span_id);
            eprintln!("span {name} trace.id={trace} span.id={id} parent.id={parent}");
        }
        Ok(())
    }
}

/// Puts the current span into a request's headers, for the next service.
pub fn with_trace<B>(mut request: Request<B>) -> Request<B> {
    let mut headers = Headers(request.headers_mut());
    global::get_text_map_propagator(|propagator| propagator.inject(&mut headers));
    request
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Returns a layer that makes the span named in a request's headers the parent of the span that
/// `RequestLogLayer`, which must be inside, creates.
pub fn from_headers<S>() -> impl Layer<S, Service = FromHeaders<S>> + Clone {
    layer_fn(|inner| FromHeaders { inner })
}

/// The service of [`from_headers`].
#[derive(Clone, Debug)]
pub struct FromHeaders<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for FromHeaders<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Poller<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let headers = Headers(request.headers_mut());
        let parent: Context = global::get_text_map_propagator(|known| known.extract(&headers));
        // the span is created in `call`; a client outside of our network could name any
        let _current = parent.attach();
        self.inner.call(request)
    }
}
