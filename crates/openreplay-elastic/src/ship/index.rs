//! The index that records go to.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};

use super::Shipper;
use super::position::IndexName;
use crate::bulk::{self, FailureKind, Observer as _};
use crate::topic;
use crate::transport::error::Error;
use crate::transport::kind::{ErrorKind, Precondition};

/// How long the index behind the alias is cached.
const KEPT: Duration = Duration::from_secs(1);

/// How long to wait after a response with an invalid index name.
const MISNAMED: Duration = Duration::from_secs(5);

impl Shipper {
    /// Returns the index behind the alias. Repeats the request until it succeeds.
    pub(super) async fn index(&mut self) -> IndexName {
        if let Some((index, requested)) = &self.index
            && requested.elapsed() < KEPT
        {
            return index.clone();
        }
        let mut attempts = 0;
        loop {
            match self.target.write_index().await {
                Ok(name) => match IndexName::try_from(name) {
                    Ok(index) => {
                        self.counts.works();
                        self.index = Some((index.clone(), Instant::now()));
                        return index;
                    }
                    Err(why) => {
                        let text = format!("a response contains {why}; retrying");
                        self.counts.report(topic::RESPONSE, &text);
                        tokio::time::sleep(MISNAMED).await;
                    }
                },
                Err(error) => {
                    attempts += 1;
                    bulk::report_query_failed(&error, &*self.counts);
                    let delay = bulk::delay(attempts, error.retry, fastrand::f64());
                    tokio::time::sleep(delay.full).await;
                }
            }
        }
    }

    /// Fails if an operator must fix something before records can be written.
    pub(super) async fn require_writable(&self) -> Result<(), Error> {
        let response = self.client.request(Method::HEAD, "/", Bytes::new()).await;
        if let Err(error) = response
            && (error.is_connect() || error.is_timeout())
        {
            return Err(error);
        }
        let Err(error) = self.target.query_write_index().await else {
            return Ok(());
        };
        if error.failure == Some(FailureKind::Missing) {
            return Err(Error::unmet(
                Precondition::NoLogs,
                "the alias `logs` is missing; run `openreplay-elastic setup`",
            ));
        }
        let status = error.status.and_then(|code| code.try_into().ok());
        let remedy = match status {
            Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let data = if self.target.is_store().await {
                    "--data DIR "
                } else {
                    ""
                };
                format!(
                    "; create an API key that may add records with `openreplay-elastic api-key {data}--writer`"
                )
            }
            // The text says to check the address.
            Some(StatusCode::NOT_FOUND) => String::new(),
            _ => return Ok(()),
        };
        let text = format!("{}{remedy}", error.text);
        Err(status.map_or_else(
            || Error::new(ErrorKind::UnexpectedResponse, text.as_str()),
            |status| Error::new(ErrorKind::Status(status), text.as_str()),
        ))
    }
}
