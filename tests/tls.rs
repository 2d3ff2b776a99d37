//! The writer and the command over TLS: they deliver to servers that they trust, and report the
//! others.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use integration_tests::{CommandOutput, StandIn, TlsProxy, openreplay_elastic};
use openreplay_elastic::ElasticWriter;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

fn line() -> String {
    json!({"level": "error", "message": "[openReplaySession.id=7] m"}).to_string()
}

#[test]
fn the_writer_delivers_with_the_authoritys_certificate() {
    let server = StandIn::start();
    let proxy = TlsProxy::start(server.address(), "127.0.0.1");
    let builder = ElasticWriter::builder(proxy.url()).ca_pem(proxy.authority());
    let (writer, guard) = builder.build().unwrap();
    writer.write_line(line().as_bytes());
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_eq!(server.stored(), 1);
}

#[test]
fn the_writer_sends_nothing_to_an_untrusted_server_and_reports_why() {
    let server = StandIn::start();
    for (why, proxy, authority) in untrusted(&server) {
        let (report, output) = mpsc::channel();
        let (writer, guard) = ElasticWriter::builder(proxy.url())
            .ca_pem(authority)
            .flush_interval(Duration::from_millis(5))
            .on_diagnostic(move |text| drop(report.send(text.to_owned())))
            .build()
            .unwrap();
        writer.write_line(line().as_bytes());
        let output = output.recv_timeout(LIMIT).unwrap();
        assert!(output.contains(why), "{output}");
        assert_eq!(guard.shutdown(Duration::ZERO).left(), 1);
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn the_command_ships_with_the_authoritys_certificate() {
    let server = StandIn::start();
    let proxy = TlsProxy::start(server.address(), "127.0.0.1");
    let folder = tempfile::tempdir().unwrap();
    let [lines, checkpoint] = paths(folder.path());
    let args = ["ship", "--once", "--checkpoint", &checkpoint, &lines];
    let output = run(&proxy, proxy.authority(), &args);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(server.stored(), 1);
}

#[test]
fn the_command_sends_nothing_to_an_untrusted_server_and_reports_why() {
    let server = StandIn::start();
    for (why, proxy, authority) in untrusted(&server) {
        let output = run(&proxy, &authority, &["setup"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert_eq!(output.json()["error"]["kind"], "tls", "{output:?}");
        assert!(output.err.contains(why), "{output:?}");

        let output = run(&proxy, &authority, &["check"]);
        assert_eq!(output.code, Some(4), "{output:?}");
        let finding = &output.json()["findings"][0];
        assert_eq!(finding["fault"], "tls", "{output:?}");
        assert!(
            finding["text"].as_str().unwrap().contains(why),
            "{output:?}"
        );

        let folder = tempfile::tempdir().unwrap();
        let [lines, checkpoint] = paths(folder.path());
        let args = ["ship", "--once", "--checkpoint", &checkpoint, &lines];
        let output = run(&proxy, &authority, &args);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert_eq!(output.json()["error"]["kind"], "tls", "{output:?}");
        assert!(output.err.contains(why), "{output:?}");
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_server_that_demands_a_client_certificate_gets_it() {
    let server = StandIn::start();
    let (proxy, client) = TlsProxy::demanding_certificates(server.address(), "127.0.0.1");
    let builder = || ElasticWriter::builder(proxy.url()).ca_pem(proxy.authority());
    let with = builder().client_cert_pem(&client.certificate, &client.key);
    assert!(!format!("{with:?}").contains("PRIVATE"));
    let (writer, guard) = with.build().unwrap();
    writer.write_line(line().as_bytes());
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_eq!(server.stored(), 1);
    let (writer, guard) = builder().on_diagnostic(|_| {}).build().unwrap();
    writer.write_line(line().as_bytes());
    assert_eq!(guard.shutdown(Duration::from_millis(200)).left(), 1);

    let folder = tempfile::tempdir().unwrap();
    let [lines, checkpoint] = paths(folder.path());
    let [certificate, key] = ["client.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&certificate, &client.certificate).unwrap();
    fs::write(&key, &client.key).unwrap();
    let [certificate, key] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let ship = ["ship", "--once", "--checkpoint", &checkpoint, &lines];
    let without = run(&proxy, proxy.authority(), &ship);
    assert_eq!(without.code, Some(1), "{without:?}");
    let files = ["--client-cert", certificate, "--client-key", key];
    let output = run(&proxy, proxy.authority(), &[&ship[..], &files].concat());
    assert_eq!((output.code, server.stored()), (Some(0), 2), "{output:?}");
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_an_error_that_shows_no_key() {
    let (_, client) = TlsProxy::demanding_certificates("127.0.0.1:1", "127.0.0.1");
    let (_, other) = TlsProxy::demanding_certificates("127.0.0.1:1", "127.0.0.1");
    let secret = &other.key[60..90];
    let broken = other.key.replace("-----END", "");
    for (certificate, key, text) in [
        (
            "",
            &other.key[..],
            "the client's certificate cannot be used",
        ),
        (
            &client.certificate,
            &broken,
            "the client's private key cannot be used",
        ),
        (&client.certificate, &other.key, "do not belong together"),
    ] {
        let builder =
            ElasticWriter::builder("https://127.0.0.1:1").client_cert_pem(certificate, key);
        let error = builder.build().unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(text),
            "{error}"
        );
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
}

/// A file with a line, and a place for the checkpoint.
fn paths(folder: &Path) -> [String; 2] {
    let paths = ["app.log", "ship.json"].map(|name| folder.join(name));
    fs::write(&paths[0], line() + "\n").unwrap();
    paths.map(|path| path.to_str().unwrap().to_owned())
}

/// Why, the proxy, and the authority that is trusted.
fn untrusted(server: &StandIn) -> [(&'static str, TlsProxy, String); 3] {
    let good = TlsProxy::start(server.address(), "127.0.0.1");
    let other = TlsProxy::start(server.address(), "elsewhere.example");
    let authority = other.authority().to_owned();
    let expired = TlsProxy::start_expired(server.address(), "127.0.0.1");
    let expired_authority = expired.authority().to_owned();
    [
        ("is signed by an unknown authority", good, authority.clone()),
        ("is for another name", other, authority),
        ("has expired", expired, expired_authority),
    ]
}

fn run(proxy: &TlsProxy, authority: &str, args: &[&str]) -> CommandOutput {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, authority).unwrap();
    CommandOutput::of(
        openreplay_elastic()
            .args(["--json", "--url", &proxy.url(), "--ca-cert"])
            .arg(file.path())
            .args(args),
    )
}
