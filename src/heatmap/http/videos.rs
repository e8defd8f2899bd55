//! `GET /v1/videos`

use std::sync::Arc;

use axum::{
    extract::{self, Query, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use crate::{
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    heatmap::{
        store::{ReadError, videos::VideosQuery},
        videos::{Videos, videos},
    },
    http::{
        error::ApiError,
        parameters::{days, regions},
        problems::ReadProblems,
    },
};

/// Videos in the list, unless asked otherwise.
const DEFAULT_LIMIT: u32 = 20;
/// The longest list.
const MAX_LIMIT: u32 = 100;
/// Days the list covers, unless asked otherwise, today included.
const DEFAULT_DAYS: i64 = 28;

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
    let (from, to) = days(parameters.from.as_deref(), parameters.to.as_deref())?;
    let to = to.unwrap_or_else(|| app.clock.today());
    // The calendar has a first day.
    let from = from.unwrap_or_else(|| to.checked_sub_signed(TimeDelta::days(DEFAULT_DAYS - 1)).unwrap_or(to));
    if from > to {
        return Err(ApiError::BadRequest("from is later than to".into()));
    }
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
    let store = app.store.clone();
    app.answers
        .get(key, async move {
            let (range, rows) = store.read_videos(&question).await?;
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
