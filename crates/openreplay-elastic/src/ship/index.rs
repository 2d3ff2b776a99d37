//! The index that records go to.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};

use super::Shipper;
use super::position::IndexName;
use crate::bulk::{self, Events as _};
use crate::topic;
use crate::transport::error::Error;
use crate::transport::kind::{ErrorKind, Precondition};

/// How long the index behind the alias is taken for known.
const KEPT: Duration = Duration::from_secs(1);

/// How long to wait after a response that names an impossible index.
const MISNAMED: Duration = Duration::from_secs(5);

impl Shipper {
    /// The index behind the alias, asked for again and again until there is an answer.
    pub(super) async fn index(&mut self) -> IndexName {
        if let Some((index, asked)) = &self.index
            && asked.elapsed() < KEPT
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
                        let text = format!("a response names {why}; trying again");
                        self.counts.report(topic::RESPONSE, &text);
                        tokio::time::sleep(MISNAMED).await;
                    }
                },
                Err(unknown) => {
                    attempts += 1;
                    bulk::report_unknown(&unknown, self.target.alias(), &*self.counts);
                    let pause = bulk::pause(attempts, unknown.retry, fastrand::f64());
                    tokio::time::sleep(pause.whole).await;
                }
            }
        }
    }

    /// Fails where somebody has to do something about it first.
    pub(super) async fn can_write(&self) -> Result<(), Error> {
        let asked = self.client.request(Method::HEAD, "/", Bytes::new()).await;
        if let Err(error) = asked
            && (error.is_connect() || error.is_timeout())
        {
            return Err(error);
        }
        let Err(unknown) = self.target.write_index().await else {
            return Ok(());
        };
        let status = unknown.status.and_then(|code| code.try_into().ok());
        match status {
            Some(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
                let text = format!(
                    "{}: it takes an API key that may add records: `openreplay-elastic api-key --writer`",
                    unknown.text
                );
                Err(Error::new(ErrorKind::Status(status), text))
            }
            Some(StatusCode::NOT_FOUND) => Err(Error::unmet(
                Precondition::NoLogs,
                "there is no alias `logs`: run `openreplay-elastic setup`",
            )),
            _ => Ok(()),
        }
    }
}
