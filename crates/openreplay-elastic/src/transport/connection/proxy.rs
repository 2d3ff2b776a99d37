//! The proxy in front of each node.

use std::env;
use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::Secret;
use crate::transport::error::Error;

/// Hosts that are never reached through a proxy: this machine itself.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// Which proxies to use.
#[derive(Debug, Default)]
pub(super) enum ProxyChoice {
    #[default]
    Environment,
    None,
    Url(Secret),
}

/// The proxies between this machine and the nodes. `Debug` shows no credentials.
#[derive(Clone, Default)]
pub(crate) struct Proxies(Option<Arc<Matcher>>);

/// The proxy in front of a node.
#[derive(Clone, Debug)]
pub(crate) struct Proxy(Intercept);

impl ProxyChoice {
    /// Checks the proxies in front of these addresses.
    pub(super) fn build(&self, nodes: &[Uri]) -> Result<Proxies, Error> {
        match self {
            Self::None => Ok(Proxies(None)),
            Self::Url(Secret(url)) => {
                let builder = Matcher::builder().all(url.as_str()).no(LOOPBACK);
                checked(url, "the address of the proxy")?;
                Ok(Proxies(Some(Arc::new(builder.build()))))
            }
            Self::Environment => from_environment(nodes, |name| env::var(name).ok()),
        }
    }
}

/// Reads the variables as curl does.
fn from_environment(
    nodes: &[Uri],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Proxies, Error> {
    let first = |names: &[&'static str]| {
        let found = names.iter().map(|name| (*name, variable(name)));
        let mut found = found.filter_map(|(name, value)| Some((name, value?)));
        found.find(|(_, value)| !value.is_empty())
    };
    let all = first(&["ALL_PROXY", "all_proxy"]);
    // In a CGI program, a client's header `Proxy` sets HTTP_PROXY.
    let http = match variable("REQUEST_METHOD") {
        Some(_) => first(&["http_proxy"]),
        None => first(&["HTTP_PROXY", "http_proxy"]),
    };
    let http = http.or_else(|| all.clone());
    let https = first(&["HTTPS_PROXY", "https_proxy"]).or(all);
    let no = first(&["NO_PROXY", "no_proxy"]).map_or(String::new(), |(_, value)| value);
    let no = format!("{no},{LOOPBACK}");

    // An unusable proxy is an error only if a node needs it.
    let everything = Matcher::builder().all("http://proxy").no(&*no).build();
    let is_needed = |scheme: &str| {
        let mut nodes = nodes.iter();
        nodes.any(|node| node.scheme_str() == Some(scheme) && everything.intercept(node).is_some())
    };
    let mut builder = Matcher::builder().no(no);
    for (scheme, proxy) in [("http", http), ("https", https)] {
        let Some((name, url)) = proxy else { continue };
        if is_needed(scheme) {
            checked(&url, name)?;
        }
        builder = match scheme {
            "http" => builder.http(url),
            _ => builder.https(url),
        };
    }
    Ok(Proxies(Some(Arc::new(builder.build()))))
}

/// The error repeats nothing of the address, which may contain a password.
fn checked(url: &str, name: &str) -> Result<(), Error> {
    let matcher = Matcher::builder().all(url).build();
    let proxy = matcher.intercept(&Uri::from_static("http://elastic"));
    if proxy.is_some_and(|proxy| proxy.uri().scheme_str() == Some("http")) {
        Ok(())
    } else {
        Err(Error::config(format!(
            "{name} cannot be used: expected an http proxy such as http://proxy:3128"
        )))
    }
}

impl Proxies {
    pub(crate) fn of(&self, node: &Uri) -> Option<Proxy> {
        self.0.as_ref()?.intercept(node).map(Proxy)
    }
}

impl Proxy {
    pub(crate) fn uri(&self) -> &Uri {
        self.0.uri()
    }

    /// Returns the host and the port, for messages.
    pub(crate) fn name(&self) -> &str {
        self.uri()
            .authority()
            .map_or("", |authority| authority.as_str())
    }

    pub(crate) fn auth(&self) -> Option<&HeaderValue> {
        self.0.basic_auth()
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "not-to-be-seen";

    /// Returns the proxy in front of each address, or `-`.
    fn proxies(variables: &[(&str, &str)], nodes: &[&str]) -> Result<Vec<String>, Error> {
        let nodes: Vec<Uri> = nodes.iter().map(|node| node.parse().unwrap()).collect();
        let variable = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxies = from_environment(&nodes, variable)?;
        assert!(!format!("{proxies:?}").contains(SECRET));
        let names = nodes.iter().map(|node| proxies.of(node));
        Ok(names
            .map(|proxy| proxy.map_or("-".to_owned(), |proxy| proxy.name().to_owned()))
            .collect())
    }

    #[test]
    fn the_variables_choose_the_proxy_of_each_address() {
        let (http, https) = ("http://elastic:9200", "https://elastic:9200");
        for (variables, expected) in [
            (&[][..], ["-", "-"]),
            (&[("HTTP_PROXY", "http://one:3128")], ["one:3128", "-"]),
            (&[("http_proxy", "http://one:3128")], ["one:3128", "-"]),
            (&[("HTTPS_PROXY", "http://two:8080")], ["-", "two:8080"]),
            (&[("https_proxy", "two:8080")], ["-", "two:8080"]),
            (&[("ALL_PROXY", "http://all:1")], ["all:1", "all:1"]),
            (
                &[
                    ("ALL_PROXY", "http://all:1"),
                    ("HTTPS_PROXY", "http://me:not-to-be-seen@two:2"),
                ],
                ["all:1", "two:2"],
            ),
            (
                &[("HTTP_PROXY", "http://one:1"), ("REQUEST_METHOD", "GET")],
                ["-", "-"],
            ),
            (
                &[
                    ("ALL_PROXY", "http://all:1"),
                    ("NO_PROXY", "other, elastic"),
                ],
                ["-", "-"],
            ),
            (&[("HTTP_PROXY", "")], ["-", "-"]),
        ] {
            assert_eq!(
                proxies(variables, &[http, https]).unwrap(),
                expected,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn loopback_addresses_need_no_proxy() {
        let nodes = [
            "http://localhost:9200",
            "http://127.0.0.1:9200",
            "http://[::1]:9200",
        ];
        let found = proxies(&[("HTTP_PROXY", "http://one:1")], &nodes).unwrap();
        assert_eq!(found, ["-", "-", "-"]);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_only_if_a_node_needs_it() {
        let node = ["https://elastic:9200"];
        for url in [
            "socks5://me:not-to-be-seen@proxy",
            "https://me:not-to-be-seen@proxy",
            "not-to-be-seen@@",
            "ftp://proxy",
        ] {
            let error = proxies(&[("HTTPS_PROXY", url)], &node).unwrap_err();
            assert_eq!(
                error.to_string(),
                "HTTPS_PROXY cannot be used: expected an http proxy such as http://proxy:3128"
            );
            assert!(!format!("{error:?}").contains(SECRET));
            assert!(proxies(&[("HTTP_PROXY", url)], &node).is_ok());
            let excluded = [("HTTPS_PROXY", url), ("NO_PROXY", "elastic")];
            assert!(proxies(&excluded, &node).is_ok());
        }
    }
}
