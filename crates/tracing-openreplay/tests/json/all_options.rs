//! All options that add members to a record, with hostile text in every member.

use std::thread;

use openreplay_session::{SessionId, sync_scope};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use tracing_openreplay::{Json, json};

use crate::{
    ID,
    any_event::{log_any, pairs, text},
    capture,
};

/// Creates a layer with text in all configured members.
fn layer(texts: &[String], own: &str, with_fields: bool) -> Json {
    let [name, version, environment, host, value, project] = texts else {
        unreachable!("six")
    };
    json()
        .with_service_name(name)
        .with_service_version(version)
        .with_service_environment(environment)
        .with_host_name(host)
        .with_field(own, value)
        .with_field(format!("{own}_too"), value)
        .with_replay_url(project)
        .with_process_id(true)
        .with_thread_name(true)
        .with_thread_id(true)
        .with_fields_in_message(with_fields)
        .with_span_fields_in_message(true)
        .with_span_close(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn with_all_options_any_event_is_one_object(
        event in pairs(8),
        texts in vec(text(), 6),
        own in text(),
        thread_name in "[^\\x00]{0,300}",
        request_id in text(),
        in_session in any::<bool>(),
        with_fields in any::<bool>(),
    ) {
        // The name must not have an empty part or conflict with a record's own field.
        let own = format!("own_{}", own.replace('.', "_"));
        let layer = layer(&texts, &own, with_fields);
        let run = move || capture(layer, || {
            let session = in_session.then(|| SessionId::from(ID));
            sync_scope(session, || {
                let _span = tracing::info_span!("request", request_id).entered();
                log_any(&event, in_session);
            });
        });
        let worker = thread::Builder::new().name(thread_name.clone()).spawn(run).unwrap();
        let records = worker.join().unwrap();

        // The records of the event and of the closed span.
        prop_assert_eq!(records.len(), 2);
        for record in &records {
            let names = ["service.name", "service.version", "service.environment", "host.name", own.as_str()];
            for (name, text) in names.iter().zip(&texts) {
                prop_assert_eq!(record[*name].as_str(), Some(text.as_str()));
            }
            prop_assert_eq!(record[format!("{own}_too")].as_str(), Some(texts[4].as_str()));
            prop_assert_eq!(&record["process.pid"], &Value::from(std::process::id()));
            let kept = record["process.thread.name"].as_str().unwrap_or_default();
            prop_assert!(thread_name.starts_with(kept.trim_end_matches("… [cut]")));
            prop_assert!(record["process.thread.id"].is_u64());
            let replay = format!("{}/session/{ID}", texts[5].trim_end_matches('/'));
            let replay = in_session.then_some(replay);
            prop_assert_eq!(record["openReplaySession.url"].as_str(), replay.as_deref());
        }
    }
}
