use openreplay_session::{SessionId, sync_scope};
use serde_json::{Value, json as value};
use tracing::{debug, error, info, info_span, trace, warn};
use tracing_openreplay::json;

use crate::{ID, capture, one};

#[test]
fn a_record_has_the_fields_that_openreplay_reads() {
    let place = (line!() + 4, file!());
    let record = one(|| {
        sync_scope(SessionId::from(ID), || {
            info_span!("request", method = "GET", attempt = 2).in_scope(|| {
                error!(user = "anna", status = 500, "Error: no answer");
            });
        });
    });
    assert_eq!(
        record,
        value!({
            "@timestamp": "2025-07-22T12:34:56.789012Z",
            "utc_time": "2025-07-22T12:34:56.789012Z",
            "level": "error",
            "message": "[openReplaySession.id=4950498349085463837] Error: no answer user=anna status=500",
            "tags": ["error"],
            "openReplaySession.id": "4950498349085463837",
            "log.logger": "json::record",
            "log.origin.file.name": place.1,
            "log.origin.file.line": place.0,
            "fields": {"user": "anna", "status": 500},
            "spans": [{"name": "request", "fields": {"method": "GET", "attempt": 2}}],
        })
    );
}

#[test]
fn a_record_outside_a_session_has_no_session_fields() {
    let layer = json().with_target(false).with_source_location(false);
    let records = capture(layer, || info!("started"));
    assert_eq!(
        records,
        [value!({
            "@timestamp": "2025-07-22T12:34:56.789012Z",
            "utc_time": "2025-07-22T12:34:56.789012Z",
            "level": "info",
            "message": "started",
        })]
    );
}

#[test]
fn the_configured_service_and_host_are_in_each_record() {
    let layer = json()
        .with_service_name("shop \"one\"")
        .with_service_version("1.2.3")
        .with_service_environment("test")
        .with_host_name("web-1")
        .with_process_id(true);
    let record = &capture(layer, || info!("started"))[0];
    assert_eq!(record["service.name"], "shop \"one\"");
    assert_eq!(record["service.version"], "1.2.3");
    assert_eq!(record["service.environment"], "test");
    assert_eq!(record["host.name"], "web-1");
    assert_eq!(record["process.pid"], std::process::id());
}

#[test]
fn levels_are_written_as_the_four_of_openreplay() {
    let records = capture(json(), || {
        error!("x");
        warn!("x");
        info!("x");
        debug!("x");
        trace!("x");
    });
    let levels: Vec<_> = records
        .iter()
        .map(|record| record["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["error", "warning", "info", "debug", "debug"]);
    let tagged: Vec<_> = records
        .iter()
        .map(|record| record.get("tags").is_some())
        .collect();
    assert_eq!(tagged, [true, false, false, false, false]);
}

#[test]
fn a_message_is_never_empty() {
    let cases: [(&str, fn(), &str); 4] = [
        ("fields only", || info!(a = 1, b = "x y"), "a=1 b=\"x y\""),
        ("a text without a character", || info!(""), "event "),
        ("a field with line breaks", || info!(a = %"x\ny"), "a=x\ny"),
        (
            "a name of its own",
            || info!(name: "login", a = tracing::field::Empty, ""),
            "login",
        ),
    ];
    for (name, run, expected) in cases {
        let message = one(run)["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(expected), "{name}: {message}");
    }
}

#[test]
fn fields_are_the_message_of_an_event_without_one_even_if_messages_omit_fields() {
    let failed: &(dyn std::error::Error + 'static) = &std::fmt::Error;
    let records = capture(json().with_fields_in_message(false), || {
        info!(a = 1, b = %"x\ny");
        info!(message = tracing::field::Empty, a = 1);
        error!(error = failed);
        info!("");
    });
    let messages: Vec<_> = records.iter().map(|record| &record["message"]).collect();
    assert_eq!(messages[0], "a=1\nb=x\ny");
    assert_eq!(messages[1], "a=1");
    assert_eq!(messages[2], &format!("error={failed}"));
    assert!(messages[3].as_str().unwrap().starts_with("event "));
    assert_eq!(records[0]["fields"], value!({"a": 1, "b": "x\ny"}));
}

#[test]
fn fields_can_be_omitted_from_the_message() {
    let layer = json().with_fields_in_message(false);
    let record = &capture(layer, || info!(a = 1, b = %"x\ny", "text"))[0];
    assert_eq!(record["message"], "text");
    assert_eq!(record["fields"], value!({"a": 1, "b": "x\ny"}));
}

#[test]
fn a_log_record_has_its_own_source_location() {
    let record = one(|| {
        let record = tracing_log::log::Record::builder()
            .level(tracing_log::log::Level::Warn)
            .target("library")
            .file(Some("src/of/library.rs"))
            .line(Some(7))
            .module_path(Some("library::module"))
            .args(format_args!("it is late"))
            .build();
        tracing_log::format_trace(&record).unwrap();
    });
    assert_eq!(record["message"], "it is late");
    assert_eq!(record["level"], "warning");
    assert_eq!(record["log.logger"], "library");
    assert_eq!(record["log.origin.file.name"], "src/of/library.rs");
    assert_eq!(record["log.origin.file.line"], 7);
    assert_eq!(record.get("fields"), None);
}

#[test]
fn events_of_different_callsites_do_not_mix() {
    let records = capture(json(), || {
        for _ in 0..2 {
            info!("a");
            info!(target: "elsewhere", "b");
        }
    });
    let lines: Vec<_> = records
        .iter()
        .map(|record| record["log.origin.file.line"].clone())
        .collect();
    assert_eq!(lines[0], lines[2]);
    assert_ne!(lines[0], lines[1]);
    assert_eq!(records[3]["log.logger"], "elsewhere");

    // The same callsite in a layer with other options.
    let plain = capture(json().with_target(false), || info!("a"));
    assert_eq!(plain[0].get("log.logger"), None);
}

#[test]
fn spans_are_listed_from_the_outermost_and_can_be_omitted() {
    let run = || {
        let _outer = info_span!("outer").entered();
        let _inner = info_span!("inner", n = 1).entered();
        info!("x");
    };
    let expected = value!([{"name": "outer"}, {"name": "inner", "fields": {"n": 1}}]);
    assert_eq!(one(run)["spans"], expected);
    let without: Vec<Value> = capture(json().with_spans(false), run);
    assert_eq!(without[0].get("spans"), None);
}
