//! The documents, and `_bulk` over them.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::fault::Fault;

pub(super) type Predicate = Box<dyn Fn(&Value) -> bool + Send>;

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a test"
)]
pub(super) struct State {
    /// The index that the alias leads to.
    pub(super) write_index: Option<String>,
    pub(super) indices: BTreeMap<String, BTreeMap<String, Value>>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) longest_body: Option<usize>,
    /// The status, and for which documents.
    pub(super) rejects: Option<(u16, Predicate)>,
    pub(super) authorization: Option<String>,
    pub(super) alias_only: bool,
    /// The result of every item that goes to the alias: status, type and reason.
    pub(super) blocked: Option<(u16, &'static str, &'static str)>,
    /// Texts of all that was received, bodies inflated.
    pub(super) received: Vec<String>,
    pub(super) keeps_received: bool,
    pub(super) requests: usize,
    pub(super) twice: usize,
    pub(super) is_gone: bool,
    pub(super) forgets: bool,
    /// How many an `_id` was given to.
    ids: usize,
}

impl State {
    pub(super) fn roll_over(&mut self, index: &str) {
        self.indices.entry(index.to_owned()).or_default();
        self.write_index = Some(index.to_owned());
    }

    /// Does what `_bulk` does, for `create` and for `index` without an `_id`; `every` fails each so
    /// many-th item.
    ///
    /// Without a target each action names its own, and may leave the `_id` to it.
    pub(super) fn bulk(
        &mut self,
        target: Option<&str>,
        require_alias: bool,
        body: &[u8],
        every: Option<(u16, usize)>,
    ) -> String {
        let mut lines = body.split(|byte| *byte == b'\n');
        let mut items = Vec::new();
        while let (Some(action), Some(document)) = (lines.next(), lines.next()) {
            let action: Value = serde_json::from_slice(action).expect("an action");
            let (operation, action) = action
                .as_object()
                .and_then(|action| action.iter().next())
                .expect("an operation");
            let given = target.is_none().then(|| {
                self.ids += 1;
                format!("{:020}", self.ids)
            });
            let target = target
                .or(action["_index"].as_str())
                .expect("the name of an index");
            let told = every.filter(|(_, every)| items.len().is_multiple_of(*every));
            let (index, status) = match told {
                Some((status, _)) => (self.resolve(target).unwrap_or(target).to_owned(), status),
                None => self.create(target, require_alias, action, given, document),
            };
            let (name, reason) = match (status, self.blocked) {
                (_, Some((_, name, reason))) if index == "logs" => (name, reason),
                (400, _) => ("document_parsing_exception", "as told"),
                (403, _) => ("security_exception", "as told"),
                (404, _) => ("index_not_found_exception", "as told"),
                (409, _) => ("version_conflict_engine_exception", "as told"),
                (429, _) => ("es_rejected_execution_exception", "as told"),
                (503, _) => ("unavailable_shards_exception", "as told"),
                _ => ("null_pointer_exception", "as told"),
            };
            let error = if status < 300 {
                String::new()
            } else {
                format!(r#","error":{{"type":"{name}","reason":"{reason}"}}"#)
            };
            items.push(format!(
                r#"{{"{operation}":{{"_index":"{index}","status":{status}{error}}}}}"#
            ));
        }
        format!(r#""items":[{}]"#, items.join(","))
    }

    pub(super) fn resolve<'a>(&'a self, target: &'a str) -> Option<&'a str> {
        if target == "logs" {
            return self.write_index.as_deref();
        }
        self.indices.contains_key(target).then_some(target)
    }

    fn create(
        &mut self,
        target: &str,
        require_alias: bool,
        action: &Value,
        given: Option<String>,
        document: &[u8],
    ) -> (String, u16) {
        if self.alias_only && target != "logs" {
            return (target.to_owned(), 403);
        }
        if require_alias && target != "logs" {
            return (target.to_owned(), 404);
        }
        if let Some((status, ..)) = self.blocked.filter(|_| target == "logs") {
            return (target.to_owned(), status);
        }
        if !require_alias && self.resolve(target).is_none() {
            // as for somebody who may make indices
            self.indices.entry(target.to_owned()).or_default();
        }
        let Some(index) = self.resolve(target).map(str::to_owned) else {
            return (target.to_owned(), 404);
        };
        if !document.starts_with(b"{") {
            return (index, 500);
        }
        if self.forgets {
            return (index, 201);
        }
        let Ok(document) = serde_json::from_slice::<Value>(document) else {
            return (index, 400);
        };
        if let Some((status, rejects)) = &self.rejects
            && rejects(&document)
        {
            return (index, *status);
        }
        let id = action["_id"].as_str().map(str::to_owned).or(given);
        let status = self.insert(&index, id.expect("an _id"), &action["routing"], document);
        (index, status)
    }

    fn insert(&mut self, index: &str, id: String, routing: &Value, document: Value) -> u16 {
        let documents = self.indices.get_mut(index).expect("it is there");
        if documents.contains_key(&id) {
            self.twice += 1;
            return 409;
        }
        let is_too_long = |routing: &str| routing.len() > 32_766;
        if routing.as_str().is_some_and(is_too_long) {
            return 400;
        }
        documents.insert(id, document);
        201
    }
}
