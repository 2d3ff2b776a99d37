use http::{HeaderMap, Response};
use tower_http::classify::{
    ClassifiedResponse, ClassifyEos as _, ClassifyResponse as _, GrpcCode, GrpcEosErrorsAsFailures,
    GrpcErrorsAsFailures, GrpcFailureClass, ServerErrorsAsFailures,
};

/// The protocol, which decides whether a response is a failure.
#[derive(Clone, Debug)]
pub(super) enum Protocol {
    Http,
    Grpc(GrpcErrorsAsFailures),
}

/// The outcome of a request, according to the head of its response.
pub(super) enum Outcome {
    Success,
    /// A failure, with the gRPC status if it has one.
    Failure(Option<GrpcFailureClass>),
    /// The trailers decide.
    AtEnd(GrpcEosErrorsAsFailures),
}

impl Protocol {
    pub(super) fn grpc() -> Self {
        Self::Grpc(GrpcErrorsAsFailures::new())
    }

    pub(super) fn add_success_codes(&mut self, codes: impl IntoIterator<Item = GrpcCode>) {
        if let Self::Grpc(classifier) = self {
            *classifier = codes
                .into_iter()
                .fold(classifier.clone(), GrpcErrorsAsFailures::with_success);
        }
    }

    pub(super) fn classify<B>(&self, response: &Response<B>) -> Outcome {
        let http = ServerErrorsAsFailures::new().classify_response(response);
        if let ClassifiedResponse::Ready(Err(_)) = http {
            return Outcome::Failure(None);
        }
        match self {
            Self::Http => Outcome::Success,
            Self::Grpc(classifier) => match classifier.clone().classify_response(response) {
                ClassifiedResponse::Ready(Ok(())) => Outcome::Success,
                ClassifiedResponse::Ready(Err(class)) => Outcome::Failure(Some(class)),
                ClassifiedResponse::RequiresEos(at_end) => Outcome::AtEnd(at_end),
            },
        }
    }
}

/// Returns the failure that the trailers report, if any.
pub(super) fn failure_in(
    trailers: &HeaderMap,
    at_end: GrpcEosErrorsAsFailures,
) -> Option<GrpcFailureClass> {
    at_end.classify_eos(Some(trailers)).err()
}
