//! Everything with Postgres, in one binary; the modules in the order the data meets them.

mod support;

mod heartbeats;
mod salts;
mod batches;
mod local_postgres;
mod sql;
mod crash;
mod dev;
mod layering;
mod compaction;
mod retention;
mod plans;
