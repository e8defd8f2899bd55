//! The shapes a body of heartbeats may have: one object, an array, an envelope with a batch id, or NDJSON.
//!
//! A body is cut into elements here and no further: each element is then read on its own ([`heartbeat::parse`]), so
//! that a broken one costs no other.
//!
//! [`heartbeat::parse`]: crate::events::heartbeat::parse

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

/// The most heartbeats one body may hold.
pub const MAX_HEARTBEATS: usize = 10_000;

/// The content type says how the bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The body is one object, an array of them, or an envelope.
    Json,
    /// The body has an object a line; empty lines are skipped.
    Ndjson,
}

/// A body cut into its elements.
#[derive(PartialEq, Eq)]
pub struct Body<'a> {
    pub batch_id: Option<Uuid>,
    pub elements: Vec<&'a str>,
}

impl fmt::Debug for Body<'_> {
    /// Leaves out the elements, which hold viewer ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("batch_id", &self.batch_id)
            .field("elements", &self.elements.len())
            .finish()
    }
}

/// A body cannot be cut into elements for one of these reasons.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    /// The bytes are no text.
    #[error("the body is not UTF-8 (first bad byte at {at})")]
    NotUtf8 { at: usize },
    /// The text is no JSON.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line of the error, counted from 1.
        line: usize,
        /// The column of the error, counted from 1.
        column: usize,
    },
    /// The JSON holds no heartbeats.
    #[error("the body is neither an object nor an array")]
    NeitherObjectNorArray,
    /// The parts of an envelope have the wrong type.
    #[error("bad envelope: {0}")]
    BadEnvelope(&'static str),
    /// The body holds more than [`MAX_HEARTBEATS`].
    #[error("the body holds {0} heartbeats, at most {MAX_HEARTBEATS} are taken at once")]
    TooManyHeartbeats(usize),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    batch_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    heartbeats: Option<&'a RawValue>,
}

/// Cuts a body into its elements.
pub fn parse(bytes: &[u8], format: Format) -> Result<Body<'_>, BodyError> {
    let text = std::str::from_utf8(bytes).map_err(|error| BodyError::NotUtf8 { at: error.valid_up_to() })?;
    let body = match format {
        Format::Json => parse_json(text)?,
        Format::Ndjson => {
            Body { batch_id: None, elements: text.lines().filter(|line| !line.trim().is_empty()).collect() }
        }
    };
    if body.elements.len() > MAX_HEARTBEATS {
        return Err(BodyError::TooManyHeartbeats(body.elements.len()));
    }
    Ok(body)
}

fn parse_json(text: &str) -> Result<Body<'_>, BodyError> {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => Ok(Body { batch_id: None, elements: array(text)? }),
        Some(b'{') => object(text),
        _ => Err(match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => BodyError::NeitherObjectNorArray,
            Err(error) => not_json(&error),
        }),
    }
}

fn object(text: &str) -> Result<Body<'_>, BodyError> {
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    let alone = Body { batch_id: None, elements: vec![whole.get()] };
    // Valid JSON that still fails here has one of the two names twice, or a name that is no text.
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
        return match is_envelope(text) {
            true => Err(BodyError::BadEnvelope("batch_id and heartbeats may stand in it once only")),
            false => Ok(alone),
        };
    };
    let Some(heartbeats) = envelope.heartbeats else {
        return Ok(alone);
    };
    if !heartbeats.get().starts_with('[') {
        return Err(BodyError::BadEnvelope("heartbeats must be an array"));
    }
    let batch_id = match envelope.batch_id {
        None => None,
        Some(raw) => Some(
            serde_json::from_str(raw.get()).map_err(|_| BodyError::BadEnvelope("batch_id must be a UUID"))?,
        ),
    };
    Ok(Body { batch_id, elements: array(heartbeats.get())? })
}

/// Returns true if an object that cannot be read as an envelope is meant as one.
fn is_envelope(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow, default)]
        heartbeats: Option<&'a RawValue>,
    }

    match serde_json::from_str::<Named<'_>>(text) {
        Ok(named) => named.heartbeats.is_some(),
        // A name stands there twice. A name that is no text would be an error of syntax.
        Err(error) => error.is_data(),
    }
}

fn array(text: &str) -> Result<Vec<&str>, BodyError> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

fn not_json(error: &serde_json::Error) -> BodyError {
    BodyError::NotJson { line: error.line(), column: error.column() }
}
