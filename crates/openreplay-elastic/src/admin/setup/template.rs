//! The index template: put in place, and taken back if what follows fails.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{FIRST_INDEX, TEMPLATE};
use crate::admin::engine::Flavor;
use crate::admin::{api, layout};
use crate::transport::client::Client;
use crate::transport::error::Error;

/// What was there before.
#[derive(Debug)]
pub(super) struct Template(Option<Value>);

impl Template {
    /// Puts the template in place of that of an earlier run.
    pub(super) async fn replace(client: &Client, flavor: Flavor) -> Result<Self, Error> {
        let before = match api::get::<Templates>(client, &path()).await {
            Ok(found) => found
                .index_templates
                .into_iter()
                .next()
                .map(|one| without_dates(one.index_template)),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        api::send(client, Method::PUT, &path(), &layout::template(flavor)).await?;
        Ok(Self(before))
    }

    /// Takes the template back, and explains the error because of which this happens.
    pub(super) async fn undo(self, client: &Client, error: Error) -> Error {
        let undone = match &self.0 {
            Some(before) => api::send(client, Method::PUT, &path(), before).await,
            None => api::delete(client, &path()).await,
        };
        let is_conflict = error.reason().is_some_and(is_conflict);
        let error = if is_conflict {
            explained(client, error).await
        } else {
            layout::explained(error)
        };
        match undone {
            Ok(_) => error,
            Err(_) => error.with_remedy(format!(
                "then delete the index template {TEMPLATE}, which could not be removed"
            )),
        }
    }
}

/// Elasticsearch adds when a template was changed, and rejects a template with that field.
fn without_dates(mut template: Value) -> Value {
    if let Some(members) = template.as_object_mut() {
        members.retain(|name, _| {
            !name.starts_with("created_date") && !name.starts_with("modified_date")
        });
    }
    template
}

fn path() -> String {
    format!("/_index_template/{TEMPLATE}")
}

/// Whether a mapping of another template does not agree with ours.
fn is_conflict(reason: &str) -> bool {
    reason.contains("can't merge a non object mapping")
        || reason.contains("can't merge a non-object mapping")
        || reason.contains("cannot be changed from type")
}

/// Names the templates that may be meant: those that apply to the first index and take precedence
/// over ours.
async fn explained(client: &Client, error: Error) -> Error {
    let names = match api::get::<Templates>(client, "/_index_template").await {
        Ok(found) => found
            .index_templates
            .into_iter()
            .filter(Named::goes_before_ours)
            .map(|one| one.name)
            .collect::<Vec<_>>(),
        Err(_) => Vec::new(),
    };
    let names = match &names[..] {
        [] => "another index template".to_owned(),
        names => format!("the index template {}", names.join(", ")),
    };
    error.explained(&format!(
        "{names} maps a field of the records as another type, so no index behind `logs` can be created; exclude logs-0* from its \
         patterns, or give it a priority below {}; nothing was changed",
        layout::PRIORITY
    ))
}

#[derive(Deserialize)]
struct Templates {
    #[serde(default)]
    index_templates: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    index_template: Value,
}

impl Named {
    fn goes_before_ours(&self) -> bool {
        let patterns = match &self.index_template["index_patterns"] {
            Value::Array(patterns) => patterns.iter().filter_map(Value::as_str).collect(),
            Value::String(pattern) => vec![&pattern[..]],
            _ => Vec::new(),
        };
        let priority = self.index_template["priority"].as_u64().unwrap_or(0);
        self.name != TEMPLATE
            && priority > layout::PRIORITY.into()
            && patterns
                .into_iter()
                .any(|pattern| matches(pattern, FIRST_INDEX))
    }
}

/// Whether a pattern with `*` matches a name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len())
                .filter_map(|at| name.get(at..))
                .any(|name| matches(rest, name))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_as_a_whole() {
        for (pattern, is_match) in [
            ("logs-000001", true),
            ("*", true),
            ("logs-*", true),
            ("lo*00*1", true),
            ("*-000001", true),
            ("logs", false),
            ("logs-*-*", false),
            ("*2", false),
            ("", false),
        ] {
            assert_eq!(matches(pattern, FIRST_INDEX), is_match, "{pattern}");
        }
    }
}
