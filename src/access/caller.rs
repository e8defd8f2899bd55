//! Whoever holds a key and is served under it.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use blake2::{Blake2b, Digest, digest::consts::U16};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    budget::Budgets,
    key::{Key, Role},
    metrics::METRICS,
};
use crate::{
    events::terms::Terms,
    http::{Sender, error::ApiError},
};

/// Other processes feel the first key within this time.
const FELT: Duration = Duration::from_secs(60);

/// The accounts of all senders.
pub type Senders = Budgets<Sender>;

/// A key that is known, ready for use.
#[derive(Debug)]
pub struct Known {
    pub key: Key,
    /// The name of its accounts.
    account: Arc<str>,
    /// The terms under which its holder may write and read.
    terms: Arc<Terms>,
}

impl Known {
    /// Makes a key ready for use. With `region_is_given`, what a proxy says of a player's region goes before what the player
    /// says.
    pub fn new(key: Key, region_is_given: bool) -> Known {
        let is_public = key.role == Role::Player;
        let terms = Terms {
            key: key.name.clone(),
            video_prefix: key.video_prefix.clone(),
            namespace: key.namespace.clone(),
            is_public,
            signing_secret: key.signing_secret.clone(),
            region_is_given: is_public && region_is_given,
        };
        Known { account: key.name.as_str().into(), terms: Arc::new(terms), key }
    }
}

/// Whoever asks, where keys are needed. Routes find it among the extensions of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    known: Arc<Known>,
    sender: Sender,
    budgets: Arc<Senders>,
    /// When the first key was made.
    closed_at: Option<DateTime<Utc>>,
}

impl Caller {
    /// Returns the holder of a key at an address.
    pub(super) fn new(
        known: Arc<Known>,
        address: IpAddr,
        budgets: Arc<Senders>,
        closed_at: Option<DateTime<Utc>>,
    ) -> Caller {
        let sender = Sender { key: Some(Arc::clone(&known.account)), address };
        Caller { known, sender, budgets, closed_at }
    }

    /// Returns the terms under which it tells what is watched.
    pub fn terms(&self) -> Arc<Terms> {
        Arc::clone(&self.known.terms)
    }

    /// Returns how many have to have watched what it is shown.
    pub fn min_audience(&self) -> Option<u64> {
        self.known.key.min_audience
    }

    /// Takes a request from its budget, or returns how long it has to wait.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        self.budgets.admit(&self.sender, &self.known.key.budget, now)
    }

    /// Returns the name under which a batch of its own is remembered: two keys may choose the same id, and neither is told
    /// what became of the other's.
    pub fn batch_id(&self, id: Uuid) -> Uuid {
        let mut hasher = Blake2b::<U16>::new();
        hasher.update(self.known.key.name.as_bytes());
        hasher.update([0]);
        hasher.update(id.as_bytes());
        Uuid::from_bytes(hasher.finalize().into())
    }

    /// Returns true if something that was sent within so long a time may have come in while nobody needed a key.
    pub fn came_in_open(&self, now: DateTime<Utc>, window: Duration) -> bool {
        self.closed_at.is_some_and(|closed_at| (now - closed_at).to_std().unwrap_or_default() < window + FELT)
    }

    /// Takes what a body tells from its budget, in watched seconds, or says how long it has to wait; nothing of the body may
    /// be accepted then.
    pub fn tell(&self, watched_secs: u64) -> Result<(), ApiError> {
        let budget = &self.known.key.budget;
        self.budgets.tell(&self.sender, budget, watched_secs, Instant::now()).map_err(|retry_after| {
            METRICS.refused.with_label_values(&["too_many"]).inc();
            ApiError::TooMany { retry_after }
        })
    }

    /// Returns who sends, for whatever else is bounded by sender.
    pub(super) fn sender(&self) -> Sender {
        self.sender.clone()
    }
}
