//! Batches that were sent before.

use uuid::Uuid;

use super::{Endpoint, State};
use crate::{
    access::Caller,
    http::{self, error::ApiError},
    queue::batch_ids::{Accepted, Ring},
};

/// The ids by which a batch may be remembered.
#[derive(Clone, Copy)]
pub struct Remembered {
    pub id: Uuid,
    /// The one it had while nobody needed a key, where that was not long ago: a batch that was sent before the first key was
    /// made may be sent again behind it.
    while_open: Option<Uuid>,
}

impl Remembered {
    /// Returns how a batch is remembered, or none if none is.
    pub fn of(
        app: &State,
        endpoint: Endpoint,
        caller: Option<&Caller>,
        id: Option<Uuid>,
    ) -> Option<Remembered> {
        let (id, window) = (endpoint.remembered(id?), app.dedup_window?);
        let Some(caller) = caller else {
            return Some(Remembered { id, while_open: None });
        };
        let while_open = caller.came_in_open(app.clock.now(), window).then_some(id);
        Some(Remembered { id: caller.batch_id(id), while_open })
    }
}

/// Returns what a batch was answered when it was accepted while nobody needed a key.
pub async fn accepted_while_open(
    app: &State,
    batch: Option<Remembered>,
) -> Result<Option<Accepted>, ApiError> {
    match batch.and_then(|batch| batch.while_open) {
        Some(id) => look_up(app, &[id]).await,
        None => Ok(None),
    }
}

/// Returns what a batch was answered when it was accepted.
pub async fn accepted_before(app: &State, batch: Option<Remembered>) -> Result<Option<Accepted>, ApiError> {
    let Some(Remembered { id, while_open }) = batch else {
        return Ok(None);
    };
    let ids: Vec<Uuid> = std::iter::once(id).chain(while_open).collect();
    look_up(app, &ids).await
}

async fn look_up(app: &State, ids: &[Uuid]) -> Result<Option<Accepted>, ApiError> {
    let mut known = http::in_time(async {
        app.store.accepted_batches(Ring::Http, ids).await.map_err(|error| ApiError::from(&error))
    })
    .await?;
    Ok(ids.iter().find_map(|id| known.remove(id)))
}
