//! heatstrip: which seconds of a video people watch, and how many different people watched each.
//!
//! ```text
//! player ─ POST /v1/heartbeats ─► ingest::body ─► events::heartbeat ─► viewers::hash ─► ingest::intake ─► queue
//!                                 cut into        parse,               hash with        group             durable
//!                                 elements        bound                the day's salt   commit            before the 202
//!
//! queue ─► work::worker { claim ─► heatmap::fold ─► sketch } ─► heatmap shards      one transaction a step
//!
//! heatmap shards ─► heatmap::compaction ─► canonical rows                          nightly, every level at once
//!
//! heatmap::store::strips ─► strip::buckets ─► strip ─► answers::cache ─► JSON ─► GET /v1/videos/{id}/heatmap
//!   sketches as they         union first,     add epochs,  make once,
//!   are kept                 estimate last    fill gaps    serve many
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
pub mod answers;
pub mod ingest;
pub mod viewers;
// -- capabilities: they never import each other --
pub mod counters;
pub mod heatmap;
// -- composition: joins them, by name --
pub mod serve;
pub mod work;
// -- tools --
pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod import;
