//! One binary: a file of its own per behaviour would link the library once per file.

mod local_postgres;
mod support;
