//! Reads `hll` values from rows.

use std::error::Error;

use tokio_postgres::types::{FromSql, Type};

use super::StoreError;
use crate::sketch::Unreadable;

/// The bytes of a sketch.
pub(crate) struct Sketch<'a>(pub(crate) &'a [u8]);

impl<'a> FromSql<'a> for Sketch<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Sketch(raw))
    }

    fn accepts(of: &Type) -> bool {
        of.name() == "hll"
    }
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        StoreError::Unsuitable(format!("the database holds a value that is {error}"))
    }
}
