//! The browser's side: a real Chromium, OpenReplay's real tracker, and what a backend receives from
//! them.
//!
//! Only OpenReplay's ingest is a stand-in: `ingest.rs` responds to the tracker as the real one
//! does.

mod behind_nginx;
mod bundle;
mod cors;
mod elsewhere;
mod ingest;
mod origin;
mod page;
mod page_edges;
mod recording;
mod replay_url;
mod routes;
mod site;
mod snippets;
mod stored;
mod symptoms;
mod tls;
mod token_to;
mod traps;
mod ways;
