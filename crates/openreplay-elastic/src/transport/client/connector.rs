//! Connects to a node, directly or through a proxy.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::transport::connection::Proxies;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// Why a proxy opened no tunnel. hyper-util does not export the type under a name of its own.
pub(super) type TunnelError = <Tunnel<HttpConnector> as Service<Uri>>::Error;
type Connecting = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    proxies: Proxies,
}

impl Connector {
    pub(super) fn new(tcp: HttpConnector, proxies: Proxies) -> Self {
        Self { tcp, proxies }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, node: Uri) -> Connecting {
        let Some(proxy) = self.proxies.of(&node) else {
            let connecting = self.tcp.call(node);
            return Box::pin(async move {
                let tcp = connecting.await?;
                Ok(Stream {
                    tcp,
                    is_proxy: false,
                })
            });
        };
        if node.scheme_str() == Some("https") {
            let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
            if let Some(auth) = proxy.auth() {
                tunnel = tunnel.with_auth(auth.clone());
            }
            let connecting = tunnel.call(node);
            return Box::pin(async move {
                let tcp = connecting.await?;
                // Through a tunnel, the node itself responds.
                Ok(Stream {
                    tcp,
                    is_proxy: false,
                })
            });
        }
        let connecting = self.tcp.call(proxy.uri().clone());
        Box::pin(async move {
            let tcp = connecting.await?;
            Ok(Stream {
                tcp,
                is_proxy: true,
            })
        })
    }
}

/// A connection to a node, or to a proxy that gets the whole address with each request.
#[derive(Debug)]
pub(super) struct Stream {
    tcp: TokioIo<TcpStream>,
    is_proxy: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.tcp.connected().proxy(self.is_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(context, slices)
    }
}
