//! Everything with Postgres, in one binary; the folders mirror those of `src`.

mod support;

mod access;
mod audience;
mod catalogue;
mod citus;
mod counters;
mod crash;
mod heatmap;
mod house;
mod import;
mod ingest;
mod ledger;
mod postgres;
mod queue;
mod serve;
mod tools;
mod viewers;
mod views;
mod work;
