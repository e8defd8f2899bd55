//! Table `salt_epochs`.

use chrono::{DateTime, NaiveDate, Utc};
use scoped_futures::ScopedFutureExt;

use super::{Store, StoreError, execute, query, sql};
use crate::{salt_epoch::Rotation, viewer_hash::Salt};

/// An epoch as the table holds it.
#[derive(Debug, Clone)]
pub struct SaltEpoch {
    /// Its first day, inclusive.
    pub first_day: NaiveDate,
    /// Its last day, inclusive.
    pub last_day: NaiveDate,
    /// The salt, unless it comes from a setting or is destroyed.
    pub salt: Option<Salt>,
    /// The fingerprint of a salt that comes from a setting.
    pub fingerprint: Option<Vec<u8>>,
}

/// What an epoch is opened with.
#[derive(Debug)]
pub enum NewSalt<'a> {
    /// Made here, kept in the table.
    Made(&'a Salt),
    /// From a setting: only its fingerprint is kept.
    Given(&'a Salt),
}

impl Store {
    /// The epoch a day belongs to, if it was opened.
    pub async fn salt_epoch(&self, day: NaiveDate) -> Result<Option<SaltEpoch>, StoreError> {
        self.run_tx("read_salt_epoch", |tx| {
            async move {
                let rows = query(tx, sql::READ_SALT_EPOCH, &[&day]).await?;
                let Some(row) = rows.first() else { return Ok(None) };
                Ok(Some(SaltEpoch {
                    first_day: row.try_get("first_day")?,
                    last_day: row.try_get("last_day")?,
                    salt: row.try_get::<_, Option<Vec<u8>>>("salt")?.map(Salt::new),
                    fingerprint: row.try_get("fingerprint")?,
                }))
            }
            .scope_boxed()
        })
        .await
    }

    /// Opens the epoch that contains `day`, unless somebody else did so first; durable when it returns.
    pub async fn open_salt_epoch(
        &self,
        day: NaiveDate,
        rotation: Rotation,
        salt: NewSalt<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (first_day, last_day) = rotation.span(day);
        let (salt, fingerprint) = match salt {
            NewSalt::Made(salt) => (Some(salt.as_bytes()), None),
            NewSalt::Given(salt) => (None, Some(salt.fingerprint())),
        };
        let fingerprint = &fingerprint;
        self.run_tx("open_salt_epoch", |tx| {
            async move {
                execute(
                    tx,
                    sql::OPEN_SALT_EPOCH,
                    &[
                        &day,
                        &first_day,
                        &last_day,
                        &rotation.name(),
                        &salt,
                        fingerprint,
                        &now,
                    ],
                )
                .await
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }
}
