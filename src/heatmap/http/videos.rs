//! `GET /v1/videos`

use std::sync::Arc;

use axum::{
    extract::{self, Query, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use crate::{
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    catalogue::durations::whole_seconds,
    heatmap::{
        store::{ReadError, videos::VideosQuery},
        videos::{Videos, videos},
    },
    http::{
        error::ApiError,
        parameters::{recent_days, regions},
        problems::ReadProblems,
    },
};

/// Videos in the list, unless asked otherwise.
const DEFAULT_LIMIT: u32 = 20;
/// The longest list.
const MAX_LIMIT: u32 = 100;

/// The parameters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Videos in the list.
    #[param(required = false, value_type = u32, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `GLOBAL` (the default), one region, or several with commas: their union.
    #[param(required = false, value_type = String, example = "JP,KR")]
    region: Option<String>,
    /// First UTC day; left out: 27 days before the last.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<String>,
    /// Last UTC day, inclusive; left out: today.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<String>,
}

/// The most watched videos, by viewers.
#[utoipa::path(
    get,
    path = "/v1/videos",
    operation_id = "videos",
    tag = "strips",
    params(Parameters),
    responses(
        (
            status = 200,
            description = "The videos, by viewers descending and then by id.",
            body = Videos,
            headers(("etag" = String), ("cache-control" = String)),
            example = json!({
                "regions": ["GLOBAL"], "from": "2026-10-25", "to": "2026-11-21", "scope": "viewer-days",
                "relative_error": 0.01625, "exact": false, "generated_at": "2026-11-21T10:00:00Z",
                "videos": [{"video_id": "yt_abc123", "viewers": 41287, "seconds_played": 1298214, "last_sec": 539}]
            }),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        ReadProblems,
    ),
)]
pub async fn get(
    extract::State(app): extract::State<Arc<State>>,
    query: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let (from, to) = recent_days(parameters.from.as_deref(), parameters.to.as_deref(), app.clock.today())?;
    let question = VideosQuery {
        regions: regions(parameters.region.as_deref())?,
        from,
        to,
        limit: limit(parameters.limit.as_deref())?,
    };
    let answer = answer(&app, question).await?;
    Ok(cached(&answer, &headers))
}

fn limit(text: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    text.parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| ApiError::BadRequest(format!("limit must be a whole number from 1 to {MAX_LIMIT}")))
}

async fn answer(app: &State, question: VideosQuery) -> Result<Arc<Answer>, Arc<ReadError>> {
    let key = format!("videos {question:?}");
    let (store, durations) = (app.store.clone(), app.durations.clone());
    app.answers
        .get(key, async move {
            let (range, mut rows) = store.read_videos(&question).await?;
            // What was played after a video's end counts here, but no video is longer than it is.
            let known = durations.of(rows.iter().map(|row| row.name.as_str())).await?;
            for row in &mut rows {
                if let Some(&duration) = known.get(&row.name) {
                    row.last_sec = row.last_sec.min(whole_seconds(duration).saturating_sub(1));
                }
            }
            let mut videos = videos(range, rows);
            Ok(Made {
                content_type: "application/json",
                empty: videos.videos.is_empty(),
                render: Box::new(move |at| {
                    videos.generated_at = at;
                    serde_json::to_vec(&videos).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}
