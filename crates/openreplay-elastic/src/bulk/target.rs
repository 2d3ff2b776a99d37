use bytes::Bytes;
use http::Method;

use super::answer::{self, FILTER};
use crate::client::{Answer, Body, Encoding};
use crate::retry::{self, Again, Decision, ItemDecision, Pace};
use crate::{Client, Error};

/// The alias that records go to, and the indices behind it.
///
/// All of it works with the privilege `create_doc` alone, which cannot even ask for an alias. So the questions are put
/// as documents that cannot be stored.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    client: Client,
    alias: String,
}

/// Why a question has no answer yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) again: Again,
    pub(crate) status: Option<u16>,
    pub(crate) text: String,
}

impl Target {
    pub(crate) fn new(client: Client, alias: impl Into<String>) -> Self {
        Self {
            client,
            alias: alias.into(),
        }
    }

    pub(crate) fn alias(&self) -> &str {
        &self.alias
    }

    /// Sends framed records: to the alias, which has to be one, or to an index.
    pub(crate) async fn send(
        &self,
        index: Option<&str>,
        body: impl Into<Body>,
        encoding: Encoding,
    ) -> Result<Answer, Error> {
        let path = match index {
            None => format!("/{}/_bulk?require_alias=true&{FILTER}", self.alias),
            Some(index) => format!("/{index}/_bulk?{FILTER}"),
        };
        self.client.send(Method::POST, &path, body, encoding).await
    }

    /// The index that the alias leads new records to.
    ///
    /// Asked with a document that is none: the refusal names the index.
    pub(crate) async fn write_index(&self) -> Result<String, Unknown> {
        let question = Bytes::from_static(b"{\"create\":{}}\n\"which index is this?\"\n");
        let (status, index) = self.ask(None, question).await?;
        match retry::after_item(status, retry::OWN_FAULTS) {
            ItemDecision::Refused if !index.is_empty() => Ok(index),
            ItemDecision::Again(pace) => Err(Unknown::item(status, pace)),
            ItemDecision::Refused | ItemDecision::Stored => Err(Unknown::item(status, Pace::Slow)),
        }
    }

    /// Whether an index holds a document of this `_id`; `None` where these credentials may not ask, or there is no
    /// such index.
    ///
    /// Asked with a document whose routing is too long for the index: an `_id` that is taken is told first (409), the
    /// routing else (400). Nothing is stored either way.
    pub(crate) async fn holds(&self, index: &str, id: &str) -> Result<Option<bool>, Unknown> {
        let routing = "r".repeat(33_000);
        let question =
            format!("{{\"create\":{{\"_id\":\"{id}\",\"routing\":\"{routing}\"}}}}\n{{}}\n");
        let (status, _) = self.ask(Some(index), Bytes::from(question)).await?;
        match status {
            409 => Ok(Some(true)),
            400 => Ok(Some(false)),
            401 | 403 | 404 => Ok(None),
            _ => Err(Unknown::item(status, Pace::Soon)),
        }
    }

    async fn ask(&self, index: Option<&str>, question: Bytes) -> Result<(u16, String), Unknown> {
        let answer = match self.send(index, question, Encoding::Lines).await {
            Ok(answer) => answer,
            Err(error) => return Err(Unknown::error(&error)),
        };
        match retry::after_answer(answer.status(), answer.headers()) {
            Decision::Read => match answer::read(answer.body(), 1).as_deref() {
                Some([item]) => Ok((item.status, item.index.clone().into_owned())),
                _ => Err(Unknown::answer(&answer, Pace::Soon.into())),
            },
            Decision::Halve => Err(Unknown::answer(&answer, Pace::Slow.into())),
            Decision::Again(again) => Err(Unknown::answer(&answer, again)),
        }
    }
}

impl Unknown {
    fn item(status: u16, pace: Pace) -> Self {
        Self {
            again: pace.into(),
            status: Some(status),
            text: format!("Elasticsearch answered {status}"),
        }
    }

    fn error(error: &Error) -> Self {
        Self {
            again: Pace::Soon.into(),
            status: None,
            text: error.to_string(),
        }
    }

    fn answer(answer: &Answer, again: Again) -> Self {
        let text = match answer.clone().ok() {
            Err(error) => error.to_string(),
            Ok(_) => "the answer is not what Elasticsearch answers".to_owned(),
        };
        Self {
            again,
            status: Some(answer.status().as_u16()),
            text,
        }
    }
}
