//! Middleware that sends the current session to other services.
//!
//! [`PropagateSessionLayer`] wraps an HTTP client. It sets the header `openReplaySession.id` to the
//! current session on requests to the hosts that you list. The other service reads the header with
//! [`SessionLayer`](crate::SessionLayer).
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{Request, Response};
//! use openreplay_session::{SessionId, scope};
//! use tower::{Layer as _, ServiceExt as _, service_fn};
//! use tower_openreplay::PropagateSessionLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // a stand-in for an HTTP client
//! let client = service_fn(|request: Request<()>| async move {
//!     Ok::<_, Infallible>(Response::new(request.headers().get("openReplaySession.id").cloned()))
//! });
//! let client = PropagateSessionLayer::to_hosts(["stock.internal:8080"])?.layer(client);
//!
//! let ours = Request::get("http://stock.internal:8080/items").body(())?;
//! let sent = scope(SessionId::from(42), client.clone().oneshot(ours)).await?.into_body();
//! assert_eq!(sent.unwrap(), "42");
//!
//! let foreign = Request::get("http://example.com/").body(())?;
//! let sent = scope(SessionId::from(42), client.oneshot(foreign)).await?.into_body();
//! assert_eq!(sent, None);
//! # Ok(())
//! # }
//! ```
//!
//! # Which requests get the header
//!
//! A request gets the header if it is sent in a session and the host of its URI is listed. The
//! host must match completely, so subdomains do not match; case and a trailing dot are ignored. A
//! host with a port matches that port only, where a URI without a port has the default port of its
//! scheme. A host without a port matches any port.
//!
//! A request whose URI has no host does not get the header, even if it has a `Host` header. A
//! client that is bound to one host, such as a tonic `Channel`, sends such requests: wrap it with
//! [`to_all_hosts`](PropagateSessionLayer::to_all_hosts).
//!
//! # What happens to the headers
//!
//! The next service reads the session that is current here, whatever headers are forwarded:
//!
//! 1. The layer removes all headers that name a session from every request to any host:
//!    `openReplaySession.id`, `X-OpenReplay-SessionToken`, `X-OpenReplay-Session-Token`, and custom
//!    names. The tracker's token is a credential and therefore never sent to any host. If the
//!    tracker uses another header for its token, set that name with
//!    [`with_headers`](PropagateSessionLayer::with_headers).
//! 2. A request that gets the header has it exactly once, with the current session.
//! 3. If no session was entered, a request to a listed host keeps a single valid id under the
//!    header's name, so that a gateway without [`SessionLayer`](crate::SessionLayer) can forward
//!    the id that it received. Two different ids, or an id next to a token, are removed. Within
//!    [`without_session`](openreplay_session::without_session), and in a request that
//!    `SessionLayer` received with different ids, every such header is removed.
//! 4. With the feature `baggage`, the same rules apply to the member `session.id` of the header
//!    `baggage`. The member is removed, whatever its value. A request that gets the header also
//!    gets the member, if the session's id is a number. All other members are kept, joined into one
//!    header. If no session was entered and no header contains an id, a single number in the member
//!    is kept and also set as the header's id.
//!
//! # Redirects, proxies, buffers
//!
//! Put the layer inside a layer that follows redirects, so that each hop only gets the header if
//! its own host is listed. Reqwest follows redirects itself and sends the header to every target.
//! If a target may be a foreign host, disable redirects in reqwest.
//!
//! If nginx is between the services, it drops the header by default, see [behind a
//! proxy](crate::session#behind-a-proxy). A header name without a dot, set with
//! [`SessionHeaders`](crate::SessionHeaders), also works.
//!
//! With the feature `baggage`, put the layer inside a layer that sets OpenTelemetry's baggage,
//! which would otherwise overwrite the member.
//!
//! Put the layer outside `tower::buffer`. Inside, the layer runs in the buffer's worker, which has
//! no session, so it would not set the header.
//!
//! # Other clients
//!
//! [`propagate_session`] does the same for a `HeaderMap`, with the default names and without
//! checking the host. Use it for reqwest's headers, or in a tonic interceptor with
//! `request.metadata_mut().as_mut()`. For custom names, use
//! [`SessionHeaders::propagate`](crate::SessionHeaders::propagate).

mod hosts;
mod service;

pub use self::{
    hosts::HostError,
    service::{PropagateSession, PropagateSessionLayer, propagate_session},
};
