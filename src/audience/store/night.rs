//! The night's statements: seal and thin closed days, drop days that are not kept.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{
    seal::{Thin, seal},
    settings, sql,
};
use crate::postgres::{self, Store, StoreError, execute, kept_days, query};

impl Store {
    /// Moves the first day that is kept forward, never back; also to where the days of everything else begin.
    pub async fn advance_sample(&self, kept_from: Option<NaiveDate>) -> Result<(), StoreError> {
        self.run_tx("advance_sample", |tx| {
            async move {
                let kept = kept_days::read(tx).await?.kept_from;
                let kept_from = kept_from.map_or(kept, |kept_from| kept_from.max(kept));
                execute(tx, sql::ADVANCE_SAMPLE, &[&kept_from]).await
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Drops the samples of days that are not kept; returns how many.
    pub async fn drop_samples(&self) -> Result<u64, StoreError> {
        self.run_tx_once(|tx| {
            async move {
                tx.batch_execute(postgres::sql::PREPARE_DROP).await?;
                let rows = query(tx, sql::DROP_SAMPLE_PARTITIONS, &[]).await?;
                Ok(rows[0].try_get::<_, i32>("dropped")? as u64)
            }
            .scope_boxed()
        })
        .await
    }

    /// Seals and thins the samples of a closed day of the videos behind `behind`, up to `most`; returns the last of them and
    /// how many there were, none when there are no such videos.
    pub async fn seal_samples(
        &self,
        day: NaiveDate,
        behind: &str,
        most: u64,
    ) -> Result<Option<(String, u64)>, StoreError> {
        let most = most as i64;
        self.run_tx("seal_samples", |tx| {
            async move {
                let size = settings(tx, &[]).await?.sample.size;
                let rows = query(tx, sql::LOCK_OPEN_WATCHES, &[&day, &behind, &most]).await?;
                let Some(last) = rows.last() else { return Ok(None) };
                // While nobody is sampled, what there is is only sealed.
                let how = if size == 0 { Thin::Grown } else { Thin::Wholly };
                seal(tx, &rows, if size == 0 { usize::MAX / 4 } else { size }, how).await?;
                crash_point!("audience::sealed");
                Ok(Some((last.try_get("video_id")?, rows.len() as u64)))
            }
            .scope_boxed()
        })
        .await
    }
}
