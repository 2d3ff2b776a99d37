//! `POST /_bulk`: actions and records, line by line.

use std::borrow::Cow;
use std::time::Instant;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{Problem, no_index, shortened};
use super::{INDEX, is_ours};
use crate::batch::{Batch, new_id};
use crate::entry::{Outcome, Text};

/// The maximum length of a line with an action. The longest valid `_id` and index name take a third
/// of it if every byte is escaped, and a response can repeat an invalid one.
const LONGEST_ACTION: usize = 16 * 1024;

/// A request that was read. Its items are in the order of the request.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    pub(crate) batch: Batch,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    action: Action,
    id: Text,
    /// Why it is not in the batch.
    rejected: Option<Rejected>,
}

/// What a response has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseForm {
    Full,
    /// The items, with their status and their error, as `openreplay-elastic` requests them.
    ItemsOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Create,
    Index,
    Update,
    Delete,
}

#[derive(Debug)]
enum Rejected {
    Index(Box<str>),
    Action(Action),
    Member(&'static str),
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Index => "index",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What follows the name of an action.
#[derive(Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default, rename = "_index")]
    index: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "_id")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    pipeline: Option<&'a RawValue>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    if_seq_no: Option<&'a RawValue>,
}

impl Metadata<'_> {
    /// Returns a member that would change what is stored, and that this store does not have.
    fn unsupported(&self) -> Option<&'static str> {
        let no_pipeline = |raw: &&RawValue| raw.get() == r#""_none""#;
        if self.pipeline.is_some_and(|raw| !no_pipeline(&raw)) {
            return Some("pipeline");
        }
        let version = self.version.map(|_| "version");
        version.or(self.if_seq_no.map(|_| "if_seq_no"))
    }
}

impl Bulk {
    /// Reads a whole body; `index` is the one in the path.
    pub(crate) fn read(body: &Bytes, index: Option<&str>) -> Result<Self, Problem> {
        if body.trim_ascii().is_empty() {
            return Err(Problem::new(
                http::StatusCode::BAD_REQUEST,
                "parse_exception",
                "request body is required",
            ));
        }
        if !body.ends_with(b"\n") {
            return Err(Problem::illegal(
                r"The bulk request must be terminated by a newline [\n]",
            ));
        }
        let mut bulk = Self::default();
        let mut lines = Lines {
            body,
            start: 0,
            number: 0,
        };
        while let Some(line) = lines.next() {
            let number = lines.number;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let (action, metadata) = action(line, number)?;
            let source: &[u8] = match action {
                Action::Delete => &[],
                _ => lines.next().ok_or_else(|| {
                    Problem::illegal(format!("the action in line [{number}] has no record"))
                })?,
            };
            let id = metadata.id.and_then(|raw| text(raw, body));
            let id = id.unwrap_or_else(|| new_id().into());
            bulk.add(action, &metadata, id, index, body.slice_ref(source))?;
        }
        Ok(bulk)
    }

    fn add(
        &mut self,
        action: Action,
        metadata: &Metadata<'_>,
        id: Text,
        index: Option<&str>,
        source: Bytes,
    ) -> Result<(), Problem> {
        let index = metadata.index.as_deref().or(index).ok_or_else(|| {
            Problem::new(
                http::StatusCode::BAD_REQUEST,
                "action_request_validation_exception",
                "Validation Failed: 1: index is missing;",
            )
        })?;
        let rejected = match action {
            _ if !is_ours(index) => Some(Rejected::Index(shortened(index).into())),
            Action::Update | Action::Delete => Some(Rejected::Action(action)),
            Action::Create | Action::Index => metadata.unsupported().map(Rejected::Member),
        };
        if rejected.is_none() {
            self.batch
                .add(Some(id.clone()), source, action == Action::Index);
        }
        self.items.push(Item {
            action,
            id,
            rejected,
        });
        Ok(())
    }
}

impl Bulk {
    /// Takes the records, and leaves what is needed for the response.
    pub(crate) fn take_batch(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    /// Writes the response. `outcomes` are those of the batch, in its order.
    pub(crate) fn respond(
        self,
        outcomes: Vec<Outcome>,
        started: Instant,
        form: ResponseForm,
    ) -> Vec<u8> {
        let is_rejected = self.items.iter().any(|item| item.rejected.is_some());
        let is_error = |outcome| !matches!(outcome, &Outcome::Created | &Outcome::Unchanged);
        let errors = is_rejected || outcomes.iter().any(is_error);
        let mut response = Vec::with_capacity(self.items.len() * 128);
        if form == ResponseForm::ItemsOnly {
            response.push(b'{');
        } else {
            let took = started.elapsed().as_millis();
            response.extend(format!(r#"{{"errors":{errors},"took":{took},"#).into_bytes());
        }
        response.extend(br#""items":["#);
        let mut outcomes = outcomes.into_iter();
        for (nth, item) in self.items.into_iter().enumerate() {
            if nth > 0 {
                response.push(b',');
            }
            item.result(&mut outcomes)
                .write(&mut response, item.action, item.id.as_str(), form);
        }
        response.extend(b"]}");
        response
    }
}

impl Item {
    /// What its response says. `outcomes` are those of the items in the batch from this one on.
    fn result(&self, outcomes: &mut impl Iterator<Item = Outcome>) -> ItemResult {
        match &self.rejected {
            Some(Rejected::Index(name)) => {
                ItemResult::error(404, "index_not_found_exception", no_index(name))
            }
            Some(Rejected::Action(action)) => ItemResult::rejected(*action),
            Some(Rejected::Member(name)) => {
                let reason = format!("this store has no [{name}]");
                ItemResult::error(400, "illegal_argument_exception", reason)
            }
            None => outcomes.next().map_or_else(ItemResult::lost, |outcome| {
                ItemResult::of(&outcome, self.id.as_str())
            }),
        }
    }
}

/// What one item's response says.
struct ItemResult {
    status: u16,
    result: Option<&'static str>,
    error: Option<(&'static str, String)>,
}

impl ItemResult {
    fn stored(status: u16, result: &'static str) -> Self {
        Self {
            status,
            result: Some(result),
            error: None,
        }
    }

    fn error(status: u16, name: &'static str, reason: impl Into<String>) -> Self {
        Self {
            status,
            result: None,
            error: Some((name, reason.into())),
        }
    }

    fn rejected(action: Action) -> Self {
        let reason = format!(
            "this store only adds records: use [create] instead of [{}]",
            action.name()
        );
        Self::error(400, "illegal_argument_exception", reason)
    }

    /// The store closed before it was done.
    fn lost() -> Self {
        Self::error(503, "unavailable_shards_exception", "the store is closed")
    }

    fn of(outcome: &Outcome, id: &str) -> Self {
        match outcome {
            Outcome::Created => Self::stored(201, "created"),
            Outcome::Unchanged => Self::stored(200, "noop"),
            Outcome::Exists => {
                let reason = format!("[{id}]: version conflict, document already exists");
                Self::error(409, "version_conflict_engine_exception", reason)
            }
            // clients reject a record with this error, and retry it with most others
            Outcome::Rejected(why) => {
                Self::error(400, "document_parsing_exception", why.to_string())
            }
            Outcome::Failed(error) if error.is_full() => {
                let reason = format!("index [{INDEX}] blocked: {error}");
                Self::error(429, "cluster_block_exception", reason)
            }
            Outcome::Failed(error) => {
                Self::error(503, "unavailable_shards_exception", error.to_string())
            }
        }
    }

    fn write(&self, to: &mut Vec<u8>, action: Action, id: &str, form: ResponseForm) {
        let mut add = |texts: &[&str]| texts.iter().for_each(|text| to.extend(text.as_bytes()));
        add(&["{\"", action.name(), "\":{\"_index\":\"", INDEX, "\""]);
        if form == ResponseForm::Full {
            add(&[",\"_id\":", &json_text(id)]);
            if let Some(result) = self.result {
                add(&[",\"_version\":1,\"result\":\"", result, "\""]);
            }
        }
        add(&[",\"status\":", &self.status.to_string()]);
        if let Some((name, reason)) = &self.error {
            let reason = json_text(reason);
            add(&[
                ",\"error\":{\"type\":\"",
                name,
                "\",\"reason\":",
                &reason,
                "}",
            ]);
        }
        add(&["}}"]);
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The lines of a body.
struct Lines<'a> {
    body: &'a [u8],
    start: usize,
    /// Of the last line, counted from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.body[self.start..];
        let length = memchr::memchr(b'\n', rest)?;
        let line = &rest[..length];
        self.start += length + 1;
        self.number += 1;
        Some(line)
    }
}

fn action(line: &[u8], number: usize) -> Result<(Action, Metadata<'_>), Problem> {
    let malformed =
        |why: &str| Problem::illegal(format!("Malformed action/metadata line [{number}]: {why}"));
    if line.len() > LONGEST_ACTION {
        return Err(malformed(&format!(
            "it is longer than {LONGEST_ACTION} bytes, the limit of this store"
        )));
    }
    let action: ActionLine<'_> =
        serde_json::from_slice(line).map_err(|error| malformed(&error.to_string()))?;
    let ActionLine {
        create,
        index,
        update,
        delete,
    } = action;
    let named = [
        (Action::Create, create),
        (Action::Index, index),
        (Action::Update, update),
        (Action::Delete, delete),
    ];
    let mut named = named
        .into_iter()
        .filter_map(|(action, data)| Some((action, data?)));
    match (named.next(), named.next()) {
        (Some((_, metadata)), None) if metadata.id.is_some_and(is_nested) => {
            Err(malformed("expected a simple value for field [_id]"))
        }
        (Some(one), None) => Ok(one),
        _ => Err(malformed(
            "expected one of [create], [index], [update] and [delete]",
        )),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionLine<'a> {
    #[serde(borrow)]
    create: Option<Metadata<'a>>,
    #[serde(borrow)]
    index: Option<Metadata<'a>>,
    #[serde(borrow)]
    update: Option<Metadata<'a>>,
    #[serde(borrow)]
    delete: Option<Metadata<'a>>,
}

fn is_nested(raw: &RawValue) -> bool {
    raw.get().starts_with(['{', '['])
}

/// An `_id` as text: Elasticsearch takes numbers for texts, too.
fn text(raw: &RawValue, body: &Bytes) -> Option<Text> {
    let part = |part: &str| Text::new(body.slice_ref(part.as_bytes()));
    match raw.get() {
        "null" => None,
        text if !text.starts_with('"') => part(text),
        text if !text.contains('\\') => part(text.trim_matches('"')),
        text => serde_json::from_str::<String>(text).ok().map(Text::from),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// An action, or nearly one, and the line that follows.
    fn pair() -> impl Strategy<Value = (String, String)> {
        let action = prop_oneof![
            4 => r#"\{"(create|index)":\{("_id":("[a-z\\"]?x"|7|null))?\}\}"#,
            1 => r#"\{"(update|delete)":\{"_index":"(logs|other)","_id":"1"\}\}"#,
            1 => r#"\{("create":(\{\}|1|\{"_index":"é"\})|"index":\{\}|,){0,3}\}"#,
            1 => "[!-~]{1,9}",
        ];
        (action, r#"\{"level":"info"\}|\{|.{0,5}| "#)
    }

    proptest! {
        #[test]
        fn each_action_of_a_request_has_its_own_result(
            pairs in prop::collection::vec(pair(), 1..6),
            form in prop_oneof![Just(ResponseForm::Full), Just(ResponseForm::ItemsOnly)],
            is_cut in prop::bool::weighted(0.1),
        ) {
            let mut body = String::new();
            for (action, source) in &pairs {
                body.push_str(&format!("{action}\n"));
                if !action.contains("delete") {
                    body.push_str(&format!("{source}\n"));
                }
            }
            if is_cut {
                body.pop();
            }
            if let Ok(mut bulk) = Bulk::read(&Bytes::from(body), Some("logs")) {
                prop_assert!(!is_cut);
                let records = bulk.take_batch().len();
                let outcomes = vec![Outcome::Created; records];
                let response = bulk.respond(outcomes, Instant::now(), form);
                let response: Value = serde_json::from_slice(&response).unwrap();
                let items = response["items"].as_array().unwrap();
                prop_assert_eq!(items.len(), pairs.len());
                let stored = items.iter().filter(|item| item["create"]["status"] == 201 || item["index"]["status"] == 201);
                prop_assert_eq!(stored.count(), records);
                for (item, (action, _)) in items.iter().zip(&pairs) {
                    let sent: Value = serde_json::from_str(action).unwrap();
                    let name = sent.as_object().unwrap().keys().next().unwrap();
                    let result = &item[name];
                    prop_assert_eq!(result["error"].is_null(), result["status"] == 201, "{}", item);
                    let id = match &sent[name]["_id"] {
                        Value::Number(number) => Some(number.to_string()),
                        id => id.as_str().map(str::to_owned),
                    };
                    if let Some(id) = id.filter(|_| form == ResponseForm::Full) {
                        prop_assert_eq!(result["_id"].as_str(), Some(&*id));
                    }
                }
                if form == ResponseForm::Full {
                    prop_assert_eq!(response["errors"].as_bool(), Some(records < pairs.len()));
                }
            }
        }
    }
}
