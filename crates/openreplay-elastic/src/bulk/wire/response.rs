//! What Elasticsearch responds to `_bulk`.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use super::FailureKind;

/// The members of a response that are read.
pub(super) const FILTER: &str =
    "filter_path=items.*._index,items.*.status,items.*.error.type,items.*.error.reason";

/// The result of one record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Item<'a> {
    /// Where the record is now: a retry must go to the same index.
    #[serde(rename = "_index", borrow, default)]
    pub(crate) index: Cow<'a, str>,
    pub(crate) status: u16,
    #[serde(borrow)]
    pub(crate) error: Option<ItemError<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ItemError<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) reason: Option<Cow<'a, str>>,
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, name, reason) = (self.status, self.error_name(), self.reason());
        write!(f, "Elasticsearch responded with {status} ({name}) {reason}")
    }
}

impl Item<'_> {
    pub(crate) fn into_owned(self) -> Item<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Item {
            index: owned(self.index),
            status: self.status,
            error: self.error.map(|error| ItemError {
                name: error.name.map(owned),
                reason: error.reason.map(owned),
            }),
        }
    }

    /// Returns Elasticsearch's name for the error; empty without one.
    pub(crate) fn error_name(&self) -> &str {
        let error = self.error.as_ref();
        error
            .and_then(|error| error.name.as_deref())
            .unwrap_or_default()
    }

    /// Returns the explanation of the error; empty without one.
    pub(crate) fn reason(&self) -> &str {
        let error = self.error.as_ref();
        error
            .and_then(|error| error.reason.as_deref())
            .unwrap_or_default()
    }

    /// The same as the failure of a whole request.
    pub(crate) fn failure(&self) -> FailureKind {
        FailureKind::of(self.status, Some(self.error_name()))
    }

    /// What kind of result it is.
    pub(crate) fn kind(&self) -> ItemKind {
        match self.status {
            200 | 201 | 409 => ItemKind::Stored,
            429 => ItemKind::Busy,
            500 => ItemKind::Failed,
            501.. => ItemKind::Unavailable,
            404 => ItemKind::Missing,
            403 if self.reason().contains("indices:admin/auto_create") => ItemKind::Missing,
            403 if self.error_name() == "security_exception" => ItemKind::Forbidden,
            _ if self.error_name() == "security_exception" => ItemKind::Unauthorized,
            _ if self.is_fault_of_index() => ItemKind::IndexRejects,
            401 | 403 => ItemKind::Unauthorized,
            _ if self.is_unreadable() => ItemKind::Unreadable,
            _ if self.is_fault_of_document() => ItemKind::Invalid,
            _ => ItemKind::Unclear,
        }
    }

    /// Whether the index is certainly what is wrong, or that there is none, and not the document.
    fn is_fault_of_index(&self) -> bool {
        let reason = self.reason();
        matches!(
            self.error_name(),
            "index_closed_exception" | "index_not_found_exception" | "cluster_block_exception"
        ) || reason.starts_with("pipeline with id [")
            || reason.starts_with("no write index is defined")
    }

    /// Whether the document is certainly what is wrong.
    fn is_fault_of_document(&self) -> bool {
        matches!(
            self.error_name(),
            "document_parsing_exception"
                | "mapper_parsing_exception"
                | "strict_dynamic_mapping_exception"
                | "max_bytes_length_exceeded_exception"
        )
    }

    /// Whether a document could not be read before it reached an index. To a pipeline, it is one of
    /// the request, and OpenSearch gives this result to each.
    fn is_unreadable(&self) -> bool {
        matches!(
            self.error_name(),
            "parsing_exception"
                | "parse_exception"
                | "x_content_parse_exception"
                | "json_parse_exception"
                | "not_x_content_exception"
        )
    }
}

/// The kind of a record's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// The record is there: stored now, or by an attempt before whose response was lost.
    Stored,
    /// The engine has too much to do.
    Busy,
    /// The engine failed, possibly on this record.
    Failed,
    /// The engine, or a part of it, is unavailable.
    Unavailable,
    /// The index is missing, and with these credentials it is not created anew.
    Missing,
    /// The credentials do not reach the index.
    Forbidden,
    /// The credentials are not sufficient.
    Unauthorized,
    /// The index rejects all writes, or there is none.
    IndexRejects,
    /// A document of the request is not JSON for the engine.
    Unreadable,
    /// The index does not store such a document.
    Invalid,
    /// The record is at fault, or the index, or its pipeline.
    Unclear,
}

#[derive(Deserialize)]
struct Operation<'a> {
    #[serde(borrow, alias = "index")]
    create: Item<'a>,
}

#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    items: Vec<Operation<'a>>,
}

/// Reads the results of `expected` records, in their order; `None` if the body is anything else.
pub(crate) fn read(body: &[u8], expected: usize) -> Option<Vec<Item<'_>>> {
    let whole: Whole<'_> = serde_json::from_slice(body).ok()?;
    let items: Vec<_> = whole.items.into_iter().map(|item| item.create).collect();
    (items.len() == expected).then_some(items)
}

/// Returns the index of `expected` records if all were stored in one; `None` if the body must be
/// read in full.
///
/// Nearly every response looks like this: the same text, once for each record.
pub(crate) fn all_stored(body: &[u8], expected: usize) -> Option<&str> {
    let mut rest = body.strip_prefix(br#"{"items":["#)?;
    let first = &rest[..memchr::memmem::find(rest, b"}}")? + 2];
    let item = serde_json::from_slice::<Operation<'_>>(first).ok()?.create;
    let Cow::Borrowed(index) = item.index else {
        return None;
    };
    if item.kind() != ItemKind::Stored {
        return None;
    }
    for number in 0..expected {
        if number > 0 {
            rest = rest.strip_prefix(b",")?;
        }
        rest = rest.strip_prefix(first)?;
    }
    (rest == b"]}").then_some(index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answer(statuses: &[u16]) -> Vec<u8> {
        let items: Vec<_> = statuses
            .iter()
            .map(|status| match status {
                201 => json!({"create": {"_index": "logs-000001", "status": 201}}),
                status => json!({"create": {
                    "_index": "logs-000001", "status": status,
                    "error": {"type": "some_exception", "reason": "a \"reason\" }} of [its] own"},
                }}),
            })
            .collect();
        serde_json::to_vec(&json!({ "items": items })).unwrap()
    }

    /// Replaces a part of a response.
    const DAMAGE: &str = r#"|[{}\[\]",:0-9a-z\\ ]{1,3}|201|409|"status":201|"index"|,|\},|null|\\u0061|"_index":"a""#;

    proptest! {
        #[test]
        fn reads_each_response_in_its_place(statuses in prop::collection::vec(prop::sample::select(vec![201, 409, 429, 400, 503]), 1..40)) {
            let body = answer(&statuses);
            let items = read(&body, statuses.len()).unwrap();
            let found: Vec<u16> = items.iter().map(|item| item.status).collect();
            prop_assert_eq!(&found, &statuses);
            prop_assert!(items.iter().all(|item| item.index == "logs-000001" && item.error.is_some() == (item.status != 201)));
            prop_assert_eq!(read(&body, statuses.len() + 1), None);
            let plain = statuses.iter().all(|status| *status == 201);
            prop_assert_eq!(all_stored(&body, statuses.len()), plain.then_some("logs-000001"));
        }

        #[test]
        fn garbage_is_no_response(body in prop::collection::vec(any::<u8>(), 0..200), expected in 1..5_usize) {
            prop_assert_eq!(read(&body, expected), None);
            prop_assert_eq!(all_stored(&body, expected), None);
        }

        #[test]
        fn a_damaged_response_is_none_or_is_read_as_any_parser_reads_it(
            statuses in prop::collection::vec(prop::sample::select(vec![201, 201, 201, 409, 503]), 1..4),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, DAMAGE), 0..3),
        ) {
            let mut body = String::from_utf8(answer(&statuses)).unwrap();
            for (at, length, text) in edits {
                let at = at.index(body.len() + 1);
                body.replace_range(at..body.len().min(at + length), &text);
            }
            let count = statuses.len();
            let items = read(body.as_bytes(), count);
            if let Some(items) = &items {
                let whole: serde_json::Value = serde_json::from_str(&body).unwrap();
                for (item, read) in items.iter().zip(whole["items"].as_array().unwrap()) {
                    let result = read.get("create").or(read.get("index")).unwrap();
                    let error = |name: &str| result["error"][name].as_str().unwrap_or_default();
                    let found = (item.status, &*item.index, item.error_name(), item.reason());
                    let index = result["_index"].as_str().unwrap_or_default();
                    prop_assert_eq!(u64::from(found.0), result["status"].as_u64().unwrap());
                    prop_assert_eq!((found.1, found.2, found.3), (index, error("type"), error("reason")));
                }
            }
            if let Some(index) = all_stored(body.as_bytes(), count) {
                let items = items.expect("the short way reads no more than the long one");
                prop_assert!(items.iter().all(|item| item.kind() == ItemKind::Stored && item.index == index));
            }
        }

        #[test]
        fn half_a_response_is_none(count in 1..20_usize, cut in any::<prop::sample::Index>()) {
            let body = answer(&vec![201; count]);
            let half = &body[..cut.index(body.len())];
            prop_assert_eq!(read(half, count), None);
            prop_assert_eq!(all_stored(half, count), None);
            prop_assert_eq!(all_stored(&body, count + 1), None);
            prop_assert_eq!(all_stored(&body, count), Some("logs-000001"));
        }
    }

    #[test]
    fn a_result_is_of_one_kind() {
        use ItemKind::*;
        for (status, name, reason, kind) in [
            (200, "", "", Stored),
            (201, "", "", Stored),
            (409, "version_conflict_engine_exception", "", Stored),
            (429, "es_rejected_execution_exception", "", Busy),
            (500, "null_pointer_exception", "", Failed),
            (503, "unavailable_shards_exception", "", Unavailable),
            (404, "index_not_found_exception", "", Missing),
            (
                403,
                "security_exception",
                "action [indices:admin/auto_create] is unauthorized",
                Missing,
            ),
            (403, "security_exception", "", Forbidden),
            (401, "security_exception", "", Unauthorized),
            (403, "", "", Unauthorized),
            (403, "cluster_block_exception", "", IndexRejects),
            (400, "index_closed_exception", "", IndexRejects),
            (
                400,
                "illegal_argument_exception",
                "pipeline with id [x] does not exist",
                IndexRejects,
            ),
            (
                400,
                "illegal_argument_exception",
                "no write index is defined for alias [logs]",
                IndexRejects,
            ),
            (400, "illegal_argument_exception", "", Unclear),
            (400, "fail_processor_exception", "", Unclear),
            (400, "parse_exception", "", Unreadable),
            (400, "document_parsing_exception", "", Invalid),
            (400, "mapper_parsing_exception", "", Invalid),
        ] {
            let item = Item {
                index: "logs-1".into(),
                status,
                error: Some(ItemError {
                    name: Some(name.into()),
                    reason: Some(reason.into()),
                }),
            };
            assert_eq!(item.kind(), kind, "{status} {name} {reason}");
        }
    }
}
