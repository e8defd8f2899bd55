//! Table `access_keys`.

use chrono::{DateTime, Utc};
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::{
    budget::Budget,
    key::{Key, KeyHash, Role},
    sql,
};
use crate::{
    events::terms::SigningSecret,
    postgres::{Store, StoreError, execute, query},
};

/// A player key admits so much of each client unless it says otherwise: a thousand viewers behind one address, at double
/// speed.
const PLAYER_BUDGET: Budget = Budget { requests_per_sec: Some(200), watched_secs_per_min: Some(240_000) };
/// So does a reader with a minimum audience, which stands in pages too, and tells nothing.
const PUBLIC_READER_BUDGET: Budget = Budget { requests_per_sec: Some(200), watched_secs_per_min: None };

/// A key as the table holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredKey {
    pub key: Key,
    /// None once it is revoked.
    pub hash: Option<KeyHash>,
    pub made_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Adds a key; returns false if there was one of this name, revoked or not.
    pub async fn add_key(&self, key: &Key, hash: &KeyHash, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let number = |limit: Option<u32>| limit.map(i64::from);
        let added = self
            .run_tx("add_key", |tx| {
                async move {
                    execute(
                        tx,
                        sql::INSERT_KEY,
                        &[
                            &key.name,
                            &key.role.name(),
                            &hash.as_slice(),
                            &key.origins,
                            &key.video_prefix,
                            &key.namespace,
                            &key.signing_secret.as_ref().map(SigningSecret::text),
                            &key.min_audience.map(|least| least as i64),
                            &number(key.budget.requests_per_sec),
                            &number(key.budget.watched_secs_per_min),
                            &now,
                        ],
                    )
                    .await
                }
                .scope_boxed()
            })
            .await?;
        Ok(added == 1)
    }

    /// Returns all keys there ever were, by name.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = self
            .run_tx("read_keys", |tx| async move { query(tx, sql::READ_KEYS, &[]).await }.scope_boxed())
            .await?;
        rows.iter().map(stored).collect()
    }

    /// Revokes a key; returns false if there is no such key that is good.
    pub async fn revoke_key(&self, name: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let revoked = self
            .run_tx("revoke_key", |tx| {
                async move { execute(tx, sql::REVOKE_KEY, &[&name, &now]).await }.scope_boxed()
            })
            .await?;
        Ok(revoked == 1)
    }
}

fn stored(row: &Row) -> Result<StoredKey, StoreError> {
    let unknown = |what: &str| StoreError::Unsuitable(format!("the table of keys has an unknown {what}"));
    let role = Role::named(row.try_get("role")?).ok_or_else(|| unknown("role"))?;
    let limit = |name| -> Result<Option<u32>, StoreError> {
        Ok(row.try_get::<_, Option<i64>>(name)?.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)))
    };
    let min_audience = row.try_get::<_, Option<i64>>("min_audience")?.map(|least| least.max(1) as u64);
    let default = match (role, min_audience) {
        (Role::Player, _) => PLAYER_BUDGET,
        (Role::Reader, Some(_)) => PUBLIC_READER_BUDGET,
        _ => Budget::default(),
    };
    let hash = row
        .try_get::<_, Option<Vec<u8>>>("hash")?
        .map(|hash| KeyHash::try_from(hash.as_slice()).map_err(|_| unknown("digest")));
    Ok(StoredKey {
        key: Key {
            name: row.try_get("name")?,
            role,
            origins: row.try_get("origins")?,
            video_prefix: row.try_get("video_prefix")?,
            namespace: row.try_get("namespace")?,
            signing_secret: row.try_get::<_, Option<String>>("signing_secret")?.map(SigningSecret::new),
            min_audience,
            budget: Budget {
                requests_per_sec: limit("requests_per_sec")?.or(default.requests_per_sec),
                watched_secs_per_min: limit("watched_secs_per_min")?.or(default.watched_secs_per_min),
            },
        },
        hash: hash.transpose()?,
        made_at: row.try_get("made_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
