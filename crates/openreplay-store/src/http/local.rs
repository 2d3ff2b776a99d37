//! A store without keys is for the programs of its machine. Web pages in a browser there can send
//! requests to it, too.

use std::net::IpAddr;

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, StatusCode};

use super::error::Problem;

/// Rejects what a web page can send to a store without keys.
///
/// A browser does not send JSON to another site without asking that site first. A page whose own
/// name leads to this machine can send JSON and read responses, but its requests have that name as
/// their host.
pub(super) fn check(head: &Parts, is_write: bool) -> Result<(), Problem> {
    if !is_for_this_machine(head) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "security_exception",
            "a store without keys responds only to requests to a loopback address or [localhost]",
        ));
    }
    if is_write && !is_json(head.headers.get(CONTENT_TYPE)) {
        return Err(Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "media_type_header_exception",
            "a store without keys requires the Content-Type [application/json] or [application/x-ndjson]",
        ));
    }
    Ok(())
}

fn is_for_this_machine(head: &Parts) -> bool {
    match (head.uri.authority(), head.headers.get(HOST)) {
        (Some(authority), _) => is_loopback(authority),
        (None, Some(host)) => {
            Authority::try_from(host.as_bytes()).is_ok_and(|authority| is_loopback(&authority))
        }
        // no browser sends a request without a host
        (None, None) => true,
    }
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host().to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

fn is_json(media_type: Option<&HeaderValue>) -> bool {
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next());
    let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
    // such as `application/vnd.elasticsearch+json`
    media_type.starts_with("application/") && media_type.ends_with("json")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn status(uri: &str, headers: &[(&str, &str)], is_write: bool) -> u16 {
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let checked = check(&head, is_write);
        checked.map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_the_names_of_this_machine_are_its_hosts() {
        for (host, expected) in [
            ("127.0.0.1:9200", 200),
            ("127.9.9.9", 200),
            ("[::1]:9200", 200),
            ("localhost", 200),
            ("LocalHost:80", 200),
            ("store.localhost", 200),
            ("evil.example:9200", 403),
            ("localhost.evil.example", 403),
            ("127.0.0.1.evil.example", 403),
            ("192.168.0.1", 403),
            ("a@127.0.0.1@evil.example", 403),
            ("", 403),
        ] {
            let found = status("/logs/_search", &[("host", host)], false);
            assert_eq!(found, expected, "{host}");
        }
        assert_eq!(status("/logs/_search", &[], false), 200);
        // as in HTTP/2
        let found = status("http://evil.example/", &[("host", "localhost")], false);
        assert_eq!(found, 403);
    }

    #[test]
    fn what_a_page_can_send_to_other_sites_is_not_stored() {
        for (media_type, expected) in [
            ("application/json", 200),
            ("Application/X-NDJSON; charset=UTF-8", 200),
            (
                "application/vnd.elasticsearch+x-ndjson; compatible-with=9",
                200,
            ),
            ("text/plain", 406),
            ("text/plain; json", 406),
            ("application/x-www-form-urlencoded", 406),
            ("multipart/form-data; boundary=application/json", 406),
            ("", 406),
        ] {
            let headers = [("content-type", media_type)];
            assert_eq!(status("/_bulk", &headers, true), expected, "{media_type}");
            assert_eq!(status("/logs/_search", &headers, false), 200);
        }
        assert_eq!(status("/_bulk", &[], true), 406);
    }
}
