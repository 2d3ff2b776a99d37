//! HTTP/2, which a browser speaks over TLS only.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{http::Version, serve::Listener};
use integration_tests::browser;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
    server::TlsStream,
};

use crate::site::Site;

#[test]
#[ignore = "needs Chromium"]
fn the_header_arrives_over_http_2() {
    let site = Site::start_tls();
    let ran = browser::run(
        r#"
        await page.goto(args.url);
        return page.evaluate(async () => {
          const { api } = await import("/bundle/fetch.js");
          await api("/ask/http2");
          const { tracker } = await import("/bundle/session.js");
          return tracker.getSessionID();
        });
        "#,
        &json!({ "url": site.url }),
    );
    assert_eq!(site.session_of("asked /ask/http2"), ran.value);
    let [seen] = &site.seen("/ask/http2")[..] else {
        panic!("one request")
    };
    assert_eq!(seen.version, Version::HTTP_2);
    assert_eq!(
        seen.header("openreplaysession.id"),
        [ran.value.as_str().unwrap()]
    );
}

/// Accepts TLS with a certificate of its own making, and offers HTTP/2.
pub(crate) struct TlsListener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl TlsListener {
    pub(crate) fn new(tcp: TcpListener) -> Self {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .expect("an address is a subject");
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.into()], key)
            .expect("the key belongs to the certificate");
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self {
            tcp,
            tls: TlsAcceptor::from(Arc::new(config)),
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            // a browser may open a connection that it then does not use
            let handshake = tokio::time::timeout(Duration::from_secs(5), self.tls.accept(stream));
            if let Ok(Ok(stream)) = handshake.await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
