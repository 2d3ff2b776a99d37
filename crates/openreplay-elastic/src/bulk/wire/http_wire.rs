use std::time::Duration;

use bytes::Bytes;
use openreplay_record::causes::WithCauses;

use super::gzip::Gzip;
use super::{FailureKind, NoResponse, Presence, QueryError, Response, Target, Wire, retry_after};
use crate::transport::client::{self, Body, Encoding};
use crate::transport::error::Error;

/// Elasticsearch, over HTTP.
#[derive(Debug)]
pub(crate) struct HttpWire {
    target: Target,
    gzip: Option<Gzip>,
}

impl HttpWire {
    /// Compresses what it sends at a level of 1 to 9, if there is one.
    pub(crate) fn new(target: Target, gzip: Option<u32>) -> Self {
        Self {
            target,
            gzip: gzip.map(Gzip::new),
        }
    }
}

impl Wire for HttpWire {
    fn timeout(&self) -> Duration {
        self.target.timeout()
    }

    async fn send(&mut self, index: Option<&str>, body: Vec<Bytes>) -> Response {
        let (body, encoding): (Body, _) = match &mut self.gzip {
            Some(gzip) => (gzip.compress(&body).into(), Encoding::GzippedLines),
            None => (body.into(), Encoding::Lines),
        };
        match self.target.send(index, body, encoding).await {
            Ok(response) if response.status().as_u16() == 200 => {
                Response::Body(response.body().clone())
            }
            Ok(response) => failed(response),
            Err(error) => Response::None {
                kind: match &error {
                    error if error.is_connect() => NoResponse::NotSent,
                    error if error.is_timeout() => NoResponse::TimedOut,
                    _ => NoResponse::Lost,
                },
                why: WithCauses(&error).to_string(),
            },
        }
    }

    async fn write_index(&self) -> Result<String, QueryError> {
        self.target.write_index().await
    }

    async fn has_index(&self, index: &str) -> Result<bool, QueryError> {
        self.target.has_index(index).await
    }

    async fn holds(&self, index: &str, id: &str) -> Result<Presence, QueryError> {
        self.target.holds(index, id).await
    }
}

fn failed(response: client::Response) -> Response {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let error = response.ok().err();
    let name = error.as_ref().and_then(Error::error_type);
    Response::Failed {
        kind: FailureKind::of(status, name),
        retry_after,
        why: error.map_or_else(String::new, |error| error.to_string()),
    }
}
