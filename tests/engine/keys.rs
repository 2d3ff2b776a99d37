//! `api-key`: what each key may do, and the error if none can be created.

use integration_tests::engine::PASSWORD;
use integration_tests::{CommandOutput, Elasticsearch, Engine, OpenSearch, openreplay_elastic};
use openreplay_elastic::ElasticWriter;
use serde_json::{Value, json};
use std::time::Duration;

use crate::{record, store};

/// Makes a key, and gives what `--json` prints.
#[track_caller]
pub(crate) fn key(engine: &Engine, args: &[&str]) -> Value {
    let output = engine.command(&[&["api-key", "--json"], args].concat());
    assert_eq!(output.code, Some(0), "{output:?}");
    output.json()
}

/// Sends a request with a key; returns the status.
pub(crate) fn status(engine: &Engine, key: &Value, method: &str, path: &str, body: &str) -> u16 {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", engine.url()))
        .header(
            "authorization",
            format!("ApiKey {}", key["encoded"].as_str().unwrap()),
        )
        .header("content-type", "application/json");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .build()
        .into();
    agent
        .run(request.body(body.to_owned()).unwrap())
        .unwrap()
        .status()
        .as_u16()
}

#[test]
#[ignore = "needs Elasticsearch"]
fn openreplays_key_may_read_logs_and_nothing_else() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    engine.ok(
        "PUT",
        "/other-log/_doc/1?refresh=true",
        r#"{"message":"private"}"#,
    );
    let least = key(&engine, &[]);
    assert_eq!(least["name"], "openreplay-api-key");
    assert_eq!(status(&engine, &least, "GET", "/logs/_search", ""), 200);
    for (method, path, body) in [
        ("GET", "/other-log/_search", ""),
        ("POST", "/logs/_doc", "{}"),
        ("GET", "/_cluster/health", ""),
        ("DELETE", "/logs-000001", ""),
    ] {
        assert_eq!(
            status(&engine, &least, method, path, body),
            403,
            "{method} {path}"
        );
    }
    assert_eq!(engine.query_as_openreplay(&least, None).unwrap().len(), 1);

    let wider = key(&engine, &["--index", "other-log,third"]);
    assert_eq!(
        status(&engine, &wider, "GET", "/other-log/_search", ""),
        200
    );

    let documented = key(&engine, &["--documented", "--expires-in", "1d"]);
    assert_eq!(
        status(&engine, &documented, "GET", "/other-log/_search", ""),
        200
    );
    assert_eq!(
        status(&engine, &documented, "GET", "/_cluster/health", ""),
        200
    );
    assert!(documented["expiration"].is_u64());
    assert_eq!(
        engine.query_as_openreplay(&documented, None).unwrap().len(),
        1
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn the_writers_key_may_add_records_and_nothing_else() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let writers = key(&engine, &["--writer"]);
    for (method, path, body) in [
        ("GET", "/logs/_search", ""),
        ("DELETE", "/logs-000001", ""),
        ("PUT", "/logs-000001/_doc/openreplay-elastic-setup", "{}"),
        ("PUT", "/logs-000099", ""),
        ("GET", "/_cluster/health", ""),
    ] {
        assert_eq!(
            status(&engine, &writers, method, path, body),
            403,
            "{method} {path}"
        );
    }
    let builder =
        ElasticWriter::builder(engine.url()).api_key(writers["encoded"].as_str().unwrap());
    let (writer, guard) = builder.build().unwrap();
    for n in 0..100 {
        writer.write_line(record("5", "info", &format!("m{n}")).to_string().as_bytes());
    }
    let done = guard.shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done:?}");
    engine.ok("POST", "/logs/_refresh", "");
    assert_eq!(
        engine.command(&["logs", "5", "--json"]).json()["total"],
        100
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn prints_what_goes_into_which_field_and_keeps_given_secrets_to_itself() {
    let engine = Elasticsearch::start();
    store(&engine, "logs", &[record("1", "info", "m")]);
    let output = engine.command(&["api-key", "--index", "more"]);
    let mut lines: Vec<_> = output.out.lines().collect();
    let check = lines.pop().unwrap().trim_start();
    let fields: Vec<_> = lines.iter().map(|line| line[2..14].trim_end()).collect();
    assert_eq!(
        fields,
        ["URL", "API Key ID", "API Key", "Indexes"],
        "{output:?}"
    );
    assert!(output.out.contains(engine.url()) && output.out.contains("logs,more"));
    assert!(
        !output.out.contains('\u{1b}'),
        "no colours where there is no terminal"
    );
    assert!(!output.out.contains(PASSWORD) && !output.err.contains(PASSWORD));
    assert!(!output.err.contains("API_KEY"), "{output:?}");
    let encoded = check
        .strip_prefix("ELASTICSEARCH_API_KEY=")
        .and_then(|rest| rest.strip_suffix(" openreplay-elastic check"));
    let encoded = encoded.unwrap_or_else(|| panic!("{output:?}"));
    let output = engine.command_with_key(encoded, &["check"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!output.err.contains(encoded), "{output:?}");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn names_the_privilege_that_the_caller_lacks() {
    let engine = Elasticsearch::start();
    engine.ok(
        "PUT",
        "/_security/role/reader",
        r#"{"indices":[{"names":["logs"],"privileges":["read"]}]}"#,
    );
    engine.ok(
        "PUT",
        "/_security/user/reader",
        r#"{"password":"reader-password","roles":["reader"]}"#,
    );
    let mut command = openreplay_elastic();
    command
        .env("ELASTICSEARCH_PASSWORD", "reader-password")
        .args(["--url", engine.url(), "--user", "reader", "api-key"]);
    let output = CommandOutput::of(&mut command);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.err.contains("403") && output.err.contains("manage_own_api_key"),
        "{output:?}"
    );
    assert!(!output.err.contains("reader-password"));

    let one = key(&engine, &[]);
    let output = engine.command_with_key(one["encoded"].as_str().unwrap(), &["api-key"]);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(!output.err.contains(one["encoded"].as_str().unwrap()));

    // a key that may create keys still can give none a privilege
    let body = r#"{"name":"k","role_descriptors":{"r":{"cluster":["manage_api_key"]}}}"#;
    let maker = engine.ok("POST", "/_security/api_key", body);
    let output = engine.command_with_key(maker["encoded"].as_str().unwrap(), &["api-key"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.err.contains("use a user and a password"),
        "{output:?}"
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn the_privileges_that_the_help_names_suffice_for_setup_and_rotate() {
    let engine = Elasticsearch::start();
    engine.ok(
        "PUT",
        "/old",
        r#"{"mappings":{"properties":{"message":{"type":"text"}}}}"#,
    );
    let run = |name: &str, args: &[&str], cluster: &[&str], indices: &[&str], privilege: &str| {
        let role =
            json!({"cluster": cluster, "indices": [{"names": indices, "privileges": [privilege]}]});
        engine.ok("PUT", &format!("/_security/role/{name}"), &role.to_string());
        let user = json!({"password": "operator-password", "roles": [name]});
        engine.ok("PUT", &format!("/_security/user/{name}"), &user.to_string());
        let mut command = openreplay_elastic();
        command
            .env("ELASTICSEARCH_PASSWORD", "operator-password")
            .args(["--url", engine.url(), "--user", name])
            .args(args);
        let output = CommandOutput::of(&mut command);
        assert_eq!(output.code, Some(0), "{name}: {output:?}");
    };
    run(
        "founder",
        &["setup", "--also", "old"],
        &["monitor", "manage_index_templates"],
        &["logs", "logs-*", "old"],
        "all",
    );
    let args = &["rotate", "--max-age", "0s", "--keep", "1h"];
    run("rotator", args, &["monitor"], &["logs", "logs-*"], "manage");
    let output = engine.command(&["setup", "--json"]);
    assert_eq!(output.json()["write_index"], "logs-000002", "{output:?}");
}

#[test]
#[ignore = "needs OpenSearch"]
fn explains_the_error_if_security_is_off() {
    let engine = OpenSearch::start();
    let output = engine.command(&["api-key"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(
        output.err.contains("OpenReplay's form accepts any text"),
        "{output:?}"
    );
}
