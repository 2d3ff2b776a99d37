//! `ElasticWriter` against a server that misbehaves: the stand-in, and the real engine.

mod aside;
mod delivery;
mod engine;
mod faults;
mod limits;
mod pipelines;
mod stopped;
mod store;
mod support;
mod waits;
