//! `GET /healthz`, whether the process lives, and `GET /readyz`, whether it can serve.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{ApiError, AppState, in_time};

/// A queue row older than this is worth a word: no worker runs, or it cannot keep up.
const OLD_ROW_SECS: i64 = 60;

pub async fn live() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({"status": "alive"}))).into_response()
}

/// Ready when Postgres answers with the schema this program knows. A queue that grows old is named, not refused for: it
/// is the worker's trouble, and taking the API away would not help.
pub async fn ready(State(app): State<AppState>) -> Result<Response, ApiError> {
    let unavailable = |error: &_| {
        tracing::warn!(%error, "not ready: {error}");
        ApiError::from(error)
    };
    let oldest = in_time(async {
        app.store.check().await.map_err(|error| unavailable(&error))?;
        app.store.oldest_queued().await.map_err(|error| unavailable(&error))
    })
    .await?;
    // Counting is left to the sampler: whoever asks every second must not make a deep queue slower.
    let mut body = json!({"status": "ready", "queued_heartbeats": app.intake.queued()});
    if let Some(oldest) = oldest {
        let age_secs = (app.clock.now() - oldest).num_seconds();
        if age_secs > OLD_ROW_SECS {
            body["oldest_queue_row_secs"] = age_secs.into();
            body["warning"] = "heartbeats wait to be folded: is a worker running?".into();
        }
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
