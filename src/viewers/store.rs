//! Table `salt_epochs`.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::sql;
use crate::postgres::{Store, StoreError, Transaction, execute, query};
use crate::viewers::{
    epoch::{Opening, Purpose, Rotation, SALT_KEPT, destroyed_from},
    hash::Salt,
};

/// An epoch as the table holds it.
#[derive(Debug, Clone)]
pub struct SaltEpoch {
    pub epoch: i64,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub opening: Opening,
    /// None if the salt comes from a setting or is destroyed.
    pub salt: Option<Salt>,
    /// None if the salt does not come from a setting or its fingerprint is destroyed.
    pub fingerprint: Option<Vec<u8>>,
    /// From this instant on nobody may use the salt.
    pub destroyed_from: DateTime<Utc>,
}

/// An epoch is opened with one of these.
#[derive(Debug)]
pub enum NewSalt<'a> {
    /// The salt was made here and is kept in the table.
    Made(&'a Salt),
    /// The salt comes from a setting, and only its fingerprint is kept.
    Given { fingerprint: &'a [u8] },
}

/// The outcome of a destruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destruction {
    /// How many salts and fingerprints were destroyed.
    pub salts: u64,
    /// True if nothing is left of them in the table's file, nor of those before. If not, somebody uses the table or
    /// holds an old snapshot, and the destruction has to be run again.
    pub wiped: bool,
}

/// What is owed to those who were promised that salts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaltDebts {
    /// Epochs whose salts should be destroyed by now.
    pub overdue: u64,
    /// Since when the first of them should be.
    pub since: Option<DateTime<Utc>>,
    /// When the first salt of all was made, none before.
    pub first_made: Option<DateTime<Utc>>,
}

impl Store {
    /// Returns how many salts are overdue.
    pub async fn salt_debts(&self, now: DateTime<Utc>) -> Result<SaltDebts, StoreError> {
        let over_since = now - SALT_KEPT;
        self.run_tx("read_salt_debts", |tx| {
            async move {
                let rows = query(tx, sql::READ_SALT_DEBTS, &[&over_since]).await?;
                let first_over: Option<DateTime<Utc>> = rows[0].try_get("first_over")?;
                Ok(SaltDebts {
                    overdue: rows[0].try_get::<_, i64>("overdue")? as u64,
                    since: first_over.map(|over| over + SALT_KEPT),
                    first_made: rows[0].try_get("first_made")?,
                })
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns when the last salt was made that changes at least once a month.
    pub async fn newest_salt(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.run_tx("read_newest_salt", |tx| {
            async move { Ok(query(tx, sql::READ_NEWEST_SALT, &[]).await?[0].try_get("made_at")?) }
                .scope_boxed()
        })
        .await
    }

    /// Returns the epoch that a day belongs to, if it was opened. When this returns, the epoch can no longer end before
    /// that day.
    pub async fn use_salt_epoch(
        &self,
        purpose: Purpose,
        day: NaiveDate,
    ) -> Result<Option<SaltEpoch>, StoreError> {
        let purpose = purpose.name();
        self.run_tx("use_salt_epoch", |tx| {
            async move {
                let mut rows = query(tx, sql::READ_SALT_EPOCH, &[&day, &purpose]).await?;
                if let Some(row) = rows.first()
                    && !row.try_get::<_, bool>("used")?
                {
                    rows = query(tx, sql::USE_SALT_EPOCH, &[&day, &purpose]).await?;
                }
                rows.first().map(salt_epoch).transpose()
            }
            .scope_boxed()
        })
        .await
    }

    /// Opens the epoch that contains `day` and marks it as used for it, unless somebody else did so first. It is
    /// durable when this returns.
    pub async fn open_salt_epoch(
        &self,
        purpose: Purpose,
        day: NaiveDate,
        rotation: Rotation,
        salt: NewSalt<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (first_day, last_day) = rotation.span(day);
        let (salt, fingerprint) = match salt {
            NewSalt::Made(salt) => (Some(salt.as_bytes()), None),
            NewSalt::Given { fingerprint } => (None, Some(fingerprint)),
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
                        &purpose.name(),
                    ],
                )
                .await
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Keeps another fingerprint of the same given salt, unless somebody changed it meanwhile.
    pub async fn replace_fingerprint(
        &self,
        epoch: i64,
        former: &[u8],
        latter: &[u8],
    ) -> Result<(), StoreError> {
        self.run_tx("replace_fingerprint", |tx| {
            async move { execute(tx, sql::REPLACE_FINGERPRINT, &[&epoch, &former, &latter]).await }
                .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Ends an epoch with today, or with the last day it was used for. Returns that day, or none if the epoch has ended
    /// by then.
    pub async fn cut_salt_epoch(
        &self,
        epoch: i64,
        today: NaiveDate,
    ) -> Result<Option<NaiveDate>, StoreError> {
        self.run_tx("cut_salt_epoch", |tx| {
            async move {
                let rows = query(tx, sql::CUT_SALT_EPOCH, &[&epoch, &today]).await?;
                Ok(rows.first().map(|row| row.try_get("last_day")).transpose()?)
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns the epochs of a purpose whose salts are not destroyed.
    pub async fn live_salt_epochs(&self, purpose: Purpose) -> Result<Vec<SaltEpoch>, StoreError> {
        self.run_tx("read_live_salts", |tx| {
            async move {
                let rows = query(tx, sql::READ_LIVE_SALTS, &[&purpose.name()]).await?;
                rows.iter().map(salt_epoch).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns the first days of a purpose's epochs whose salts nobody may have used for `since` by now.
    pub async fn ended_salt_epochs(
        &self,
        purpose: Purpose,
        now: DateTime<Utc>,
        since: TimeDelta,
    ) -> Result<Vec<NaiveDate>, StoreError> {
        let over_since = now - SALT_KEPT - since;
        self.run_tx("read_ended_epochs", |tx| {
            async move {
                let rows = query(tx, sql::READ_ENDED_EPOCHS, &[&purpose.name(), &over_since]).await?;
                rows.iter().map(|row| Ok(row.try_get("first_day")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Destroys the salts that nobody may use any more, and what is left of them in the table's file. The epochs stay.
    pub async fn destroy_salts(&self, now: DateTime<Utc>) -> Result<Destruction, StoreError> {
        let over_since = now - SALT_KEPT;
        let salts = self
            .run_tx("destroy_salts", |tx| {
                async move { execute(tx, sql::DESTROY_SALTS, &[&over_since]).await }.scope_boxed()
            })
            .await?;
        match self.wipe_salt_epochs().await {
            Err(StoreError::Conflict(_)) => Ok(Destruction { salts, wiped: false }),
            wiped => Ok(Destruction { salts, wiped: wiped? }),
        }
    }

    /// Removes the former versions of rows, salts and all. This happens at every run and not only after a destruction:
    /// the last one may have been cut short or have met an old snapshot, and the table is small.
    async fn wipe_salt_epochs(&self) -> Result<bool, StoreError> {
        // The connection is taken out of the pool, because its settings go with it.
        let client = deadpool_postgres::Object::take(self.client().await?);
        client.batch_execute(sql::LIMIT_LOCK_WAIT).await?;
        client.batch_execute(sql::VACUUM_SALT_EPOCHS).await?;
        let left = client.query_one(sql::READ_DEAD_SALT_EPOCHS, &[]).await?;
        if left.try_get::<_, i64>("dead_rows")? > 0 {
            return Ok(false);
        }
        // From here on no row that held a destroyed salt is left that a rewrite would have to keep for a snapshot.
        client.batch_execute(sql::REWRITE_SALT_EPOCHS).await?;
        Ok(true)
    }
}

fn salt_epoch(row: &Row) -> Result<SaltEpoch, StoreError> {
    let last_day = row.try_get("last_day")?;
    let fingerprint: Option<Vec<u8>> = row.try_get("fingerprint")?;
    Ok(SaltEpoch {
        epoch: row.try_get("epoch")?,
        first_day: row.try_get("first_day")?,
        last_day,
        opening: Opening {
            rotation: row.try_get::<_, &str>("rotation")?.parse().map_err(StoreError::Unsuitable)?,
            given: fingerprint.is_some(),
        },
        salt: row.try_get::<_, Option<Vec<u8>>>("salt")?.map(Salt::new),
        fingerprint,
        destroyed_from: destroyed_from(last_day, row.try_get("made_at")?),
    })
}

/// Returns heartbeats' salt epochs that a range touches, as [`epochs_of`] does.
pub(crate) async fn epochs(
    tx: &Transaction<'_>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<(Vec<NaiveDate>, Vec<Rotation>), StoreError> {
    epochs_of(tx, Purpose::Heartbeats, from, to).await
}

/// Returns the salt epochs of a purpose that a range touches: their first days, ascending, and how they were opened.
pub(crate) async fn epochs_of(
    tx: &Transaction<'_>,
    purpose: Purpose,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<(Vec<NaiveDate>, Vec<Rotation>), StoreError> {
    let mut first_days = Vec::new();
    let mut rotations = Vec::new();
    for row in query(tx, sql::READ_SALT_EPOCHS, &[&from, &to, &purpose.name()]).await? {
        first_days.push(row.try_get("first_day")?);
        rotations.push(row.try_get::<_, &str>("rotation")?.parse().map_err(StoreError::Unsuitable)?);
    }
    Ok((first_days, rotations))
}

/// The first day of each day's salt epoch of heartbeats; the day itself where it belongs to none.
pub(crate) async fn epochs_of_days(
    tx: &Transaction<'_>,
    days: &[NaiveDate],
) -> Result<HashMap<NaiveDate, NaiveDate>, StoreError> {
    let rows = query(tx, sql::READ_EPOCHS_OF_DAYS, &[&days]).await?;
    rows.iter().map(|row| Ok((row.try_get("day")?, row.try_get("first_day")?))).collect()
}
