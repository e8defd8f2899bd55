//! The keys as one process knows them: all of them, read anew every few seconds, so that a request costs no look at the
//! table and a revocation is felt soon.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    caller::Known,
    key::{KeyHash, Secret},
    metrics::METRICS,
};
use crate::{
    http::{
        error::{ApiError, RETRY_WHEN_AWAY},
        in_time,
    },
    postgres::Store,
};

/// Between two looks that nobody asked for.
const REFRESH_PERIOD: Duration = Duration::from_secs(3);
/// Between two looks, however many ask with keys that nobody knows.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// Keys that were read longer ago may have been revoked since, and are not believed any more.
const MAX_AGE: Duration = Duration::from_secs(9);
/// A request waits this long for looks to be had.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// So many requests may wait for the next look; they hold connections.
const MAX_WAITING: usize = 256;

/// Who gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, to everything.
    Open,
    /// Whoever has a key, to what the key is for.
    Keys,
    /// Everybody until the first key is made, and from then on whoever has one, whatever is revoked.
    UntilKeys,
}

/// The keys that a look at the table found.
#[derive(Default)]
struct Ring {
    by_hash: HashMap<KeyHash, Arc<Known>>,
    /// When the first key was made; none if there never was one.
    closed_at: Option<DateTime<Utc>>,
    /// When the look began; none before the first.
    begun: Option<Instant>,
}

/// The last look, whether it found anything out or not.
struct Look {
    begun: Instant,
    failed: bool,
}

/// The keys as one process knows them.
pub struct Keyring {
    store: Store,
    access: Access,
    region_is_given: bool,
    ring: RwLock<Arc<Ring>>,
    /// Held while somebody looks, so that all who ask meanwhile wait for the same look.
    looking: Mutex<Option<Look>>,
    waiting: AtomicUsize,
}

impl Keyring {
    /// Reads the keys.
    pub async fn read(store: Store, access: Access, region_is_given: bool) -> Result<Arc<Keyring>, ApiError> {
        let keyring = Keyring {
            store,
            access,
            region_is_given,
            ring: RwLock::default(),
            looking: Mutex::new(None),
            waiting: AtomicUsize::new(0),
        };
        keyring.look(&mut *keyring.looking.lock().await).await?;
        Ok(Arc::new(keyring))
    }

    /// True while everybody gets in.
    pub fn is_open(&self) -> bool {
        match self.access {
            Access::Open => true,
            Access::Keys => false,
            // What was true at the last look: keys are never unmade.
            Access::UntilKeys => !self.has_keys(),
        }
    }

    /// True if there ever was a key.
    pub fn has_keys(&self) -> bool {
        self.closed_at().is_some()
    }

    /// Returns when the first key was made, from when on they are needed unless a setting says otherwise.
    pub fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.ring().closed_at
    }

    /// Reads the keys anew every few seconds until told to stop.
    pub async fn refresh(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(REFRESH_PERIOD) => {}
            }
            if let Err(error) = self.look(&mut *self.looking.lock().await).await {
                tracing::debug!(%error, "keys cannot be read: {error}");
            }
        }
    }

    /// Returns the key of this secret, if there is one. A key that is not known may have been made a moment ago: the
    /// request waits for a look that begins after it came, of which there is one a second. An error says that nobody can
    /// know: clients give up for good once they hear that a key is wrong.
    pub async fn find(&self, secret: &Secret) -> Result<Option<Arc<Known>>, ApiError> {
        timeout(MAX_WAIT, self.find_soon(secret)).await.unwrap_or_else(|_| Err(away()))
    }

    async fn find_soon(&self, secret: &Secret) -> Result<Option<Arc<Known>>, ApiError> {
        let (hash, came) = (secret.hash(), Instant::now());
        if let Some(known) = self.ring().known(&hash, came) {
            return Ok(Some(known));
        }
        let _waiting = Waiting::enter(&self.waiting)?;
        let mut last = self.looking.lock().await;
        match &*last {
            Some(look) if look.begun > came && look.failed => return Err(away()),
            Some(look) if look.begun > came => {}
            _ => {
                if let Some(look) = &*last {
                    sleep_until(look.begun + LOOK_PERIOD).await;
                }
                self.look(&mut last).await?;
            }
        }
        drop(last);
        Ok(self.ring().known(&hash, Instant::now()))
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn look(&self, last: &mut Option<Look>) -> Result<(), ApiError> {
        let begun = Instant::now();
        let read = in_time(async { self.store.keys().await.map_err(|error| ApiError::from(&error)) }).await;
        *last = Some(Look { begun, failed: read.is_err() });
        let stored = read?;
        // A table that lost its rows opens nothing while this process lives.
        let closed_at = stored.iter().map(|stored| stored.made_at).min().or(self.ring().closed_at);
        let by_hash: HashMap<_, _> = stored
            .into_iter()
            .filter_map(|stored| Some((stored.hash?, Arc::new(Known::new(stored.key, self.region_is_given)))))
            .collect();
        METRICS.keys.set(by_hash.len() as i64);
        let ring = Ring { by_hash, closed_at, begun: Some(begun) };
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        METRICS.open.set(self.is_open().into());
        Ok(())
    }
}

impl Ring {
    /// Returns a key, unless it was read so long ago that it may have been revoked since.
    fn known(&self, hash: &KeyHash, now: Instant) -> Option<Arc<Known>> {
        let is_fresh = self.begun.is_some_and(|begun| now.saturating_duration_since(begun) < MAX_AGE);
        self.by_hash.get(hash).filter(|_| is_fresh).cloned()
    }
}

fn away() -> ApiError {
    ApiError::Unavailable {
        detail: "keys cannot be looked up now: send the same request again",
        retry_after: RETRY_WHEN_AWAY,
    }
}

/// A request that waits for the next look.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize) -> Result<Waiting<'a>, ApiError> {
        let entered = Waiting(waiting);
        match waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            true => Ok(entered),
            false => Err(away()),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
