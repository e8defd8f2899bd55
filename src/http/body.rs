//! Reads a body of bounded size, so that memory is bounded however many clients send at once.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::error::ApiError;

/// The largest body has this many bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// This much of a larger body is read and thrown away, so that a client that is still sending reads its answer.
const MAX_DRAINED_BYTES: usize = 8 << 20;
/// The whole process holds at most this many bytes of bodies at once.
pub const BUDGET_BYTES: usize = 64 << 20;
/// A client may take this long to send a body.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// A request waits this long for room in the budget.
const MAX_BUDGET_WAIT: Duration = Duration::from_secs(2);

/// A body, and the room in the budget it takes until it is dropped.
pub struct Received {
    pub bytes: Bytes,
    _reserved: OwnedSemaphorePermit,
}

/// Reads a body whole, or says why it cannot.
pub async fn read(headers: &HeaderMap, body: Body, budget: &Arc<Semaphore>) -> Result<Received, ApiError> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_DRAINED_BYTES) {
        return Err(too_large());
    }
    let room = announced.unwrap_or(MAX_BYTES).min(MAX_BYTES) as u32;
    let reserved = timeout(MAX_BUDGET_WAIT, Arc::clone(budget).acquire_many_owned(room))
        .await
        .ok()
        .and_then(Result::ok)
        .ok_or(ApiError::Unavailable { detail: "too many requests at once", retry_after: MAX_BUDGET_WAIT })?;
    let bytes = timeout(MAX_WAIT, collect(body)).await.map_err(|_| ApiError::BodyTimeout(MAX_WAIT))??;
    Ok(Received { bytes, _reserved: reserved })
}

async fn collect(mut body: Body) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::BadRequest("the body broke off".into()))?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > MAX_DRAINED_BYTES {
            break;
        }
        if received <= MAX_BYTES {
            bytes.extend_from_slice(&data);
        }
    }
    if received > MAX_BYTES { Err(too_large()) } else { Ok(bytes.into()) }
}

fn too_large() -> ApiError {
    ApiError::TooLarge(format!("the body is larger than {MAX_BYTES} bytes: send fewer heartbeats at once"))
}
