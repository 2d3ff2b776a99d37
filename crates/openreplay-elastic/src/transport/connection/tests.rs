use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const KEY: &str = "aWQtb2Yta2V5OnNlY3JldC1vZi1rZXk=";

fn error_of(builder: ConnectionBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert!(error.is_config());
    error.to_string()
}

#[test]
fn reads_addresses_as_people_write_them() {
    for (given, read) in [
        ("http://localhost:9200", "http://localhost:9200"),
        ("https://elastic", "https://elastic"),
        (" https://elastic:443/ ", "https://elastic:443"),
        ("https://proxy:443/es/", "https://proxy:443/es"),
        ("http://[::1]:9200", "http://[::1]:9200"),
        ("http://user:pass@elastic:9200", "http://elastic:9200"),
        ("http://user:p%40ss@elastic", "http://elastic"),
        ("HTTP://elastic:9200", "http://elastic:9200"),
    ] {
        let connection = Connection::builder(given).build().unwrap();
        assert_eq!(connection.nodes().collect::<Vec<_>>(), [read], "{given}");
    }
}

#[test]
fn names_what_is_wrong_with_an_address_without_its_password() {
    for (given, expected) in [
        (
            "elastic:9200",
            "an address has no scheme: expected one such as https://elastic:9200",
        ),
        (
            "ftp://user:hunter2@elastic",
            "an address is neither http nor https: expected one such as https://elastic:9200",
        ),
        (
            "http://user:hunter2@elastic/?pretty",
            "the address of http://elastic has a query or a fragment: expected one such as https://elastic:9200",
        ),
        (
            "http://user:hunter2@",
            "an address cannot be read: expected one such as https://elastic:9200",
        ),
        (
            "http://us%zzer:hunter2@elastic",
            "the user or the password in an address is not percent-encoded UTF-8",
        ),
        (
            "http://user:hunter/2@elastic:9200",
            "an address has an `@` after its host: a `/`, `?` or `#` in a password must be written `%2F`, `%3F` or `%23`",
        ),
        (
            "http://user:hunter?2@elastic:9200",
            "an address has an `@` after its host: a `/`, `?` or `#` in a password must be written `%2F`, `%3F` or `%23`",
        ),
        (
            "http://user@hunter#2@elastic:9200",
            "an address has an `@` after its host: a `/`, `?` or `#` in a password must be written `%2F`, `%3F` or `%23`",
        ),
        (
            "elastic:hunter2@https://elastic:9200",
            "an address cannot be read: expected one such as https://elastic:9200",
        ),
        (
            "https://elastic?api_key=hunter2",
            "the address of https://elastic has a query or a fragment: expected one such as https://elastic:9200",
        ),
        (
            "https://elastic:hunter2",
            "an address has no port from 1 to 65535 after its colon: expected one such as https://elastic:9200",
        ),
        (
            "user:hunter2@elastic",
            "an address has no scheme: expected one such as https://elastic:9200",
        ),
    ] {
        assert_eq!(error_of(Connection::builder(given)), expected, "{given}");
    }
}

#[test]
fn takes_credentials_from_the_address_or_from_the_builder() {
    let by_address = Connection::builder("http://me:p%40ss@elastic")
        .build()
        .unwrap();
    let by_builder = Connection::builder("http://elastic")
        .basic("me", "p@ss")
        .build()
        .unwrap();
    assert_eq!(by_address.auth, by_builder.auth);
    assert_eq!(
        error_of(Connection::builder("http://me:pass@elastic").api_key(KEY)),
        "there are two different credentials, one of them in an address: keep only one"
    );
}

#[test]
fn takes_an_api_key_encoded_or_as_its_two_parts() {
    let encoded = Auth::api_key(KEY).unwrap();
    assert_eq!(encoded, Auth::api_key("id-of-key:secret-of-key").unwrap());
    for wrong in ["", "secret-of-key", "c2VjcmV0", ":secret", "id:"] {
        assert!(Auth::api_key(wrong).unwrap_err().is_config(), "{wrong:?}");
    }
}

#[test]
fn shows_no_secret() {
    for builder in [
        Connection::builder("http://elastic").api_key(KEY),
        Connection::builder("http://elastic").basic("me", "secret-of-key"),
        Connection::builder("http://elastic").bearer("secret-of-key"),
        Connection::builder("http://me:secret-of-key@elastic"),
    ] {
        let before = format!("{builder:?}");
        let after = format!("{:#?}", builder.build().unwrap());
        for shown in [before, after] {
            assert!(!shown.contains("secret-of-key"), "{shown}");
            assert!(!shown.contains(KEY), "{shown}");
            assert!(
                !shown.contains(&STANDARD.encode("me:secret-of-key")),
                "{shown}"
            );
        }
    }
}

#[test]
fn reads_an_elastic_cloud_id() {
    for (inside, read) in [
        (
            "eu.cloud.example$abc$def",
            "https://abc.eu.cloud.example:443",
        ),
        (
            "eu.cloud.example:9243$abc$def",
            "https://abc.eu.cloud.example:9243",
        ),
        (
            "eu.cloud.example$abc:9244$",
            "https://abc.eu.cloud.example:9244",
        ),
    ] {
        let id = format!("my-cluster:{}", STANDARD.encode(inside));
        let connection = Connection::cloud(id).build().unwrap();
        assert_eq!(connection.nodes().collect::<Vec<_>>(), [read]);
    }
    let evil = format!("x:{}", STANDARD.encode("h/$user@other"));
    for wrong in ["", "name", "name:***", &evil] {
        assert!(
            error_of(Connection::cloud(wrong)).starts_with("the Elastic Cloud id cannot be read")
        );
    }
}

#[test]
fn wants_an_address_and_certificates_that_are_some() {
    assert_eq!(
        error_of(ConnectionBuilder::default()),
        "there is no address: expected one such as https://elastic:9200"
    );
    assert_eq!(
        error_of(Connection::builder("https://elastic").ca_pem("hello")),
        "the certificates of the authority cannot be used: expected PEM text with at least one \
         `-----BEGIN CERTIFICATE-----`"
    );
}

/// Each byte percent-encoded, but for letters and digits.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02x}")
        }
    };
    text.bytes().map(byte).collect()
}

proptest! {
    #[test]
    fn an_address_that_is_accepted_is_read_back_as_itself(
        url in "(http|https|HTTP|ftp|)(://|:/|:)([a-z]{1,3}@)?([a-z0-9.-]{0,9}|\\[::1\\]|.{0,3})(:[0-9]{0,6})?(/[a-z%0-9/]{0,6}|[?#].?|.{0,3})",
    ) {
        let nodes = |url: &str| {
            let connection = Connection::builder(url).no_proxy().build().ok();
            connection.map(|connection| connection.nodes)
        };
        if let Some(read) = nodes(&url) {
            let [node] = &read[..] else { panic!("{read:?}") };
            let text = node.as_str();
            prop_assert!(text.starts_with("http://") || text.starts_with("https://"), "{text}");
            prop_assert!(!text.contains(['@', '?', '#']) && !text.ends_with('/'), "{text}");
            let uri = node.uri("/logs/_search").unwrap();
            prop_assert_eq!(uri.to_string(), format!("{text}/logs/_search"));
            prop_assert!(uri.host().is_some_and(|host| !host.is_empty()));
            prop_assert_eq!(nodes(text), Some(read));
        }
    }

    #[test]
    fn credentials_in_an_address_are_those_that_were_encoded(user in "[^:]{1,9}", password in ".{0,9}") {
        let url = format!("https://{}:{}@elastic:9200", encoded(&user), encoded(&password));
        let connection = Connection::builder(url).no_proxy().build().unwrap();
        let expected = Auth::basic(&user, &password).unwrap();
        prop_assert!(connection.auth == expected);
        prop_assert_eq!(connection.nodes().collect::<Vec<_>>(), ["https://elastic:9200"]);
    }

    #[test]
    fn shows_no_part_of_user_info_or_query(
        form in 0..7,
        before in "[a-z%:/?#@,. ]{0,6}",
        after in "[a-z%:/?#@,. ]{0,6}",
    ) {
        // not what anyone would call a host
        let secret = format!("{before}QZX{after}");
        let url = match form {
            0 => format!("https://{secret}:word@elastic:9200"),
            1 => format!("https://elastic:{secret}@elastic:9200"),
            2 => format!("elastic:{secret}@https://elastic:9200"),
            3 => format!("{secret}:word@https://elastic:9200"),
            4 => format!("https://elastic:9200?api_key={secret}"),
            5 => format!("https://elastic:9200#{secret}"),
            _ => format!("ftp://elastic:{secret}@elastic?{secret}"),
        };
        let builder = Connection::builder(&url);
        let mut shown = format!("{builder:?}");
        match builder.build() {
            Ok(connection) => shown.push_str(&format!("{connection:?}")),
            Err(error) => shown.push_str(&format!("{error} {error:?}")),
        }
        prop_assert!(!shown.to_uppercase().contains("QZX"), "{url}: {shown}");
    }
}
