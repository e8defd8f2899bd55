//! Reads the parameters that several routes share.

use axum::extract::{Path, rejection::PathRejection};
use chrono::{Datelike, NaiveDate};

use super::error::ApiError;
use crate::events::{
    heartbeat::{MAX_VIDEO_ID_BYTES, check_id},
    region::{self, GLOBAL},
};

/// Returns the video that the path names.
pub fn video_id(path: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let Path(video_id) = path.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    check_id(&video_id, MAX_VIDEO_ID_BYTES).map_err(|reason| {
        ApiError::BadRequest(format!(
            "video_id must be 1 to {MAX_VIDEO_ID_BYTES} bytes without control characters ({reason})"
        ))
    })?;
    Ok(video_id)
}

/// Returns the ends of a range of days, each of which may be left out.
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

/// Returns the regions to unite, or all of them if none is named.
pub fn regions(text: Option<&str>) -> Result<Vec<String>, ApiError> {
    region::parse_union(text.unwrap_or(GLOBAL)).map_err(|reason| {
        ApiError::BadRequest(format!(
            "region must be {GLOBAL} or regions with commas between them, each 2-16 of A-Z, 0-9 and '-' ({reason})"
        ))
    })
}

/// Returns a UTC day, which must be written as the answers write it.
fn day(name: &str, text: Option<&str>) -> Result<Option<NaiveDate>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    text.parse::<NaiveDate>()
        .ok()
        // The parser is lenient, but the answer echoes the day, and the echo should be what was asked for. The parser's
        // calendar is also wider than the database's.
        .filter(|day| day.to_string() == text && (1..=9999).contains(&day.year()))
        .map(Some)
        .ok_or_else(|| ApiError::BadRequest(format!("{name} must be a day like 2026-11-21")))
}
