//! The tables of the sample: `sampled_watches` and `sample_settings`.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use crate::postgres::{Store, StoreError, Transaction, execute, query};

mod fold;
mod forget;
pub mod night;
pub mod read;
mod seal;
pub mod sql;

pub(crate) use fold::fold_in;
pub(crate) use forget::{cut_in, forget_in};

/// How the audience is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSettings {
    /// The viewers that a sample is thinned to; 0 while nobody is sampled.
    pub size: usize,
    /// The first day whose sample is whole and kept.
    pub kept_from: NaiveDate,
}

/// How the audience is sampled, and what has to be made before days can be written.
struct Settings {
    sample: SampleSettings,
    /// What is appended to days before this one has to be noted for the night.
    noted_to: NaiveDate,
    /// Those of the days asked about that have no partition yet.
    missing_days: Vec<NaiveDate>,
}

impl Store {
    /// Says what the samples of video-days are thinned to from now on, for every worker; 0 for no sample. What a larger
    /// sample before has thinned stays out.
    pub async fn set_sample_size(&self, size: usize) -> Result<(), StoreError> {
        let size = i32::try_from(size).unwrap_or(i32::MAX);
        self.run_tx("write_sample_size", |tx| {
            async move { execute(tx, sql::WRITE_SAMPLE_SIZE, &[&size]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Returns how the audience is sampled.
    pub async fn sample_settings(&self) -> Result<SampleSettings, StoreError> {
        self.run_tx("read_sample_settings", |tx| {
            async move { Ok(settings(tx, &[]).await?.sample) }.scope_boxed()
        })
        .await
    }
}

/// Returns how the audience is sampled, as this snapshot has it.
async fn settings(tx: &Transaction<'_>, days: &[NaiveDate]) -> Result<Settings, StoreError> {
    let rows = query(tx, sql::READ_SAMPLE_SETTINGS, &[&days]).await?;
    let size: i32 = rows[0].try_get("size")?;
    Ok(Settings {
        sample: SampleSettings { size: size.max(0) as usize, kept_from: rows[0].try_get("kept_from")? },
        noted_to: rows[0].try_get("noted_to")?,
        missing_days: rows[0].try_get("missing_days")?,
    })
}
