//! Salts: this file knows which salt a day's viewers are hashed with, and when it is destroyed.
//!
//! The table of salt epochs is the only authority. Whoever needs a salt first makes it and commits it before the first
//! hash is made with it, and every process reads it from there. A day that a salt was used for stays in its epoch. A
//! changed setting ends the epoch with the day on which the change is noticed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use moka::future::Cache;

use crate::{
    clock::Clock,
    events::fields::MAX_AGE,
    postgres::{Store, StoreError},
    viewers::metrics::METRICS,
    viewers::{
        epoch::{Opening, Purpose, Rotation, ends_early},
        hash::{RANDOM_BYTES, Salt, is_quick},
        store::{Destruction, NewSalt, SaltEpoch},
    },
};

/// A salt made here has this many bytes.
const SALT_BYTES: usize = 32;
/// The salts of so many days and purposes are kept at hand. A replay of years passes through; arrivals need three days.
const CACHED_DAYS: u64 = 128;
/// Views' salts change this often unless a setting says otherwise.
pub const VIEWS_ROTATION: Rotation = Rotation::Monthly;
/// A salt is kept at hand until the next multiple of this, and then the process notices what others did to its epoch.
const CACHED_SECS: i64 = 60;
/// A process that has run for so long has no neighbour of an earlier version any more, which would not know the new form of a
/// fingerprint.
const UPGRADED_AFTER: TimeDelta = TimeDelta::hours(24);
/// The destruction is tried this often while somebody uses the table or holds an old snapshot.
const MAX_WIPE_ATTEMPTS: u32 = 20;
/// This long passes between two attempts.
const WIPE_PERIOD: Duration = Duration::from_millis(500);

/// Salts come from one of these.
#[derive(Debug, Clone)]
pub enum SaltSource {
    /// Salts are random, made on first use and changed this often.
    Made(Rotation),
    /// The setting gives one salt for every day.
    Given(Salt),
}

impl SaltSource {
    fn opening(&self) -> Opening {
        match self {
            SaltSource::Made(rotation) => Opening { rotation: *rotation, given: false },
            SaltSource::Given(_) => Opening { rotation: Rotation::Never, given: true },
        }
    }
}

/// There is no salt for a day for one of these reasons.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SaltError {
    /// The day's salt was destroyed, so nobody can be hashed for that day any more.
    #[error("the salt of {0} is destroyed")]
    Destroyed(NaiveDate),
    /// The day is not kept any more, so nobody needs to be hashed for it.
    #[error("{0} is not kept any more")]
    NotKept(NaiveDate),
    /// The day's epoch uses a salt that this process was not given.
    #[error(
        "{day} lies in a salt epoch that was opened with another HEATSTRIP_VIEWER_SALT and lasts through {last_day}: \
         set that one again, or {}",
        way_out(*.day, *.last_day)
    )]
    OtherSalt {
        day: NaiveDate,
        /// The last day of the epoch that `day` lies in.
        last_day: NaiveDate,
    },
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn way_out(day: NaiveDate, last_day: NaiveDate) -> &'static str {
    match last_day > day {
        true => "start once with none set, which ends that epoch with the UTC day",
        false => "start when that day is over (UTC)",
    }
}

/// A day's salt, and the first day of the epoch that it belongs to.
#[derive(Debug, Clone)]
pub struct DaySalt {
    pub salt: Salt,
    pub first_day: NaiveDate,
}

/// A salt that is kept at hand.
#[derive(Clone)]
struct Cached {
    salt: DaySalt,
    destroyed_from: DateTime<Utc>,
}

/// The salts as one process sees them.
#[derive(Clone)]
pub struct Salts {
    store: Store,
    source: SaltSource,
    /// Views' salts are never given by a setting.
    views: SaltSource,
    clock: Clock,
    ends_epochs: bool,
    at_hand: Arc<AtHand>,
}

/// What the clones of a process's salts share.
struct AtHand {
    /// By purpose, day and minute: whoever asks first in a minute looks, and the others wait for that look.
    by_day: Cache<(Purpose, NaiveDate, i64), Cached>,
    began_at: DateTime<Utc>,
    /// The fingerprint that was last found to be the given salt's: trying it is slow.
    matched: Mutex<Option<Vec<u8>>>,
}

impl Salts {
    /// Returns the salts from this source, which are shared with every process on the same database. An epoch that
    /// another setting opened ends with today.
    pub fn new(store: Store, source: SaltSource, clock: Clock) -> Self {
        let views = SaltSource::Made(VIEWS_ROTATION);
        let at_hand =
            AtHand { by_day: Cache::new(CACHED_DAYS), began_at: clock.now(), matched: Mutex::default() };
        Salts { store, source, views, clock, ends_epochs: true, at_hand: Arc::new(at_hand) }
    }

    /// Returns these salts with views' changing this often.
    pub fn with_views_rotation(self, rotation: Rotation) -> Self {
        Salts { views: SaltSource::Made(rotation), ..self }
    }

    /// Returns the salts for a process that only passes by: it uses the epochs that it finds, whatever its own setting
    /// says.
    pub fn of_a_visitor(store: Store, source: SaltSource, clock: Clock) -> Self {
        Salts { ends_epochs: false, ..Salts::new(store, source, clock) }
    }

    /// Returns the salt of a day's heartbeats and makes it if this is the first need of it.
    pub async fn salt(&self, day: NaiveDate) -> Result<Salt, SaltError> {
        Ok(self.day_salt(Purpose::Heartbeats, day).await?.salt)
    }

    /// Returns the salt of a day for a purpose and makes it if this is the first need of it.
    pub async fn day_salt(&self, purpose: Purpose, day: NaiveDate) -> Result<DaySalt, SaltError> {
        let minute = self.clock.now().timestamp().div_euclid(CACHED_SECS);
        let looked = self.at_hand.by_day.try_get_with((purpose, day, minute), self.look(purpose, day)).await;
        let Cached { salt, destroyed_from } = looked.map_err(Arc::unwrap_or_clone)?;
        match self.clock.now() < destroyed_from {
            true => Ok(salt),
            // It is refused whether or not the nightly job came by.
            false => Err(SaltError::Destroyed(day)),
        }
    }

    /// Looks at the table, and makes the salt if this is the first need of it.
    async fn look(&self, purpose: Purpose, day: NaiveDate) -> Result<Cached, SaltError> {
        if day < self.store.retention().await?.kept_from {
            return Err(SaltError::NotKept(day));
        }
        let epoch = self.read_or_open(purpose, day).await?;
        let now = self.clock.now();
        let salt = DaySalt { salt: self.salt_of(purpose, day, &epoch, now)?, first_day: epoch.first_day };
        if let (SaltSource::Given(given), Some(former)) = (self.source(purpose), &epoch.fingerprint)
            && is_quick(former)
            && now - self.at_hand.began_at >= UPGRADED_AFTER
        {
            self.store.replace_fingerprint(epoch.epoch, former, &fingerprint(given)?).await?;
        }
        Ok(Cached { salt, destroyed_from: epoch.destroyed_from })
    }

    /// Returns the salts of a purpose with which somebody may still be hashed: those of all days on which something may
    /// arrive, which are made if need be, and those of older days that a replay has made.
    pub async fn live(&self, purpose: Purpose) -> Result<Vec<DaySalt>, SaltError> {
        let today = self.clock.today();
        for days_ago in 0..=MAX_AGE.num_days() {
            match self.day_salt(purpose, today - TimeDelta::days(days_ago)).await {
                Ok(_) | Err(SaltError::Destroyed(_) | SaltError::NotKept(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let now = self.clock.now();
        let epochs = self.store.live_salt_epochs(purpose).await?;
        let usable = epochs.into_iter().filter(|epoch| now < epoch.destroyed_from);
        Ok(usable
            .filter_map(|epoch| Some(DaySalt { salt: epoch.salt?, first_day: epoch.first_day }))
            .collect())
    }

    /// Makes sure that today's heartbeats can be hashed, so that a wrong setting stops the start and not the traffic.
    pub async fn check(&self) -> Result<(), SaltError> {
        self.salt(self.clock.today()).await.map(|_| ())
    }

    fn source(&self, purpose: Purpose) -> &SaltSource {
        match purpose {
            Purpose::Heartbeats => &self.source,
            Purpose::Views => &self.views,
        }
    }

    async fn read_or_open(&self, purpose: Purpose, day: NaiveDate) -> Result<SaltEpoch, SaltError> {
        let mut epoch = loop {
            if let Some(epoch) = self.store.use_salt_epoch(purpose, day).await? {
                break epoch;
            }
            // Whoever loses the race to open the epoch finds the winner's in the next round.
            self.open(purpose, day).await?;
        };
        let today = self.clock.today();
        if self.ends_epochs
            && day == today
            && ends_early(epoch.opening, epoch.last_day, self.source(purpose).opening(), today)
        {
            self.cut(&mut epoch, today).await?;
        }
        Ok(epoch)
    }

    async fn open(&self, purpose: Purpose, day: NaiveDate) -> Result<(), SaltError> {
        let now = self.clock.now();
        match self.source(purpose) {
            SaltSource::Made(rotation) => {
                let salt = Salt::new(random::<SALT_BYTES>()?.to_vec());
                self.store.open_salt_epoch(purpose, day, *rotation, NewSalt::Made(&salt), now).await?;
            }
            SaltSource::Given(salt) => {
                let fingerprint = &fingerprint(salt)?;
                let given = NewSalt::Given { fingerprint };
                self.store.open_salt_epoch(purpose, day, Rotation::Never, given, now).await?;
            }
        }
        Ok(())
    }

    /// Ends an epoch that another setting opened, so that the next day has one of ours.
    async fn cut(&self, epoch: &mut SaltEpoch, today: NaiveDate) -> Result<(), SaltError> {
        if let Some(last_day) = self.store.cut_salt_epoch(epoch.epoch, today).await? {
            tracing::info!(%last_day, "the setting has changed: today's salt epoch ends with {last_day}");
            epoch.last_day = last_day;
        }
        Ok(())
    }

    fn salt_of(
        &self,
        purpose: Purpose,
        day: NaiveDate,
        epoch: &SaltEpoch,
        now: DateTime<Utc>,
    ) -> Result<Salt, SaltError> {
        if now >= epoch.destroyed_from {
            // The salt is refused whether or not the nightly job came by.
            return Err(SaltError::Destroyed(day));
        }
        match (&epoch.salt, &epoch.fingerprint, self.source(purpose)) {
            (Some(salt), _, _) => Ok(salt.clone()),
            (None, Some(fingerprint), SaltSource::Given(given)) if self.matches(given, fingerprint) => {
                Ok(given.clone())
            }
            (None, Some(_), _) => Err(SaltError::OtherSalt { day, last_day: epoch.last_day }),
            (None, None, _) => Err(SaltError::Destroyed(day)),
        }
    }

    /// True if a fingerprint is the given salt's; tried once.
    fn matches(&self, given: &Salt, fingerprint: &[u8]) -> bool {
        // A lock poisoned by a panic elsewhere still holds a whole fingerprint.
        let mut matched = self.at_hand.matched.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if matched.as_deref() == Some(fingerprint) {
            return true;
        }
        let matches = given.has_fingerprint(fingerprint);
        if matches {
            *matched = Some(fingerprint.to_vec());
        }
        matches
    }
}

/// Returns a new fingerprint of a given salt.
fn fingerprint(given: &Salt) -> Result<Vec<u8>, StoreError> {
    Ok(given.fingerprint(&random::<RANDOM_BYTES>()?))
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Unavailable(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

/// Destroys the salts that nobody may use any more at `now`, which the caller trusts, and returns how many. If somebody uses
/// the table, former rows may stay in its file: that is an error, and the next destruction removes them.
pub async fn destroy(store: &Store, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut destroyed = 0;
    for _ in 0..MAX_WIPE_ATTEMPTS {
        let Destruction { salts, wiped } = store.destroy_salts(now).await?;
        destroyed += salts;
        METRICS.salts_destroyed.inc_by(salts);
        if wiped {
            METRICS.salt_destruction_last_success.set(now.timestamp());
            return Ok(destroyed);
        }
        tokio::time::sleep(WIPE_PERIOD).await;
    }
    Err(StoreError::Conflict(
        "salts are destroyed, but a long transaction keeps their former rows in the table's file".into(),
    ))
}
