//! Whether the index behind `logs` takes records, as far as the credentials allow to find out.
//! Nothing is stored.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Finding, Report};
use crate::admin::{LogsState, api};
use crate::numbered::LOGS;
use crate::transport::client::{Client, Encoding};
use crate::transport::error::Error;

pub(super) async fn examine(client: &Client, report: &mut Report) -> Result<(), Error> {
    let state = report.optional("the write index", LogsState::query(client).await)?;
    let is_known = match state {
        Some(LogsState::Alias {
            write_index: Some(index),
            ..
        }) => examine_index(client, report, &index).await?,
        Some(LogsState::Alias { .. }) => {
            report.find(Fault::NoWriteIndex, "`logs` has no index to write to");
            true
        }
        Some(LogsState::Index) => {
            not_an_alias(report, "an index");
            true
        }
        Some(LogsState::DataStream) => {
            not_an_alias(report, "a data stream");
            true
        }
        // what else it is has been found by the search
        Some(_) => true,
        None => false,
    };
    if !is_known && can_write(client).await {
        probe(client, report).await?;
    }
    Ok(())
}

fn not_an_alias(report: &mut Report, what: &str) {
    report.find(
        Fault::NotAnAlias,
        format!("`logs` is {what}, but ElasticWriter and `ship` write only to an alias"),
    );
}

/// Returns whether all of it could be examined.
async fn examine_index(client: &Client, report: &mut Report, index: &str) -> Result<bool, Error> {
    let path = format!("/{index}/_settings?flat_settings=true");
    let settings: Result<BTreeMap<String, Settings>, _> = api::get(client, &path).await;
    let settings = report.optional("the write index's settings", settings)?;
    let health: Result<Health, _> = api::get(client, &format!("/_cluster/health/{index}")).await;
    let health = report.optional("the write index's health", health)?;
    if health.as_ref().is_some_and(|health| health.status == "red") {
        let text = format!("{index} has no available primary shard, so it takes no records");
        report.add([Finding::new(Fault::RedIndex, text).about(index)]);
    }
    let mut is_known = settings.is_some() && health.is_some();
    let settings = settings.and_then(|mut settings| settings.remove(index));
    if let Some(Settings { settings }) = settings {
        report.add(blocked(index, &settings));
        is_known &= examine_pipelines(client, report, index, &settings).await?;
    }
    Ok(is_known)
}

fn blocked(index: &str, settings: &BTreeMap<String, Value>) -> Option<Finding> {
    const FLOOD: &str = "index.blocks.read_only_allow_delete";
    let blocks = [FLOOD, "index.blocks.read_only", "index.blocks.write"];
    let block = blocks.into_iter().find(|name| {
        let value = settings.get(*name);
        value.is_some_and(|value| value == "true" || *value == json!(true))
    })?;
    Some(write_blocked(index, block, block == FLOOD))
}

fn write_blocked(index: &str, block: &str, is_flood: bool) -> Finding {
    let finding = Finding::new(
        Fault::WriteBlocked,
        format!("{index} rejects all writes ({block})"),
    );
    if !is_flood {
        return finding.about(index);
    }
    finding.with_remedy(format!(
        "a disk is over its flood-stage watermark: free disk space, or add a node, and Elasticsearch removes the block; OpenSearch and \
         older versions need PUT /{index}/_settings {{\"index.blocks.read_only_allow_delete\": null}} afterwards"
    ))
}

/// Returns whether all of them could be examined.
async fn examine_pipelines(
    client: &Client,
    report: &mut Report,
    index: &str,
    settings: &BTreeMap<String, Value>,
) -> Result<bool, Error> {
    let mut is_known = true;
    for setting in ["index.default_pipeline", "index.final_pipeline"] {
        let name = settings.get(setting).and_then(Value::as_str);
        let Some(name) = name.filter(|name| *name != "_none") else {
            continue;
        };
        let path = format!("/_ingest/pipeline/{}", encoded(name));
        match api::get::<Value>(client, &path).await {
            Err(error) if error.is_not_found() => {
                let text = format!("{index} rejects all records: its {setting} {name} is missing");
                report.add([Finding::new(Fault::NoPipeline, text).about(index)]);
            }
            other => {
                let what = format!("the pipeline {name} of the write index");
                is_known &= report.optional(&what, other)?.is_some();
            }
        }
    }
    Ok(is_known)
}

/// As a part of a path.
fn encoded(name: &str) -> String {
    let mut path = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(byte.into());
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

/// Whether the credentials may add records. If that is unknown, they may not: a rejected write
/// would stand in the audit log.
async fn can_write(client: &Client) -> bool {
    let body = json!({"index": [{"names": [LOGS], "privileges": ["create_doc"]}]});
    let path = "/_security/user/_has_privileges";
    let Ok(response) = api::send(client, Method::POST, path, &body).await else {
        return false;
    };
    let can: Result<Privileges, _> = response.json();
    can.is_ok_and(|can| can.has_all_requested)
}

/// Sends an invalid document, bypassing the pipelines: the index rejects it, and the error tells
/// whether it takes others.
async fn probe(client: &Client, report: &mut Report) -> Result<(), Error> {
    const INVALID: &[u8] = b"{\"create\":{}}\n\"is this index writable?\"\n";
    let path = format!("/{LOGS}/_bulk?require_alias=true&pipeline=_none&timeout=1s");
    let sent = client
        .send(
            Method::POST,
            &path,
            Bytes::from_static(INVALID),
            Encoding::Lines,
        )
        .await;
    let body = sent
        .and_then(crate::transport::client::Response::ok)
        .and_then(|response| response.json::<Value>());
    let Some(body) = report.optional("the write index", body)? else {
        return Ok(());
    };
    let item = &body["items"][0]["create"];
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
    let (error_type, reason) = (text("/error/type"), text("/error/reason"));
    let reason = reason.unwrap_or_default();
    let index = text("/_index").unwrap_or(LOGS);
    match (item["status"].as_u64(), error_type) {
        (_, Some("cluster_block_exception")) => {
            let is_flood = reason.contains("read-only-allow-delete");
            report.add([write_blocked(index, reason, is_flood)]);
        }
        (_, Some("unavailable_shards_exception")) | (Some(503), _) => {
            let text = format!("{index} has no available primary shard, so it takes no records");
            report.add([Finding::new(Fault::RedIndex, text).about(index)]);
        }
        _ if reason.starts_with("no write index is defined") => {
            report.find(Fault::NoWriteIndex, "`logs` has no index to write to");
        }
        _ if reason.contains("require_alias") => not_an_alias(report, "no alias"),
        _ => {}
    }
    Ok(())
}

#[derive(Deserialize)]
struct Settings {
    settings: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Health {
    status: String,
}

#[derive(Deserialize)]
struct Privileges {
    has_all_requested: bool,
}
