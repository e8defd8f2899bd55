//! The durations that this process knows, so that heartbeats are bounded without asking the database for each.
//!
//! What is read once is held until the catalogue changes. The catalogue counts its changes, and the count is looked at
//! every other second: if it stands still, everything that is held is still true, also that a video has no entry. If it
//! moved, the entries that were written since are dropped, and after a removal all are. A batch asks for all its videos
//! at once, so a batch of strangers costs one look-up, and while there never was an entry it costs none.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::{metrics::METRICS, store::Changes};
use crate::postgres::{Store, StoreError};

/// The durations of so many videos are held; at up to 300 bytes each this bounds the memory.
const MAX_HELD: u64 = 100_000;
/// Between two looks at the count of changes: a change elsewhere is felt here after this long.
const PERIOD: Duration = Duration::from_secs(2);
/// Stands for the count of changes before the first look.
const UNKNOWN: i64 = -1;
/// More entries than this that changed at once are not worth dropping one by one.
const MAX_DROPPED: usize = 10_000;

/// The durations of videos, as one process knows them.
#[derive(Clone)]
pub struct Durations {
    store: Store,
    /// None for a video that the catalogue gives no duration.
    held: moka::future::Cache<String, Option<f64>>,
    shared: Arc<Shared>,
}

struct Shared {
    /// Held while somebody asks the database, so that all who miss a video wait for the same answer, and so that an
    /// answer from before a change is never held after it.
    asking: Mutex<()>,
    /// The count of changes as it was seen last; [`UNKNOWN`] before the first look.
    change: AtomicI64,
    /// When that was, in milliseconds since `began`.
    looked_ms: AtomicU64,
    began: Instant,
    /// True while a look is under way that nobody waits for.
    looking: AtomicBool,
    /// True once the catalogue was changed here: the next question looks first.
    changed_here: AtomicBool,
}

impl Durations {
    /// Knows nothing yet.
    pub fn new(store: Store) -> Self {
        let held = moka::future::Cache::builder().max_capacity(MAX_HELD).build();
        let shared = Shared {
            asking: Mutex::default(),
            change: AtomicI64::new(UNKNOWN),
            looked_ms: AtomicU64::new(0),
            began: Instant::now(),
            looking: AtomicBool::new(false),
            changed_here: AtomicBool::new(false),
        };
        Durations { store, held, shared: Arc::new(shared) }
    }

    /// Returns the durations of those of the videos that have one.
    pub async fn of<'a>(
        &self,
        videos: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<String, f64>, StoreError> {
        let (mut known, missing) = self.at_hand(videos).await?;
        if !missing.is_empty() {
            self.look_up(&missing, &mut known).await?;
        }
        Ok(known)
    }

    /// Returns the durations as [`Durations::of`] does and holds none of them: whoever asks about videos that nobody watches
    /// must not push out those that are watched.
    pub async fn of_unheld<'a>(
        &self,
        videos: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<String, f64>, StoreError> {
        let (mut known, missing) = self.at_hand(videos).await?;
        if !missing.is_empty() {
            METRICS.duration_lookups.inc();
            known.extend(self.store.read_durations(&missing).await?);
        }
        Ok(known)
    }

    /// Returns the durations that are held, and the videos of which it is not known whether they have one.
    async fn at_hand<'a>(
        &self,
        videos: impl Iterator<Item = &'a str>,
    ) -> Result<(HashMap<String, f64>, Vec<&'a str>), StoreError> {
        let (mut known, mut missing) = (HashMap::new(), Vec::new());
        self.refresh().await?;
        if self.shared.change.load(Ordering::Acquire) == 0 {
            return Ok((known, missing));
        }
        let mut last = "";
        for video_id in videos {
            // Most batches are of one video.
            if video_id == last {
                continue;
            }
            last = video_id;
            match self.held.get(video_id).await {
                Some(Some(duration)) => {
                    known.insert(video_id.to_owned(), duration);
                }
                Some(None) => {}
                None => missing.push(video_id),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        Ok((known, missing))
    }

    /// Returns the duration of one video.
    pub async fn of_one(&self, video_id: &str) -> Result<Option<f64>, StoreError> {
        Ok(self.of(std::iter::once(video_id)).await?.remove(video_id))
    }

    /// Makes the next question look first: somebody changed the catalogue through this process.
    pub fn changed(&self) {
        self.shared.changed_here.store(true, Ordering::Release);
    }

    /// Looks at the count of changes if it is time to. Nobody waits for it, as what is held serves meanwhile and the
    /// database may be away, unless nothing is known yet or the change came from here.
    async fn refresh(&self) -> Result<(), StoreError> {
        let must_wait = self.shared.changed_here.load(Ordering::Acquire)
            || self.shared.change.load(Ordering::Acquire) == UNKNOWN;
        if must_wait {
            let _asking = self.shared.asking.lock().await;
            return self.look().await;
        }
        if self.is_due() && !self.shared.looking.swap(true, Ordering::AcqRel) {
            let durations = self.clone();
            tokio::spawn(async move {
                let _asking = durations.shared.asking.lock().await;
                if let Err(error) = durations.look().await {
                    METRICS.catalogue_looks_failed.inc();
                    tracing::debug!(%error, "the catalogue cannot be asked: {error}");
                }
                durations.shared.looking.store(false, Ordering::Release);
            });
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        let since = self.shared.began.elapsed().as_millis() as u64;
        since - self.shared.looked_ms.load(Ordering::Acquire).min(since) >= PERIOD.as_millis() as u64
    }

    /// Looks at the count of changes unless somebody just did, and drops what changed; called by whoever holds `asking`.
    async fn look(&self) -> Result<(), StoreError> {
        let known = self.shared.change.load(Ordering::Acquire);
        let changed_here = self.shared.changed_here.swap(false, Ordering::AcqRel);
        if !changed_here && known != UNKNOWN && !self.is_due() {
            return Ok(());
        }
        let seen = self.store.catalogue_changes(known, MAX_DROPPED).await;
        self.shared.looked_ms.store(self.shared.began.elapsed().as_millis() as u64, Ordering::Release);
        let Changes { change, written } = seen.inspect_err(|_| {
            self.shared.changed_here.fetch_or(changed_here, Ordering::AcqRel);
        })?;
        match written {
            None => self.held.invalidate_all(),
            Some(written) => {
                for video_id in &written {
                    self.held.invalidate(video_id).await;
                }
            }
        }
        self.shared.change.store(change, Ordering::Release);
        Ok(())
    }

    /// Reads the durations of videos that are not held.
    async fn look_up(&self, missing: &[&str], known: &mut HashMap<String, f64>) -> Result<(), StoreError> {
        let _asking = self.shared.asking.lock().await;
        // Whoever held the lock before may have read them.
        let mut still_missing: Vec<&str> = Vec::new();
        for &video_id in missing {
            match self.held.get(video_id).await {
                Some(duration) => {
                    duration.map(|duration| known.insert(video_id.to_owned(), duration));
                }
                None => still_missing.push(video_id),
            }
        }
        if still_missing.is_empty() {
            return Ok(());
        }
        METRICS.duration_lookups.inc();
        let read = self.store.read_durations(&still_missing).await?;
        for video_id in still_missing {
            self.held.insert(video_id.to_owned(), read.get(video_id).copied()).await;
        }
        known.extend(read);
        Ok(())
    }
}

/// Returns how many whole seconds a video of this length has: the last may be a part of one.
pub fn whole_seconds(duration_sec: f64) -> u32 {
    duration_sec.ceil() as u32
}

/// Returns true if a heartbeat may end with this second. The second that the duration names passes, as it does where
/// a player says the duration itself: players round.
pub fn is_within(end_sec: i32, duration_sec: f64) -> bool {
    f64::from(end_sec) <= duration_sec
}
