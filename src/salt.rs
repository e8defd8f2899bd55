//! Salts: which one a day's viewers are hashed with.
//!
//! The table of salt epochs is the only authority. Whoever needs a salt first makes it, committed before the first
//! hash made with it, and every process reads it from there.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use chrono::NaiveDate;

use crate::{
    clock::Clock,
    salt_epoch::Rotation,
    store::{
        Store, StoreError,
        salts::{NewSalt, SaltEpoch},
    },
    viewer_hash::Salt,
};

/// Bytes of a salt made here.
const SALT_BYTES: usize = 32;
/// Days whose salts are kept at hand; a replay of years passes through, arrivals need three.
const CACHED_DAYS: usize = 64;

/// Where salts come from.
#[derive(Debug, Clone)]
pub enum SaltSource {
    /// Random ones, made on first use and changed this often.
    Made(Rotation),
    /// The one of the setting, for every day.
    Given(Salt),
}

/// Why there is no salt for a day.
#[derive(Debug, thiserror::Error)]
pub enum SaltError {
    /// Its salt was destroyed: nobody can be hashed for that day any more.
    #[error("the salt of {0} is destroyed")]
    Destroyed(NaiveDate),
    /// The day's epoch uses a salt that this process was not given.
    #[error(
        "{0} lies in a salt epoch that was opened with another HEATSTRIP_VIEWER_SALT: \
         set that one again, or wait for the epoch's end"
    )]
    OtherSalt(NaiveDate),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The salts of a process.
#[derive(Clone)]
pub struct Salts {
    store: Store,
    source: SaltSource,
    clock: Clock,
    by_day: Arc<RwLock<HashMap<NaiveDate, Salt>>>,
}

impl Salts {
    /// Salts from this source, shared with every process on the same database.
    pub fn new(store: Store, source: SaltSource, clock: Clock) -> Self {
        Salts {
            store,
            source,
            clock,
            by_day: Arc::default(),
        }
    }

    /// The salt of a day, made if this is the first need of it.
    pub async fn salt(&self, day: NaiveDate) -> Result<Salt, SaltError> {
        // A map poisoned by a panic elsewhere still holds whole salts.
        if let Some(salt) = self
            .by_day
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .get(&day)
        {
            return Ok(salt.clone());
        }
        let salt = self.read_or_open(day).await?;
        let mut by_day = self
            .by_day
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if by_day.len() >= CACHED_DAYS {
            by_day.clear();
        }
        by_day.insert(day, salt.clone());
        Ok(salt)
    }

    /// Makes sure that today's heartbeats can be hashed, so that a wrong setting stops the start and not the traffic.
    pub async fn check(&self) -> Result<(), SaltError> {
        self.salt(self.clock.today()).await.map(|_| ())
    }

    async fn read_or_open(&self, day: NaiveDate) -> Result<Salt, SaltError> {
        loop {
            if let Some(epoch) = self.store.salt_epoch(day).await? {
                return self.salt_of(day, epoch);
            }
            // Who loses the race to open it finds the winner's in the next round.
            let now = self.clock.now();
            match &self.source {
                SaltSource::Made(rotation) => {
                    let mut bytes = vec![0; SALT_BYTES];
                    getrandom::fill(&mut bytes)
                        .map_err(|error| StoreError::Unavailable(format!("no random bytes: {error}")))?;
                    let salt = Salt::new(bytes);
                    self.store
                        .open_salt_epoch(day, *rotation, NewSalt::Made(&salt), now)
                        .await?;
                }
                SaltSource::Given(salt) => {
                    self.store
                        .open_salt_epoch(day, Rotation::Never, NewSalt::Given(salt), now)
                        .await?;
                }
            }
        }
    }

    fn salt_of(&self, day: NaiveDate, epoch: SaltEpoch) -> Result<Salt, SaltError> {
        match (epoch.salt, epoch.fingerprint, &self.source) {
            (Some(salt), _, _) => Ok(salt),
            (None, Some(fingerprint), SaltSource::Given(given)) if given.fingerprint() == fingerprint => {
                Ok(given.clone())
            }
            (None, Some(_), _) => Err(SaltError::OtherSalt(day)),
            (None, None, _) => Err(SaltError::Destroyed(day)),
        }
    }
}
