//! The tables of the heatmap, a file a table or read.

use chrono::NaiveDate;

use crate::postgres::{StoreError, Tables};

pub mod canonical;
pub mod closed_epochs;
pub(crate) mod cut;
pub mod forget;
pub mod kept_days;
pub(crate) mod levels;
pub(crate) mod locks;
pub mod days;
pub mod pieces;
pub mod reach;
pub mod regions;
pub(crate) mod runs;
pub mod shards;
pub mod sql;
pub mod strips;
pub mod videos;
pub(crate) mod wholes;

/// The statements with which a read begins.
fn prepare_read(tables: Tables) -> &'static str {
    tables.form(sql::PREPARE_READ, sql::PREPARE_READ_DISTRIBUTED)
}

/// A question has no answer for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The range has days that are not kept by the second; the first day that is.
    #[error(
        "days before {0} are kept by 5 s only: ask from {0} on, or for a resolution that is a multiple of 5"
    )]
    TooFine(NaiveDate),
    /// The channel has more videos than are united.
    #[error("the channel has more than {0} videos: ask for some of them by video_id")]
    TooManyVideos(usize),
    /// The database did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<tokio_postgres::Error> for ReadError {
    fn from(error: tokio_postgres::Error) -> Self {
        ReadError::Store(error.into())
    }
}
