//! `GET /v1/videos/{video_id}/heatmap`

use axum::{
    extract::{Path, Query, State, rejection::PathRejection, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::{ApiError, AppState};
use crate::{
    heartbeat::{MAX_VIDEO_ID_BYTES, check_id},
    region::{self, GLOBAL},
    store::strips::StripQuery,
    strip_cache::{Answer, Question},
};

/// Seconds a bucket, unless asked otherwise.
const DEFAULT_RESOLUTION: u32 = 5;
/// The longest bucket: an hour.
const MAX_RESOLUTION: u32 = 3600;

#[derive(Deserialize)]
pub struct Parameters {
    region: Option<String>,
    resolution: Option<String>,
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
    let question = StripQuery {
        video_id,
        regions: regions(parameters.region.as_deref())?,
        resolution: resolution(parameters.resolution.as_deref())?,
        from,
        to,
    };
    let answer = app.strips.answer(Question::Strip(question)).await?;
    Ok(cached(&answer, &headers))
}

/// The video that the path names.
pub fn video_id(path: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let Path(video_id) = path.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    check_id(&video_id, MAX_VIDEO_ID_BYTES).map_err(|reason| {
        ApiError::BadRequest(format!(
            "video_id must be 1 to {MAX_VIDEO_ID_BYTES} bytes without control characters ({reason})"
        ))
    })?;
    Ok(video_id)
}

/// The ends of a range of days, each of which may be left out.
pub fn days(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<NaiveDate>, Option<NaiveDate>), ApiError> {
    let (from, to) = (day("from", from)?, day("to", to)?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(ApiError::BadRequest("from is later than to".into()));
    }
    Ok((from, to))
}

fn resolution(text: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = text else {
        return Ok(DEFAULT_RESOLUTION);
    };
    text.parse().ok().filter(|seconds| (1..=MAX_RESOLUTION).contains(seconds)).ok_or_else(|| {
        ApiError::BadRequest(format!(
            "resolution must be a whole number of seconds from 1 to {MAX_RESOLUTION}"
        ))
    })
}

/// The regions to unite, all of them unless some are named.
pub fn regions(text: Option<&str>) -> Result<Vec<String>, ApiError> {
    region::parse_union(text.unwrap_or(GLOBAL)).map_err(|reason| {
        ApiError::BadRequest(format!(
            "region must be {GLOBAL} or regions with commas between them, each 2-16 of A-Z, 0-9 and '-' ({reason})"
        ))
    })
}

/// A UTC day, written as the answers write it.
fn day(name: &str, text: Option<&str>) -> Result<Option<NaiveDate>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    text.parse::<NaiveDate>()
        .ok()
        // The parser is lenient; the answer echoes the day, and it should be what was asked for. Its calendar is also
        // wider than the database's.
        .filter(|day| day.to_string() == text && (1..=9999).contains(&day.year()))
        .map(Some)
        .ok_or_else(|| ApiError::BadRequest(format!("{name} must be a day like 2026-11-21")))
}

/// An answer with its validators, or 304 to whoever holds it already.
pub fn cached(answer: &Answer, request: &HeaderMap) -> Response {
    let max_age = answer.remaining_life().as_secs();
    let validators = [
        (header::ETAG, answer.etag.clone()),
        (header::CACHE_CONTROL, format!("public, max-age={max_age}, stale-while-revalidate=60")),
    ];
    if holds(request, &answer.etag) {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    (validators, [(header::CONTENT_TYPE, "application/json")], answer.body.clone()).into_response()
}

/// Whether who asks holds what has this tag.
pub fn holds(request: &HeaderMap, etag: &str) -> bool {
    let held = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    held.flat_map(|value| value.split(',')).any(|tag| is_same_tag(tag.trim(), etag))
}

/// Weak comparison (RFC 9110, section 8.8.3.2): a proxy may have made the tag strong.
fn is_same_tag(held: &str, current: &str) -> bool {
    held == "*" || held.trim_start_matches("W/") == current.trim_start_matches("W/")
}
