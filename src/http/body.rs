//! Reads a body of bounded size, so that memory is bounded however many clients send at once.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
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
/// A client that is sending a body may pause for this long.
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// A request waits this long for room in the budget.
const MAX_BUDGET_WAIT: Duration = Duration::from_secs(2);
/// The body of a request that is refused anyway is thrown away for this long.
const MAX_DRAIN: Duration = Duration::from_secs(5);

/// A body, and the room in the budget it takes until it is dropped.
pub struct Received {
    pub bytes: Bytes,
    /// None for an empty body.
    _reserved: Option<OwnedSemaphorePermit>,
}

/// Reads a body whole, or says why it cannot.
///
/// Room is taken for bytes that have arrived and never for bytes that were announced: else a few clients that announce
/// much and send nothing would keep everybody out.
pub async fn read(headers: &HeaderMap, body: Body, budget: &Arc<Semaphore>) -> Result<Received, ApiError> {
    if announced(headers).is_some_and(|length| length > MAX_DRAINED_BYTES) {
        return Err(too_large());
    }
    collect(body, budget).await
}

/// Throws a body away whose request is refused, so that a client that is still sending reads why. It costs no memory.
pub async fn drain(headers: &HeaderMap, mut body: Body) {
    if announced(headers).is_some_and(|length| length > MAX_DRAINED_BYTES) {
        return;
    }
    let draining = async {
        let mut received = 0;
        while let Some(Ok(frame)) = body.frame().await {
            received += frame.data_ref().map_or(0, Bytes::len);
            if received > MAX_DRAINED_BYTES {
                break;
            }
        }
    };
    // Whoever is slower than this does not read the answer either.
    let _ = timeout(MAX_DRAIN, draining).await;
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
}

async fn collect(mut body: Body, budget: &Arc<Semaphore>) -> Result<Received, ApiError> {
    let deadline = Instant::now() + MAX_WAIT;
    let mut bytes = Vec::new();
    let mut reserved: Option<OwnedSemaphorePermit> = None;
    let mut received = 0;
    loop {
        let next = timeout_at(deadline.min(Instant::now() + MAX_PAUSE), body.frame());
        let frame = match next.await.map_err(|_| ApiError::BodyTimeout(MAX_WAIT))? {
            None => break,
            Some(frame) => frame.map_err(|_| ApiError::BadRequest("the body broke off".into()))?,
        };
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > MAX_DRAINED_BYTES {
            break;
        }
        if received > MAX_BYTES {
            // What is too large is refused, so nothing of it has to be held.
            bytes = Vec::new();
            reserved = None;
            continue;
        }
        let room = reserve(budget, data.len()).await?;
        match &mut reserved {
            None => reserved = Some(room),
            Some(reserved) => reserved.merge(room),
        }
        bytes.extend_from_slice(&data);
    }
    if received > MAX_BYTES {
        return Err(too_large());
    }
    Ok(Received { bytes: bytes.into(), _reserved: reserved })
}

async fn reserve(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
    let room = Arc::clone(budget).acquire_many_owned(bytes as u32);
    timeout(MAX_BUDGET_WAIT, room)
        .await
        .ok()
        .and_then(Result::ok)
        .ok_or(ApiError::Unavailable { detail: "too many requests at once", retry_after: MAX_BUDGET_WAIT })
}

fn too_large() -> ApiError {
    ApiError::TooLarge(format!("the body is larger than {MAX_BYTES} bytes: send fewer heartbeats at once"))
}
