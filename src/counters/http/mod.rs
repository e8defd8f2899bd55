//! The routes of counters.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use blake2::{Blake2b, Digest, digest::consts::U16};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    intake::{Intake, IntakeError},
    kinds::{Kind, Kinds},
};
use crate::{
    clock::Clock,
    http::{
        body::BodyBudget,
        caching::holds,
        error::{ApiError, RETRY_WHEN_AWAY},
        in_time,
    },
    postgres::{Store, StoreError},
};

mod members;
mod openapi;
mod parameters;
mod totals;
mod write;

/// Between two looks for kinds that were added since: whoever names kinds that are none must not make the database busy.
const KINDS_PERIOD: Duration = Duration::from_secs(1);

/// The parts that these routes work with.
pub struct State {
    pub store: Store,
    pub intake: Intake,
    pub clock: Clock,
    /// Bounds the bytes of bodies held at once.
    pub body_budget: Arc<BodyBudget>,
    /// The kinds, as far as they are known.
    pub kinds: KnownKinds,
}

/// The routes and their description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(write::post, totals::several))
        .routes(routes!(totals::one))
        .routes(routes!(members::of_counter))
        .routes(routes!(members::of_member))
        .routes(routes!(members::erase))
}

/// The kinds, read when one is named that is not known yet. Kinds are only ever added.
#[derive(Default)]
pub struct KnownKinds {
    kinds: RwLock<Arc<Kinds>>,
    /// When they were last looked for; held while somebody looks, so that all who miss a kind wait for the same look.
    looked: Mutex<Option<Instant>>,
}

impl KnownKinds {
    /// Those that are known.
    fn known(&self) -> Arc<Kinds> {
        Arc::clone(&self.kinds.read().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// As [`KnownKinds::known`], after a look for new ones unless there was one just now.
    async fn refreshed(&self, store: &Store) -> Result<Arc<Kinds>, ApiError> {
        let mut looked = self.looked.lock().await;
        if looked.is_none_or(|looked| looked.elapsed() >= KINDS_PERIOD) {
            let look = async { store.counter_kinds().await.map_err(|error| ApiError::from(&error)) };
            let kinds = Arc::new(in_time(look).await?);
            *self.kinds.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = kinds;
            *looked = Some(Instant::now());
        }
        Ok(self.known())
    }
}

impl State {
    /// The kinds, all of which `is_known` finds, or as they are by now.
    async fn kinds(&self, is_known: impl Fn(&Kinds) -> bool) -> Result<Arc<Kinds>, ApiError> {
        let kinds = self.kinds.known();
        if is_known(&kinds) { Ok(kinds) } else { self.kinds.refreshed(&self.store).await }
    }

    /// All kinds, among them one of this number.
    async fn kind_named(&self, name: &str) -> Result<Kind, ApiError> {
        let kinds = self.kinds(|kinds| kinds.named(name).is_some()).await?;
        kinds.named(name).cloned().ok_or_else(|| {
            ApiError::BadRequest(format!("there is no kind {name:?}: `heatstrip kinds list` has them all"))
        })
    }
}

/// An answer that may be kept, and must be asked for again each time: nobody who has just counted sees an old total.
fn fresh(value: &impl Serialize, request: &HeaderMap) -> Response {
    let body = serde_json::to_vec(value).expect("answers are plain values with string keys");
    let digest: [u8; 16] = Blake2b::<U16>::digest(&body).into();
    let etag = format!("\"{:032x}\"", u128::from_be_bytes(digest));
    let is_held = holds(request, &etag);
    let validators = [(header::ETAG, etag), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if is_held {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    (validators, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        let unavailable = |detail| ApiError::Unavailable { detail, retry_after: RETRY_WHEN_AWAY };
        match error {
            IntakeError::Full => unavailable("too many counts are waiting, nothing was done"),
            IntakeError::TimedOut => unavailable(UNKNOWN),
            IntakeError::Store(error) => match &*error {
                StoreError::OutcomeUnknown(_) => unavailable(UNKNOWN),
                error => ApiError::from(error),
            },
        }
    }
}

const UNKNOWN: &str = "the outcome of the commit is unknown: send the same counts again, with the same ids";
