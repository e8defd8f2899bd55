//! heatstrip: which seconds of a video people watch, and how many different people watched each.
//!
//! ```text
//! player ─ POST /v1/heartbeats ─► ingest::body ─► events::heartbeat ─► viewers::hash ─► ingest::intake ─► queue
//!                                 cut into        parse,               hash with        group             durable
//!                                 elements        bound                the day's salt   commit            before the 202
//!
//! queue ─► work::worker { claim ─► heatmap::fold ─► sketch } ─► shard runs          one transaction a step
//!
//! queue ─► work::worker { claim ─► views::fold ─► sketch } ─► view totals, days    the same transaction
//!
//! queue ─► work::worker { claim ─► audience::sample } ─► sampled watches           the same transaction
//!
//! shard runs ─► heatmap::compaction ─► canonical runs,                             hot videos at once,
//!                                      popular blocks: seconds and their levels    all others nightly
//!
//! heatmap::store::strips ─► strip::buckets ─► strip ─► answers::cache ─► JSON ─► GET /v1/videos/{id}/heatmap
//!   one level, canonical     union first,     add epochs,  make once,
//!   runs and shard runs      estimate last    fill gaps    serve many
//! ```
//!
//! Each arrow is a function: [`ingest::body::parse`], [`events::heartbeat::parse`], [`viewers::hash::viewer_hash`],
//! [`ingest::intake::Intake::submit`], [`work::worker::step`], [`heatmap::fold::fold`], [`sketch::encode`],
//! [`heatmap::compaction::step`], [`postgres::Store::read_strip`], [`heatmap::strip::buckets::Buckets::add`],
//! [`heatmap::strip::strip`], [`answers::cache::AnswerCache::get`].
//!
//! The folders are storeys: each imports only those above it in this list, and a capability never imports another. Within
//! a folder `store` touches Postgres and `http` touches axum; every other file of a capability is pure. A test keeps it so.

// -- base: pure --
pub mod clock;
pub mod events;
pub mod shutdown;
pub mod sketch;
// -- drivers: one outside thing each --
pub mod http;
pub mod postgres;
pub mod queue;
pub mod telemetry;
// -- services: what capabilities share --
pub mod access;
pub mod answers;
pub mod catalogue;
pub mod ingest;
pub mod ledger;
pub mod viewers;
// -- capabilities: they never import each other --
pub mod audience;
pub mod counters;
pub mod heatmap;
pub mod views;
// -- composition: joins them, by name --
pub mod serve;
pub mod work;
// -- tools --
pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod import;
