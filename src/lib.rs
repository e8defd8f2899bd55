//! heatstrip: which seconds of a video people watch, and how many different people watched each.
//!
//! ```text
//! player ─ POST /v1/heartbeats ─► heartbeat_body ─► heartbeat ─► viewer_hash ─► intake ─► store::queue
//!                                 cut into elements  parse,       hash with      group     durable
//!                                                    bound        the day's salt commit    before the 202
//!
//! store::queue ─► worker { claim ─► fold ─► sketch } ─► store::shards        one transaction a step
//!
//! store::shards ─► compaction ─► store::canonical                           nightly, every level at once
//!
//! store::strips ─► strip::buckets ─► strip ─► strip_cache ─► JSON ─► GET /v1/videos/{id}/heatmap
//!   sketches as      union first,     add epochs,  make once,
//!   they are kept    estimate last    fill gaps    serve many
//! ```
//!
//! Each arrow is a function: [`heartbeat_body::parse`], [`heartbeat::parse`], [`viewer_hash::viewer_hash`],
//! [`intake::Intake::submit`], [`worker::step`], [`fold::fold`], [`sketch::encode`], [`compaction::step`],
//! [`store::Store::read_strip`], [`strip::buckets::Buckets::add`], [`strip::strip`], [`strip_cache::StripCache::answer`].
//!
//! What decides a number is pure (`heartbeat`, `viewer_hash`, `fold`, `sketch`, `strip`, `videos`,
//! `video_regions`); what touches the
//! database is in [`store`], and its SQL in `sql/`; what knows status codes is in `http::error`. A test keeps it so.

// -- entry --
pub mod cli;
pub mod config;
pub mod clock;
// -- write path --
pub mod heartbeat_body;
pub mod heartbeat;
pub mod region;
pub mod salt_epoch;
pub mod salt;
pub mod viewer_hash;
pub mod intake;
pub mod fold;
pub mod sketch;
pub mod worker;
pub mod compaction;
pub mod nightly;
pub mod store;
// -- read path --
pub mod strip;
pub mod videos;
pub mod video_regions;
pub mod strip_cache;
pub mod http;
// -- replay and demo --
pub mod xapi;
pub mod replay_file;
pub mod replay;
pub mod audience;
// -- cross-cutting --
pub mod upkeep;
pub mod doctor;
pub mod local_postgres;
pub mod shutdown;
pub mod telemetry;
pub mod metrics;
