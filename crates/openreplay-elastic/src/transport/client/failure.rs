//! Why a request got no complete response, and what to do about it.

use std::error::Error as StdError;
use std::io;
use std::iter;
use std::time::Duration;

use http_body_util::LengthLimitError;
use hyper_util::client::legacy;
use openreplay_record::causes;
use rustls::{AlertDescription, CertificateError};

use super::MIB;
use super::connector::TunnelError;
use crate::transport::connection::{Node, Proxy};
use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;

pub(super) fn timed_out(node: &Node, limit: Duration) -> Error {
    let text = format!("no response from {} within {limit:?}", node.as_str());
    Error::new(ErrorKind::Timeout, text).with_remedy(
        "check whether it is overloaded, and whether a firewall or a proxy in between holds requests back",
    )
}

/// The error of a request that got not even the head of a response.
pub(super) fn no_response(node: &Node, proxy: Option<&Proxy>, error: legacy::Error) -> Error {
    if !error.is_connect() {
        // With TLS 1.3, the server rejects a client certificate after the client has sent its
        // request, which it then does not read.
        return match find::<rustls::Error>(&error) {
            Some(cause) if rejects_client(cause) => tls(node, cause).with_source(error),
            _ => disconnected(node, error),
        };
    }
    let tunnel = proxy.zip(find::<TunnelError>(&error));
    let failed = match (find::<rustls::Error>(&error), tunnel) {
        (Some(cause), _) => tls(node, cause),
        (None, Some((proxy, cause))) => no_tunnel(node, proxy, cause),
        (None, None) if node.is_https() && is_cut_off(&error) => Error::new(
            ErrorKind::Tls,
            format!(
                "{} closed the connection during the TLS handshake",
                node.as_str()
            ),
        )
        .with_remedy(NOT_TLS),
        (None, None) => unreachable(node, proxy),
    };
    failed.with_source(error)
}

fn unreachable(node: &Node, proxy: Option<&Proxy>) -> Error {
    let (text, remedy) = match proxy {
        None => (
            format!("{} is unreachable", node.as_str()),
            "check that it is running and that the address is right",
        ),
        Some(proxy) => (
            format!("the proxy {} is unreachable", proxy.name()),
            "check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or exclude Elasticsearch's host with NO_PROXY",
        ),
    };
    Error::new(ErrorKind::Connect, text).with_remedy(remedy)
}

/// The error of a proxy that does not connect to the node.
fn no_tunnel(node: &Node, proxy: &Proxy, cause: &TunnelError) -> Error {
    match cause {
        TunnelError::ConnectFailed(_) => unreachable(node, Some(proxy)),
        TunnelError::ProxyAuthRequired => proxy_demands_credentials(proxy),
        _ => Error::new(
            ErrorKind::Connect,
            format!(
                "the proxy {} does not connect to {}",
                proxy.name(),
                node.as_str()
            ),
        )
        .with_remedy("allow its host and port in the proxy, or exclude the host with NO_PROXY"),
    }
}

pub(super) fn proxy_demands_credentials(proxy: &Proxy) -> Error {
    Error::new(
        ErrorKind::Connect,
        format!(
            "the proxy {} rejected the request: missing or wrong credentials (407)",
            proxy.name()
        ),
    )
    .with_remedy(
        "put the user and the password into the proxy's URL: http://user:password@proxy:3128",
    )
}

/// The error of a response that broke off after its head.
pub(super) fn incomplete(
    node: &Node,
    error: Box<dyn StdError + Send + Sync>,
    limit: usize,
) -> Error {
    if error.is::<LengthLimitError>() {
        let text = format!(
            "the response of {} is longer than the limit of {} MiB",
            node.as_str(),
            limit / MIB
        );
        return Error::new(ErrorKind::ResponseTooLong, text)
            .with_remedy("check whether the records behind `logs` are that large");
    }
    let text = format!(
        "{} closed the connection before its response was complete",
        node.as_str()
    );
    Error::new(ErrorKind::Disconnected, text)
        .with_remedy(
            "check whether it was restarted, and whether a proxy in between has shorter time limits",
        )
        .with_source(error)
}

fn disconnected(node: &Node, error: legacy::Error) -> Error {
    let is_http = find::<hyper::Error>(&error).is_some_and(|error| !error.is_parse());
    let what = if is_http {
        "closed the connection without a response"
    } else {
        "did not respond in HTTP"
    };
    let text = format!("{} {what}", node.as_str());
    let remedy = match (is_http, node.is_https()) {
        (true, true) => {
            "check whether it was restarted, and whether a proxy in between has shorter time limits"
        }
        (true, false) => {
            "check whether the port expects https, whether it was restarted, and whether a proxy in between has shorter time limits"
        }
        (false, true) => "check the port in the address",
        (false, false) => "check the port in the address, and use https if the port expects it",
    };
    Error::new(ErrorKind::Disconnected, text)
        .with_remedy(remedy)
        .with_source(error)
}

/// Whether the server demands a client certificate, or another one.
fn rejects_client(cause: &rustls::Error) -> bool {
    use AlertDescription::*;
    let rustls::Error::AlertReceived(alert) = cause else {
        return false;
    };
    matches!(
        alert,
        AccessDenied
            | BadCertificate
            | CertificateExpired
            | CertificateRequired
            | CertificateRevoked
            | CertificateUnknown
            | UnknownCA
            | UnsupportedCertificate
    )
}

const NOT_TLS: &str = "check the port in the address, and that TLS is switched on there (xpack.security.http.ssl.enabled in \
                       Elasticsearch's settings)";

fn tls(node: &Node, cause: &rustls::Error) -> Error {
    let address = node.as_str();
    let (text, remedy) = match cause {
        rustls::Error::InvalidCertificate(cause) => return certificate(address, cause),
        rustls::Error::InvalidMessage(_) => (format!("{address} does not speak TLS"), NOT_TLS),
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(_) => (
            format!("{address} ended the TLS handshake ({cause})"),
            "check that the server accepts TLS 1.2 or 1.3, and whether it demands a client certificate",
        ),
        _ => (
            format!("TLS failed at {address} ({cause})"),
            "check the server's TLS settings, and whether a proxy in between replaces its certificate",
        ),
    };
    Error::new(ErrorKind::Tls, text).with_remedy(remedy)
}

fn certificate(address: &str, cause: &CertificateError) -> Error {
    let (text, remedy) = match cause {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate of {address} has expired"),
            "renew it on the server; if it is still valid, set this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("the certificate of {address} is not valid yet"),
            "set this machine's clock, or replace the certificate on the server",
        ),
        CertificateError::UnknownIssuer => (
            format!("the certificate of {address} is signed by an unknown authority"),
            "pass the certificate of that authority (--ca-cert FILE, or ca_pem() in an app)",
        ),
        CertificateError::NotValidForName => (
            format!("the certificate of {address} is for another name"),
            "use the name in the certificate as the host of the address",
        ),
        CertificateError::NotValidForNameContext { presented, .. } => (
            format!(
                "the certificate of {address} is for another name: {}",
                presented.join(", ")
            ),
            "use a name in the certificate as the host of the address",
        ),
        cause => (
            format!("the certificate of {address} cannot be trusted ({cause})"),
            "replace it on the server",
        ),
    };
    Error::new(ErrorKind::Tls, text).with_remedy(remedy)
}

/// Returns the error if it is of this type, or else its first cause that is.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    iter::once(error).chain(causes::all(error)).find_map(found)
}

/// Returns the error if it is of this type. An `io::Error` has the source of the error that it
/// wraps, but not that error, among its causes.
fn found<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut error = error;
    loop {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        error = error.downcast_ref::<io::Error>()?.get_ref()? as _;
    }
}

fn is_cut_off(error: &legacy::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
        )
    })
}
