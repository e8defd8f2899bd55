//! Parameters of the routes of counters.

use axum::extract::{
    Path, Query,
    rejection::{PathRejection, QueryRejection},
};
use serde::de::DeserializeOwned;

use crate::{
    counters::element::{MAX_MEMBER_ID_BYTES, MAX_OBJECT_BYTES, check_object_type},
    events::{fields::check_id, refusal::Reason},
    http::error::ApiError,
};

/// Records in a list, unless asked otherwise.
const DEFAULT_LIMIT: usize = 20;
/// The longest list.
const MAX_LIMIT: usize = 100;

/// The names in the path.
pub fn path<T: DeserializeOwned + Send>(path: Result<Path<T>, PathRejection>) -> Result<T, ApiError> {
    path.map(|Path(named)| named).map_err(|rejection| ApiError::BadRequest(rejection.body_text()))
}

/// The parameters behind the question mark.
pub fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(asked)| asked).map_err(|rejection| ApiError::BadRequest(rejection.body_text()))
}

fn bounded(name: &str, bytes: usize, outcome: Result<(), Reason>) -> Result<(), ApiError> {
    outcome.map_err(|reason| {
        ApiError::BadRequest(format!(
            "{name} must be 1 to {bytes} bytes without control characters ({reason})"
        ))
    })
}

/// An object's type and id within their bounds.
pub fn object(object_type: &str, object_id: &str) -> Result<(), ApiError> {
    if check_object_type(object_type) == Err(Reason::BadFormat) {
        return Err(ApiError::BadRequest("object_type must not hold a colon".into()));
    }
    bounded("object_type", MAX_OBJECT_BYTES, check_object_type(object_type))?;
    bounded("object_id", MAX_OBJECT_BYTES, check_id(object_id, MAX_OBJECT_BYTES))
}

/// An object as `TYPE:ID`.
pub fn object_pair(text: &str) -> Result<(String, String), ApiError> {
    let (object_type, object_id) =
        text.split_once(':').ok_or_else(|| ApiError::BadRequest("object must be written TYPE:ID".into()))?;
    object(object_type, object_id)?;
    Ok((object_type.to_owned(), object_id.to_owned()))
}

/// A member's id within its bounds.
pub fn member(member_id: &str) -> Result<(), ApiError> {
    bounded("member_id", MAX_MEMBER_ID_BYTES, check_id(member_id, MAX_MEMBER_ID_BYTES))
}

/// The length of a list.
pub fn limit(text: Option<&str>) -> Result<usize, ApiError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    text.parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| ApiError::BadRequest(format!("limit must be a whole number from 1 to {MAX_LIMIT}")))
}
