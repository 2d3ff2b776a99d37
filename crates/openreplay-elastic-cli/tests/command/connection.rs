//! Addresses and credentials, none of which is repeated.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;

use super::{CommandOutput, ENCODED, SECRET, SESSION, run, run_with};

#[test]
fn an_elastic_cloud_id_stands_for_an_address() {
    // The host of the id is one that no resolver knows.
    let id = "mine:Y2xvdWQuaW52YWxpZCRhYmMkZGVm";
    for output in [
        run(&["--cloud-id", id, "setup"]),
        run_with(&[("ELASTICSEARCH_CLOUD_ID", id)], &["setup"]),
    ] {
        assert_eq!(output.code, Some(1), "{output:?}");
        let host = "https://abc.cloud.invalid:443 is unreachable";
        assert!(output.err.contains(host), "{output:?}");
    }
    let both = ["--cloud-id", id, "--url", "http://127.0.0.1:1", "setup"];
    assert_eq!(run(&both).code, Some(2));
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_rejected_and_not_repeated() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    for name in ["URL", "API_KEY", "USER", "PASSWORD"] {
        let name = format!("ELASTICSEARCH_{name}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_openreplay-elastic"));
        command
            .env_clear()
            .env("ELASTICSEARCH_URL", "http://127.0.0.1:1")
            .env(&name, OsStr::from_bytes(b"not-to-be-seen\xff"));
        let output = CommandOutput::from(command.arg("setup").output().unwrap());
        assert_eq!(output.code, Some(2), "{name}: {output:?}");
        let text = format!("error: {name} is not UTF-8: correct it or unset it\n");
        assert_eq!(output.err, text);
    }
}

#[test]
fn without_an_address_the_error_shows_how_to_set_one() {
    let commands: [&[&str]; 6] = [
        &["setup"],
        &["api-key"],
        &["check"],
        &["logs", SESSION],
        &["rotate"],
        &[
            "ship",
            "--once",
            "--checkpoint",
            "/nowhere/ship.json",
            "app.log",
        ],
    ];
    for args in commands {
        let output = run(args);
        assert_eq!(
            (output.code, &output.out[..]),
            (Some(2), ""),
            "{args:?}: {output:?}"
        );
        let text = "error: no address: pass --url or set ELASTICSEARCH_URL, such as http://localhost:9200\n";
        assert_eq!(output.err, text, "{args:?}");
    }
}

#[test]
fn a_password_in_an_address_is_rejected_and_not_repeated() {
    let address = format!("http://elastic:{SECRET}@127.0.0.1:1");
    for output in [
        run(&["--url", &address, "setup"]),
        run(&["check", "--url", &address, "--json"]),
    ] {
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.err.contains("ELASTICSEARCH_PASSWORD"), "{output:?}");
        assert!(!format!("{output:?}").contains(SECRET), "{output:?}");
    }
}

#[test]
fn no_secret_is_repeated_where_elasticsearch_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, SECRET).unwrap();
    let file = file.to_str().unwrap();
    let key_file = folder.path().join("key");
    fs::write(&key_file, ENCODED).unwrap();
    let key_file = key_file.to_str().unwrap();
    let user = [
        ("ELASTICSEARCH_USER", "elastic"),
        ("ELASTICSEARCH_PASSWORD", SECRET),
    ];
    let key = [("ELASTICSEARCH_API_KEY", ENCODED)];
    let by_file = ["--user", "elastic", "--password-file", file];
    for (variables, options) in [
        (&user[..], &[][..]),
        (&key, &[]),
        (&[], &by_file),
        (&[], &["--api-key-file", key_file]),
    ] {
        for subcommand in [
            &["setup"][..],
            &["api-key", "--json"],
            &["logs", SESSION],
            &["rotate"],
        ] {
            let args = [&["--url", "http://127.0.0.1:1"], options, subcommand].concat();
            let output = run_with(variables, &args);
            assert_eq!(output.code, Some(1), "{args:?}: {output:?}");
            assert_eq!(
                output.out.is_empty(),
                !args.contains(&"--json"),
                "{output:?}"
            );
            assert!(output.err.starts_with("error: "), "{args:?}: {output:?}");
            let all = format!("{output:?}");
            assert!(!all.contains(SECRET) && !all.contains(ENCODED), "{all}");
        }
    }
}

#[test]
fn a_key_that_is_not_encoded_is_rejected_and_not_repeated() {
    let key = [("ELASTICSEARCH_API_KEY", SECRET)];
    let output = run_with(&key, &["--url", "http://127.0.0.1:1", "check"]);
    assert_eq!((output.code, &output.out[..]), (Some(2), ""));
    assert!(
        output.err.contains("`encoded`") && !output.err.contains(SECRET),
        "{output:?}"
    );
}

#[test]
fn a_user_who_was_passed_over_for_a_key_is_named_where_the_key_may_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
            while head.next().is_some_and(|line| !line.is_empty()) {}
            let body = r#"{"error":{"type":"security_exception","reason":"as told"},"status":403}"#;
            let response = format!(
                "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = (&stream).write_all(response.as_bytes());
        }
    });
    let key = ("ELASTICSEARCH_API_KEY", "YTpi");
    let user = ("ELASTICSEARCH_USER", "elastic");
    let password = ("ELASTICSEARCH_PASSWORD", "not-to-be-seen");
    for (variables, is_named) in [
        (&[key, user, password][..], true),
        (&[key], false),
        (&[user, password], false),
    ] {
        let output = run_with(variables, &["--url", &url, "setup"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        let hint =
            "because: ELASTICSEARCH_API_KEY is set and takes precedence over ELASTICSEARCH_USER";
        assert_eq!(output.err.contains(hint), is_named, "{output:?}");
    }
}

#[test]
fn credentials_over_http_to_another_machine_are_a_warning() {
    // a name that nothing resolves
    let remote = "http://elastic.invalid:9200";
    let key = [("ELASTICSEARCH_API_KEY", ENCODED)];
    for (url, variables, warns) in [
        (remote, &key[..], true),
        ("https://elastic.invalid:9200", &key, false),
        ("http://127.0.0.1:1", &key, false),
        ("http://localhost:1", &key, false),
        ("http://[::1]:1", &key, false),
        (remote, &[], false),
    ] {
        let output = run_with(variables, &["--url", url, "rotate"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        let warning =
            format!("warning: the credentials are sent to {url} in clear text; use https\n");
        assert_eq!(output.err.starts_with(&warning), warns, "{output:?}");
    }
}
