//! `POST /{index}/_search`: the two searches that OpenReplay sends, and no others.

use std::time::Instant;

use openreplay_record::sessions_of;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::INDEX;
use super::body::LONGEST_RESPONSE;
use super::error::Problem;
use super::source::greeting;
use crate::error::Error;
use crate::query::Record;
use crate::room::Room;
use crate::store::Store;

/// Elasticsearch returns at most so many hits (`index.max_result_window`), and ten by default.
const MOST: usize = 10_000;
const DEFAULT: usize = 10;

pub(crate) const SUPPORTED: &str = r#"this store supports two searches: {"size":1} and {"size":1000,"query":{"match_phrase":{"message":"openReplaySession.id=<id>"}}}"#;

/// What a search requests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Search {
    size: usize,
    /// The session to search for, or `None` for any record.
    session: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    size: Option<usize>,
    query: Option<Query>,
    #[serde(default, rename = "track_total_hits")]
    _track_total_hits: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    match_phrase: MatchPhrase,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchPhrase {
    message: String,
}

impl Search {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Problem> {
        let body: Body = match body.trim_ascii() {
            [] => Body {
                size: None,
                query: None,
                _track_total_hits: None,
            },
            body => serde_json::from_slice(body)
                .map_err(|error| Problem::parsing(format!("{error}; {SUPPORTED}")))?,
        };
        let size = body.size.unwrap_or(DEFAULT);
        if size > MOST {
            return Err(Problem::illegal(format!(
                "Result window is too large, size must be less than or equal to: [{MOST}] but was [{size}]"
            )));
        }
        let session = body
            .query
            .map(|query| session(&query.match_phrase.message))
            .transpose()?;
        Ok(Self { size, session })
    }

    /// Searches, and writes the response.
    pub(crate) fn run(&self, store: &Store) -> Result<Vec<u8>, Error> {
        self.run_within(store, LONGEST_RESPONSE)
    }

    fn run_within(&self, store: &Store, bytes: usize) -> Result<Vec<u8>, Error> {
        let started = Instant::now();
        let room = Room {
            records: self.size,
            bytes,
        };
        let (records, total) = match self.session {
            Some(session) => {
                let id = session.into();
                let records = store.session_within(&id, room)?;
                let total = if is_left(room, &records) {
                    records.len() as u64
                } else {
                    store.count(&id)?
                };
                (records, total)
            }
            None => match store.total() {
                // "Add" fails where nothing is found, and stores a row for it all the same
                0 if self.size > 0 => (vec![greeting()], 1),
                total => (store.sample_within(room)?, total),
            },
        };
        let took = started.elapsed().as_millis();
        Ok(respond(records, total, took))
    }
}

fn is_left(mut room: Room, records: &[Record]) -> bool {
    for record in records {
        room.take(record.line.len());
    }
    room.is_left()
}

/// Writes a response. Each record is dropped once it is written, so that it is not held twice.
fn respond(records: Vec<Record>, total: u64, took: u128) -> Vec<u8> {
    let max_score = if records.is_empty() { "null" } else { "1.0" };
    let shards = r#"{"total":1,"successful":1,"skipped":0,"failed":0}"#;
    let head = format!(
        r#"{{"took":{took},"timed_out":false,"_shards":{shards},"hits":{{"total":{{"value":{total},"relation":"eq"}},"max_score":{max_score},"hits":["#
    );
    let mut response = head.into_bytes();
    for (nth, record) in records.into_iter().enumerate() {
        if nth > 0 {
            response.push(b',');
        }
        let hit = Hit {
            index: INDEX,
            id: &record.id,
            score: 1.0,
            source: RawValue::from_string(record.to_source()).unwrap_or_default(),
        };
        // writing to memory does not fail
        let _ = serde_json::to_writer(&mut response, &hit);
    }
    response.extend(b"]}}");
    response
}

/// The session in the phrase that OpenReplay searches for.
fn session(phrase: &str) -> Result<u64, Problem> {
    let mut sessions = sessions_of(phrase);
    match (sessions.next(), sessions.next()) {
        (Some(id), None) if phrase == format!("openReplaySession.id={id}") => Ok(id),
        _ => Err(Problem::illegal(SUPPORTED)),
    }
}

#[derive(Serialize)]
struct Hit<'a> {
    #[serde(rename = "_index")]
    index: &'static str,
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(rename = "_score")]
    score: f32,
    #[serde(rename = "_source")]
    source: Box<RawValue>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_response_ends_with_the_record_that_reaches_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        // those of the second session refer to the text of the first
        let message = "openReplaySession.id=7 openReplaySession.id=8";
        let mut batch = crate::Batch::new();
        for id in ["a", "b", "c", "d", "e"] {
            let line = json!({"message": message, "level": "info"});
            batch.create(Some(id), line.to_string());
        }
        store.write(batch).unwrap();
        finds_four_of_five(&store);
        // closing the store moves pending records to their place
        drop(store);
        finds_four_of_five(&Store::open(folder.path()).unwrap());
    }

    fn finds_four_of_five(store: &Store) {
        for session in [Some(7), Some(8), None] {
            let search = Search { size: 10, session };
            let response = search.run_within(store, 250).unwrap();
            let response: Value = serde_json::from_slice(&response).unwrap();
            let hits = response["hits"]["hits"].as_array().unwrap();
            let ids: Vec<_> = hits
                .iter()
                .map(|hit| hit["_id"].as_str().unwrap())
                .collect();
            assert_eq!(ids, ["a", "b", "c", "d"], "{session:?}");
            assert_eq!(response["hits"]["total"]["value"], 5);
        }
    }

    const EDIT: &str =
        r#"|[{}\[\]",:0-9a-z ]|null|"size":3,|"sort":1,|\\u006d|openReplaySession\.id=7|=| "#;

    proptest! {
        /// Whatever is close to the searches that OpenReplay sends is one of them, or rejected:
        /// what a search asks for beyond them is never ignored.
        #[test]
        fn a_search_that_is_run_is_one_that_openreplay_sends(
            size in prop_oneof![Just(1_000), 0..20_000_usize],
            session in any::<u64>(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_usize, EDIT), 0..3),
        ) {
            let phrase = format!("openReplaySession.id={session}");
            let query = json!({"size": size, "query": {"match_phrase": {"message": phrase}}});
            let mut body = query.to_string();
            for (at, length, edit) in edits {
                let at = at.index(body.len() + 1);
                body.replace_range(at..body.len().min(at + length), &edit);
            }
            if let Ok(search) = Search::read(body.as_bytes()) {
                let read: Value = serde_json::from_str(&body).unwrap_or_else(|_| json!({}));
                let mut expected = json!({});
                if let Some(size) = read.get("size") {
                    prop_assert!(size.is_null() || *size == json!(search.size));
                    expected["size"] = size.clone();
                }
                if let Some(query) = read.get("query") {
                    let phrase = search.session.map(|id| format!("openReplaySession.id={id}"));
                    expected["query"] = match phrase {
                        Some(phrase) => json!({"match_phrase": {"message": phrase}}),
                        None => Value::Null,
                    };
                    prop_assert_eq!(query.is_null(), search.session.is_none());
                }
                prop_assert_eq!(read, expected, "{}", body);
                prop_assert!(search.size <= MOST);
            }
        }
    }
}
