//! `GET /v1/videos/{video_id}/regions`

use axum::{
    extract::{Path, Query, State, rejection::PathRejection, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;

use super::{
    ApiError, AppState,
    heatmap::{cached, days, video_id},
};
use crate::{store::regions::RegionsQuery, strip_cache::Question};

/// The longest list. Regions are what players say, so there may be more than there are countries.
const MAX_REGIONS: u32 = 100;

#[derive(Deserialize)]
pub struct Parameters {
    from: Option<String>,
    to: Option<String>,
}

pub async fn get(
    State(app): State<AppState>,
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
