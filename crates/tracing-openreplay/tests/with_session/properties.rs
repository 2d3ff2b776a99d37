use std::fmt;

use proptest::prelude::*;
use serde_json::Value;
use tracing::{error, info, subscriber::with_default};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Registry, prelude::*};

use crate::{Sink, in_session, json};

proptest! {
    #[test]
    fn an_event_only_gains_a_prefix(
        message in text(),
        text in text(),
        number in any::<i64>(),
        size in any::<u64>(),
        float in any::<f64>(),
        flag in any::<Option<bool>>(),
        wide in any::<i128>(),
        list in any::<Vec<Option<char>>>(),
        is_error in any::<bool>(),
        id in any::<u64>(),
    ) {
        let (alone, wrapped) = (Sink::default(), Sink::default());
        let subscriber = Registry::default().with(json(&alone)).with(json(&wrapped).with_session());
        let failed = fmt::Error;
        let failed: &(dyn std::error::Error + 'static) = &failed;
        with_default(subscriber, || in_session(id, || {
            if is_error {
                error!(text, number, size, float, flag, wide, ?list, failed, "{message}");
            } else {
                info!(text, number, size, float, flag, wide, ?list, failed, "{message}");
            }
        }));

        let (mut alone, wrapped) = (alone.records().remove(0), wrapped.records().remove(0));
        let expected = &mut alone["fields"];
        let message = expected["message"].as_str().unwrap().replace(PHRASE, "openReplaySessi*n.id");
        expected["message"] = Value::from(format!("[openReplaySession.id={id}] {message}"));
        if is_error {
            expected["tags"] = Value::from("error");
        }
        prop_assert_eq!(alone, wrapped);
    }
}

const PHRASE: &str = "openReplaySession.id";

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<String>(),
        1 => (any::<String>(), any::<String>()).prop_map(|(before, after)| before + PHRASE + &after),
    ]
}
