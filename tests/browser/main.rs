//! The browser's side: a real Chromium, OpenReplay's real tracker, and what arrives at a backend from them.
//!
//! Only OpenReplay itself is stood in for: `ingest.rs` answers the tracker as its ingest does.

mod behind_nginx;
mod bundle;
mod cors;
mod elsewhere;
mod ingest;
mod origin;
mod page;
mod routes;
mod site;
mod snippets;
mod stored;
mod symptoms;
mod tls;
mod token_to;
mod traps;
mod ways;
