//! The session on requests to the next service.
//!
//! [`PropagateSessionLayer`] wraps an HTTP client. Requests to the hosts that you name get the
//! header `openReplaySession.id` with the current session, and
//! [`SessionLayer`](crate::SessionLayer) reads it on the other side.
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
//! // stands for an HTTP client
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
//! A request gets the header if it is made in a session and its URI's host is one of those named:
//! the same host, not a part of it and not a subdomain. Case and a dot at the end do not matter. A
//! host named with a port matches on that port only (a URI without one has its scheme's), one named
//! without matches on all.
//!
//! A request whose URI has no host gets nothing, whatever its `Host` header says. A client that is
//! bound to one host, as a tonic `Channel` is, sees such requests: use
//! [`to_all_hosts`](PropagateSessionLayer::to_all_hosts) around it.
//!
//! # What happens to the headers
//!
//! The next service reads the session that is current here, whatever headers are forwarded:
//!
//! 1. From every request, to every host, the layer removes all headers that name a session:
//!    `openReplaySession.id`, `X-OpenReplay-SessionToken`, `X-OpenReplay-Session-Token`, and names
//!    of your own. So the tracker's token, which is a credential, goes to no host. If the tracker
//!    was given another name for its token, set it with
//!    [`with_headers`](PropagateSessionLayer::with_headers).
//! 2. A request that gets the header has it once, with the current session.
//! 3. If no session was entered, a request to a named host keeps a single valid id under the
//!    header's name, so that a gateway without [`SessionLayer`](crate::SessionLayer) can forward
//!    what came in. Two ids, or an id with a token, are removed. In
//!    [`without_session`](openreplay_session::without_session) every such header is removed.
//! 4. With the feature `baggage` the same holds for the member `session.id` of the header
//!    `baggage`, whatever its value: it is removed, and a request that gets the header gets the
//!    member as well, if the session's id is a number. The other members stay, joined into one
//!    header. If no session was entered and no header gives an id, a single number there is kept
//!    and becomes the header's id.
//!
//! # Redirects, proxies, buffers
//!
//! Put the layer inside a layer that follows redirects. Each hop then gets the header only if its
//! own host is named. Reqwest follows redirects itself and sends the header to every target. Turn
//! that off if a target may be foreign.
//!
//! nginx drops the header if it stands between the services, see [behind a
//! proxy](crate::session#behind-a-proxy); [`SessionHeaders`](crate::SessionHeaders) sets another
//! name.
//!
//! With the feature `baggage`, put the layer inside a layer that sets OpenTelemetry's baggage.
//! Outside, its member would be overwritten.
//!
//! Put the layer outside a `tower::buffer`. Inside, the layer runs in the buffer's worker, which
//! has no session, so it sets nothing.
//!
//! # Other clients
//!
//! [`propagate_session`] does the same to a `HeaderMap`, with the default names and for any host:
//! to reqwest's headers, or in a tonic interceptor to `request.metadata_mut().as_mut()`. For names
//! of your own, use [`SessionHeaders::propagate`](crate::SessionHeaders::propagate).

mod hosts;
mod service;

pub use self::{
    hosts::HostError,
    service::{PropagateSession, PropagateSessionLayer, propagate_session},
};
