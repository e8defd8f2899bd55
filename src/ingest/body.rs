//! The shapes a body of elements may have, heartbeats or others: one object, an array, an envelope, or NDJSON.
//!
//! A body is cut into elements here and no further: each element is then read on its own (as by [`heartbeat::parse`]), so
//! that a broken one costs no other.
//!
//! [`heartbeat::parse`]: crate::events::heartbeat::parse

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The most elements one body may hold.
pub const MAX_ELEMENTS: usize = 10_000;

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
    /// The JSON text of each element.
    pub elements: Vec<&'a str>,
}

impl fmt::Debug for Body<'_> {
    /// Leaves out the elements, which name people.
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
    /// The JSON holds no elements.
    #[error("the body is neither an object nor an array")]
    NeitherObjectNorArray,
    /// The parts of an envelope have the wrong type.
    #[error("bad envelope: {0}")]
    BadEnvelope(String),
    /// The body holds more than [`MAX_ELEMENTS`].
    #[error("the body holds {count} {noun}, at most {MAX_ELEMENTS} are taken at once")]
    TooMany {
        /// How many it holds.
        count: usize,
        /// What they are.
        noun: &'static str,
    },
}

/// What may stand in an envelope beside names that are ignored.
#[derive(Default)]
struct Envelope<'a> {
    batch_id: Option<&'a RawValue>,
    elements: Option<&'a RawValue>,
    /// One of the two stands in it again.
    twice: bool,
}

/// Cuts a body into its elements; `noun` is what they are called, and the name of the array in an envelope.
pub fn parse<'a>(bytes: &'a [u8], format: Format, noun: &'static str) -> Result<Body<'a>, BodyError> {
    let text = std::str::from_utf8(bytes).map_err(|error| BodyError::NotUtf8 { at: error.valid_up_to() })?;
    let body = match format {
        Format::Json => parse_json(text, noun)?,
        Format::Ndjson => {
            Body { batch_id: None, elements: text.lines().filter(|line| !line.trim().is_empty()).collect() }
        }
    };
    if body.elements.len() > MAX_ELEMENTS {
        return Err(BodyError::TooMany { count: body.elements.len(), noun });
    }
    Ok(body)
}

fn parse_json<'a>(text: &'a str, noun: &'static str) -> Result<Body<'a>, BodyError> {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => Ok(Body { batch_id: None, elements: array(text)? }),
        Some(b'{') => object(text, noun),
        _ => Err(match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => BodyError::NeitherObjectNorArray,
            Err(error) => not_json(&error),
        }),
    }
}

fn object<'a>(text: &'a str, noun: &'static str) -> Result<Body<'a>, BodyError> {
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    let alone = Body { batch_id: None, elements: vec![whole.get()] };
    // Valid JSON that still fails here has a name that is no text.
    let Ok(envelope) = Named(noun).deserialize(&mut serde_json::Deserializer::from_str(text)) else {
        return Ok(alone);
    };
    let Some(elements) = envelope.elements else {
        return Ok(alone);
    };
    let bad = |what: String| Err(BodyError::BadEnvelope(what));
    if envelope.twice {
        return bad(format!("batch_id and {noun} may stand in it once only"));
    }
    if !elements.get().starts_with('[') {
        return bad(format!("{noun} must be an array"));
    }
    let batch_id = match envelope.batch_id.map(|raw| serde_json::from_str(raw.get())) {
        None => None,
        Some(Ok(batch_id)) => Some(batch_id),
        Some(Err(_)) => return bad("batch_id must be a UUID".to_owned()),
    };
    Ok(Body { batch_id, elements: array(elements.get())? })
}

/// Reads an object as an envelope whose array has this name.
struct Named(&'static str);

impl<'de> DeserializeSeed<'de> for Named {
    type Value = Envelope<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Named {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Envelope<'de>, M::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut envelope = Envelope::default();
        let mut seen = [false; 2];
        while let Some(Name(name)) = map.next_key()? {
            let (place, seen) = match &*name {
                "batch_id" => (&mut envelope.batch_id, &mut seen[0]),
                name if name == self.0 => (&mut envelope.elements, &mut seen[1]),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            envelope.twice |= std::mem::replace(seen, true);
            // A null is as if it were left out.
            *place = map.next_value::<Option<&RawValue>>()?.or(*place);
        }
        Ok(envelope)
    }
}

fn array(text: &str) -> Result<Vec<&str>, BodyError> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

fn not_json(error: &serde_json::Error) -> BodyError {
    BodyError::NotJson { line: error.line(), column: error.column() }
}
