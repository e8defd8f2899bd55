//! Everything with Postgres, in one binary; the modules in the order the data meets them.

mod support;

mod local_postgres;
mod salt_epochs;
mod salt_destruction;
mod sql;
mod layering;
