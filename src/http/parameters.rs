//! Reads the parameters that several routes share.

use axum::extract::{Path, rejection::PathRejection};
use chrono::{Datelike, NaiveDate, TimeDelta};

use super::error::ApiError;
use crate::events::{
    heartbeat::{MAX_VIDEO_ID_BYTES, check_id},
    region::{self, GLOBAL},
};

/// Returns the video that the path names.
pub fn video_id(path: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let Path(video_id) = path.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    check_video_id(&video_id)?;
    Ok(video_id)
}

/// Returns the videos that a repeated parameter names, each once and in the order asked, at most so many.
pub fn video_ids<'a>(named: impl Iterator<Item = &'a str>, most: usize) -> Result<Vec<String>, ApiError> {
    let mut videos: Vec<String> = Vec::new();
    for video_id in named {
        check_video_id(video_id)?;
        if videos.iter().any(|known| known == video_id) {
            continue;
        }
        if videos.len() == most {
            return Err(ApiError::BadRequest(format!("video_id may be given at most {most} times")));
        }
        videos.push(video_id.to_owned());
    }
    Ok(videos)
}

fn check_video_id(video_id: &str) -> Result<(), ApiError> {
    check_id(video_id, MAX_VIDEO_ID_BYTES).map_err(|reason| {
        ApiError::BadRequest(format!(
            "video_id must be 1 to {MAX_VIDEO_ID_BYTES} bytes without control characters ({reason})"
        ))
    })
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

/// Days of a list, unless asked otherwise, the last included.
const RECENT_DAYS: i64 = 28;

/// Returns a range of days whose left-out ends make it the last four weeks.
pub fn recent_days(
    from: Option<&str>,
    to: Option<&str>,
    today: NaiveDate,
) -> Result<(NaiveDate, NaiveDate), ApiError> {
    let (from, to) = days(from, to)?;
    let to = to.unwrap_or(today);
    // The calendar has a first day.
    let from = from.unwrap_or_else(|| to.checked_sub_signed(TimeDelta::days(RECENT_DAYS - 1)).unwrap_or(to));
    if from > to {
        return Err(ApiError::BadRequest("from is later than to".into()));
    }
    Ok((from, to))
}

/// The parameters of a question of which one may be repeated, as they were given.
pub struct Given(pub Vec<(String, String)>);

impl Given {
    /// Returns a parameter that may be given once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.all(name);
        let value = values.next();
        match values.next() {
            Some(_) => Err(ApiError::BadRequest(format!("{name} may be given once only"))),
            None => Ok(value),
        }
    }

    /// Returns all values of a parameter, in their order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
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
