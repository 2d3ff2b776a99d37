use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

/// What is asked for of an answer; reading says why each part is needed.
pub(crate) const FILTER: &str =
    "filter_path=items.*._index,items.*.status,items.*.error.type,items.*.error.reason";

/// The answer to one record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Item<'a> {
    /// Where the record is now: its retry has to go to the same index.
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
        write!(f, "Elasticsearch answered {status} ({name}) {reason}")
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

    /// Elasticsearch's own name for the error.
    pub(crate) fn error_name(&self) -> &str {
        let error = self.error.as_ref();
        error
            .and_then(|error| error.name.as_deref())
            .unwrap_or_default()
    }

    pub(crate) fn reason(&self) -> &str {
        let error = self.error.as_ref();
        error
            .and_then(|error| error.reason.as_deref())
            .unwrap_or_default()
    }

    /// Whether the index is certainly what is wrong, or that there is none, and not the document.
    pub(crate) fn is_fault_of_index(&self) -> bool {
        let reason = self.reason();
        matches!(
            self.error_name(),
            "index_closed_exception" | "index_not_found_exception" | "cluster_block_exception"
        ) || reason.starts_with("pipeline with id [")
            || reason.starts_with("no write index is defined")
    }

    /// Whether the document is certainly what is wrong.
    pub(crate) fn is_fault_of_document(&self) -> bool {
        matches!(
            self.error_name(),
            "document_parsing_exception"
                | "mapper_parsing_exception"
                | "strict_dynamic_mapping_exception"
                | "max_bytes_length_exceeded_exception"
        )
    }

    /// Whether a document could not be read before it came to an index. For a pipeline that is one of the request, and
    /// OpenSearch answers it for each.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(
            self.error_name(),
            "parsing_exception"
                | "parse_exception"
                | "x_content_parse_exception"
                | "json_parse_exception"
                | "not_x_content_exception"
        )
    }

    /// Whether these credentials may not write to the index, although it is there.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == 403 && self.error_name() == "security_exception" && !self.would_make_index()
    }

    /// Whether the index is gone, and these credentials may not make it.
    pub(crate) fn would_make_index(&self) -> bool {
        self.status == 403 && self.reason().contains("indices:admin/auto_create")
    }
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

/// Reads the answers to `expected` records, in their order; `None` where the body is anything else.
pub(crate) fn read(body: &[u8], expected: usize) -> Option<Vec<Item<'_>>> {
    let whole: Whole<'_> = serde_json::from_slice(body).ok()?;
    let items: Vec<_> = whole.items.into_iter().map(|item| item.create).collect();
    (items.len() == expected).then_some(items)
}

/// The index of `expected` records that were all stored in one; `None` where reading has to be done in full.
///
/// That is how nearly every answer looks: the same text, once a record.
pub(crate) fn all_stored(body: &[u8], expected: usize) -> Option<&str> {
    let mut rest = body.strip_prefix(br#"{"items":["#)?;
    let first = &rest[..memchr::memmem::find(rest, b"}}")? + 2];
    let item = serde_json::from_slice::<Operation<'_>>(first).ok()?.create;
    let Cow::Borrowed(index) = item.index else {
        return None;
    };
    if !is_stored(item.status) {
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

/// Whether the record is there: stored now, or by an attempt before whose answer was lost.
pub(crate) fn is_stored(status: u16) -> bool {
    matches!(status, 200 | 201 | 409)
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

    proptest! {
        #[test]
        fn reads_each_answer_in_its_place(statuses in prop::collection::vec(prop::sample::select(vec![201, 409, 429, 400, 503]), 1..40)) {
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
        fn garbage_is_no_answer(body in prop::collection::vec(any::<u8>(), 0..200), expected in 1..5_usize) {
            prop_assert_eq!(read(&body, expected), None);
            prop_assert_eq!(all_stored(&body, expected), None);
        }

        #[test]
        fn half_an_answer_is_none(count in 1..20_usize, cut in any::<prop::sample::Index>()) {
            let body = answer(&vec![201; count]);
            let half = &body[..cut.index(body.len())];
            prop_assert_eq!(read(half, count), None);
            prop_assert_eq!(all_stored(half, count), None);
            prop_assert_eq!(all_stored(&body, count + 1), None);
            prop_assert_eq!(all_stored(&body, count), Some("logs-000001"));
        }
    }
}
