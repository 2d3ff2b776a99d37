//! The session on requests to the next service.
//!
//! [`PropagateSessionLayer`] goes around an HTTP client: requests to the hosts that you name get the header
//! `openReplaySession.id` with the current session, where [`SessionLayer`](crate::SessionLayer) finds it on the other side.
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
//! 1. The request is made in a session.
//! 2. Its URI's host is one of those named: the same host, not a part of it and not a subdomain. Case and a dot at the end do not matter.
//!    A host named with a port matches on that port only (a URI without one has its scheme's), one named without matches on all.
//! 3. It does not have the header yet: an id that is there stays.
//!
//! The tracker's token goes to no host, named or not. From every request, also one in no session, the layer removes
//! `X-OpenReplay-SessionToken`, `X-OpenReplay-Session-Token`, and under `openReplaySession.id` and the name of your own
//! each value with a dot in it: no id has one, every token has. So a gateway can forward the headers that came in. If the tracker
//! was given another name for its token, add it by [`with_token_headers`](PropagateSessionLayer::with_token_headers).
//!
//! A request whose URI has no host gets nothing, whatever its `Host` header says. A client that is bound to one host, as a
//! tonic `Channel` is, sees such requests: use [`to_all_hosts`](PropagateSessionLayer::to_all_hosts) around it.
//!
//! Put the layer inside of one that follows redirects: each hop is then judged by its own host. Reqwest
//! follows redirects by itself and sends the header along to wherever they lead: switch that off where it matters.
//!
//! nginx drops the header if it stands between the services, see [behind a proxy](crate::session#behind-a-proxy);
//! [`with_header`](PropagateSessionLayer::with_header) picks another name.
//!
//! # Other clients
//!
//! [`propagate_session`] does the same to a `HeaderMap`, reqwest's for instance, but for the hosts and for names of your own.

mod hosts;
mod service;

pub use self::{
    hosts::HostError,
    service::{PropagateSession, PropagateSessionLayer, propagate_session},
};
