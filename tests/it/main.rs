//! Everything with Postgres, in one binary; the modules in the order the data meets them.

mod support;

mod local_postgres;
mod sql;
mod sketches;
mod worker;
mod oracle;
mod strips;
mod real_input;
mod layering;
