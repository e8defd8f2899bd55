//! Everything with Postgres, in one binary; the modules in the order the data meets them.

mod support;

mod local_postgres;
mod sql;
mod accuracy;
mod layering;
mod heartbeats;
mod salts;
mod salt_epochs;
mod salt_destruction;
mod batches;
mod sketches;
mod worker;
mod compaction;
mod retention;
mod oracle;
mod plans;
mod strips;
mod embeds;
mod dashboard;
mod real_input;
mod crash;
mod dev;
mod metrics;
mod doctor;
mod docs;
mod described;
mod openapi;
mod logs;
