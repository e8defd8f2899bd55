//! `GET /v1/videos/{video_id}/regions`

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State, rejection::PathRejection, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    ApiError, AppState,
    heatmap::{cached, days, video_id},
    openapi::ReadProblems,
};
use crate::{store::regions::RegionsQuery, strip_cache::Question, video_regions::VideoRegions};

/// The longest list. Regions are what players say, so there may be more than there are countries.
const MAX_REGIONS: u32 = 100;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// First UTC day; left out: the first the video was watched on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<String>,
    /// Last UTC day, inclusive; left out: the last the video was watched on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<String>,
}

/// The regions a video was watched in, by viewers.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/regions",
    operation_id = "regions",
    tag = "strips",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        Parameters,
    ),
    responses(
        (
            status = 200,
            description = "The regions, by viewers descending and then by name; at most 100. They do not add up: who \
                           watched in two of them counts in both.",
            body = VideoRegions,
            headers(("etag" = String), ("cache-control" = String)),
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
    State(app): State<Arc<AppState>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let (from, to) = days(parameters.from.as_deref(), parameters.to.as_deref())?;
    let question = RegionsQuery { video_id, from, to, limit: MAX_REGIONS };
    let answer = app.strips.answer(Question::Regions(question)).await?;
    Ok(cached(&answer, &headers))
}
