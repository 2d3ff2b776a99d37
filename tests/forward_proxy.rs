//! The command and the writer behind an HTTP proxy: only the proxy can resolve the name of the
//! host.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::forward_proxy::ForwardProxy;
use integration_tests::port::free_port;
use integration_tests::ship::{Killed, ship};
use integration_tests::{CommandOutput, StandIn, TlsProxy};
use openreplay_elastic::ElasticWriter;

/// Only the proxy can resolve this host.
const HTTP: &str = "http://elastic.invalid:9200";
const HTTPS: &str = "https://elastic.invalid:9200";
/// `me:not to be seen`, encoded for a URL and for a header.
const USER: &str = "me:not%20to%20be%20seen";
const AUTH: &str = "Basic bWU6bm90IHRvIGJlIHNlZW4=";
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `ship --once` with one record.
fn ship_one(url: &str, variables: &[(&str, String)], args: &[&str]) -> CommandOutput {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.log"), "{\"n\":1}\n").unwrap();
    let mut command = ship(url, folder.path(), "app.log");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
        .envs(variables.iter().cloned())
        .arg("--once")
        .args(args);
    CommandOutput::of(&mut command)
}

#[test]
fn the_command_sends_the_full_url_of_http_requests_to_the_proxy() {
    let server = StandIn::start();
    server.keep_received();
    let proxy = ForwardProxy::start(server.address(), Some(AUTH));
    let url = format!("http://{USER}@{}", proxy.address());
    let output = ship_one(HTTP, &[("HTTP_PROXY", url)], &[]);
    assert_eq!((output.code, server.stored()), (Some(0), 1), "{output:?}");
    let requests = proxy.requests();
    let is_whole = |request: &String| request.contains(" http://elastic.invalid:9200/");
    assert!(requests.iter().all(is_whole), "{requests:?}");
    let shown = format!("{output:?}{:?}", server.received());
    assert!(
        !shown.contains("not%20") && !shown.contains(AUTH),
        "{shown}"
    );
}

#[test]
fn the_command_sends_https_through_a_tunnel_that_ends_at_the_node() {
    let server = StandIn::start();
    server.keep_received();
    let tls = TlsProxy::start(server.address(), "elastic.invalid");
    let proxy = ForwardProxy::start(tls.url().trim_start_matches("https://"), Some(AUTH));
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    fs::write(&authority, tls.authority()).unwrap();
    let url = format!("http://{USER}@{}", proxy.address());
    let args = ["--ca-cert", authority.to_str().unwrap()];
    let output = ship_one(HTTPS, &[("HTTPS_PROXY", url)], &args);
    assert_eq!((output.code, server.stored()), (Some(0), 1), "{output:?}");
    let requests = proxy.requests();
    let is_tunnel = |request: &String| request == "CONNECT elastic.invalid:9200 HTTP/1.1";
    assert!(requests.iter().all(is_tunnel), "{requests:?}");
    let received = server.received().concat().to_lowercase();
    assert!(!received.contains("proxy-authorization"), "{received}");
}

#[test]
fn the_writer_sends_through_the_proxy() {
    let server = StandIn::start();
    let proxy = ForwardProxy::start(server.address(), Some(AUTH));
    let builder = ElasticWriter::builder(HTTP).proxy(format!("http://{USER}@{}", proxy.address()));
    assert!(!format!("{builder:?}").contains("not%20"), "{builder:?}");
    let (writer, guard) = builder.build().unwrap();
    writer.write_line(b"{\"n\":1}");
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_eq!(server.stored(), 1);
}

#[test]
fn excluded_hosts_and_loopback_addresses_need_no_proxy() {
    let server = StandIn::start();
    let proxy = ForwardProxy::start(server.address(), None);
    let url = format!("http://{}", proxy.address());
    let excluded = [
        ("ALL_PROXY", url.clone()),
        ("NO_PROXY", "invalid".to_owned()),
    ];
    let output = ship_one(HTTP, &excluded, &[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    let output = ship_one(server.url(), &[("ALL_PROXY", url)], &[]);
    assert_eq!((output.code, server.stored()), (Some(0), 1), "{output:?}");
    assert_eq!(proxy.requests(), [""; 0]);
}

#[test]
fn an_error_names_the_proxy_without_its_password() {
    let server = StandIn::start();
    let refusing = ForwardProxy::start(server.address(), Some("Basic other"));
    let nobody = format!("127.0.0.1:{}", free_port());
    for (node, variable) in [(HTTP, "HTTP_PROXY"), (HTTPS, "HTTPS_PROXY")] {
        for (proxy, text) in [
            (
                refusing.address(),
                "rejected the request: missing or wrong credentials (407)",
            ),
            (&nobody, "is unreachable"),
        ] {
            let url = format!("http://{USER}@{proxy}");
            let output = ship_one(node, &[(variable, url)], &["--json"]);
            assert_eq!(output.code, Some(1), "{output:?}");
            let error = &output.json()["error"];
            assert_eq!(error["kind"], "unreachable", "{output:?}");
            let expected = format!("the proxy {proxy} {text}");
            assert!(
                error["text"].as_str().unwrap().contains(&expected),
                "{output:?}"
            );
            assert!(!format!("{output:?}").contains("not%20"), "{output:?}");
        }
    }
    let output = ship_one(HTTP, &[("HTTP_PROXY", "socks5://proxy".to_owned())], &[]);
    assert_eq!(output.code, Some(2), "{output:?}");
}

/// `0.0.0.0` also leads to this machine, but it is not a loopback address.
#[test]
#[ignore = "needs tinyproxy"]
fn tinyproxy_forwards_to_the_server_with_and_without_tls() {
    let elsewhere = |url: &str| url.replace("127.0.0.1", "0.0.0.0");
    let server = StandIn::start();
    let tls = TlsProxy::start(server.address(), "0.0.0.0");
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    fs::write(&authority, tls.authority()).unwrap();
    let settings = folder.path().join("tinyproxy.conf");
    let port = free_port();
    let lines = format!("Port {port}\nListen 127.0.0.1\nTimeout 60\nBasicAuth me secret\n");
    fs::write(&settings, lines).unwrap();
    let mut tinyproxy = Command::new("tinyproxy");
    let _running = Killed::start(tinyproxy.args(["-d", "-c"]).arg(settings));
    let deadline = Instant::now() + LIMIT;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "tinyproxy does not listen");
        thread::sleep(Duration::from_millis(10));
    }

    let proxy = format!("http://me:secret@127.0.0.1:{port}");
    let http = elsewhere(server.url());
    let output = ship_one(&http, &[("HTTP_PROXY", proxy.clone())], &[]);
    assert_eq!((output.code, server.stored()), (Some(0), 1), "{output:?}");
    let args = ["--ca-cert", authority.to_str().unwrap()];
    let output = ship_one(&elsewhere(&tls.url()), &[("HTTPS_PROXY", proxy)], &args);
    assert_eq!((output.code, server.stored()), (Some(0), 2), "{output:?}");
    let nobody = format!("http://127.0.0.1:{port}");
    let output = ship_one(&http, &[("HTTP_PROXY", nobody)], &[]);
    assert!(output.err.contains("(407)"), "{output:?}");
}
