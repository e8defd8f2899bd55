//! The night's statements: seal and thin closed days, drop days that are not kept.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{
    seal::{Thin, seal},
    settings, sql,
};
use crate::postgres::{Store, StoreError, Tables, execute, kept_days, query};

/// What the night has to seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealing {
    /// All days before this one are sealed, but for those that are noted.
    pub sealed_to: NaiveDate,
    /// What is appended to days before this one is noted.
    pub noted_to: NaiveDate,
    /// Days that something was appended to when they were sealed.
    pub noted_days: Vec<NaiveDate>,
    notes: Vec<i64>,
}

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

    /// Drops the samples of a day that is not kept; false if none is left, or if they are in use all the time.
    pub async fn drop_sample(&self) -> Result<bool, StoreError> {
        let kept_from = self.sample_settings().await?.kept_from;
        let dropped =
            self.drop_when_free(&["sampled_watches"], sql::DROP_SAMPLE_PARTITION, kept_from).await?;
        Ok(dropped == Some(true))
    }

    /// Returns what is to be sealed.
    pub async fn sealing(&self) -> Result<Sealing, StoreError> {
        self.run_tx("read_sealing", |tx| {
            async move {
                let row = &query(tx, sql::READ_SEALING, &[]).await?[0];
                Ok(Sealing {
                    sealed_to: row.try_get("sealed_to")?,
                    noted_to: row.try_get("noted_to")?,
                    noted_days: row.try_get("noted_days")?,
                    notes: row.try_get("notes")?,
                })
            }
            .scope_boxed()
        })
        .await
    }

    /// Notes that all of this is sealed, and that from now on steps note what they append to days before `noted_to`.
    pub async fn advance_sealing(&self, sealed: &Sealing, noted_to: NaiveDate) -> Result<(), StoreError> {
        self.run_tx("advance_sealing", |tx| {
            async move {
                execute(tx, sql::ADVANCE_SEALING, &[&sealed.noted_to, &noted_to, &sealed.notes]).await
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Seals and thins the samples of a closed day of the videos behind `behind`, up to `most`; returns the last of them and
    /// how many there were, none when there are no such videos.
    pub async fn seal_samples(
        &self,
        day: NaiveDate,
        behind: &str,
        most: u64,
    ) -> Result<Option<(String, u64)>, StoreError> {
        let (most, tables) = (most as i64, self.tables());
        self.run_tx("seal_samples", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_SEALING).await?;
                let size = settings(tx, &[]).await?.sample.size;
                let (last, rows) = match tables {
                    Tables::Local => {
                        let rows = query(tx, sql::LOCK_OPEN_WATCHES, &[&day, &behind, &most]).await?;
                        let Some(last) = rows.last() else { return Ok(None) };
                        (last.try_get("video_id")?, rows)
                    }
                    Tables::Distributed => {
                        let found = query(tx, sql::READ_OPEN_WATCHES, &[&day, &behind, &most]).await?;
                        let mut videos: Vec<String> =
                            found.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
                        let rows = query(tx, sql::LOCK_OPEN_WATCHES_DISTRIBUTED, &[&day, &videos]).await?;
                        let Some(last) = videos.pop() else { return Ok(None) };
                        (last, rows)
                    }
                };
                // While nobody is sampled, what there is is only sealed.
                let how = if size == 0 { Thin::Grown } else { Thin::Wholly };
                seal(tx, tables, &rows, if size == 0 { usize::MAX / 4 } else { size }, how).await?;
                crash_point!("audience::sealed");
                Ok(Some((last, rows.len() as u64)))
            }
            .scope_boxed()
        })
        .await
    }
}
