//! A watch heartbeat: "this viewer was present for seconds `start_sec..=end_sec` of this video in this region".
//!
//! Raw JSON becomes a [`Heartbeat`] here, checked against every bound, or is refused with a [`Reason`]. Nothing
//! downstream checks these bounds again. The reasons are a closed list that clients may match on.

use std::{borrow::Cow, fmt, sync::Arc};

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use super::fields::{MAX_AGE, MAX_AHEAD, check_id};
use super::{
    fields::{self, boolean, bounded_text, number, optional, required, text},
    refusal::{Reason, Refusal},
    region::Region,
    terms::Terms,
};

/// The last second a heartbeat may name: a video lasts at most a day.
pub const MAX_SEC: i64 = 86_399;
/// The most seconds one heartbeat may cover; players beat far more often.
pub const MAX_SECONDS_PER_HEARTBEAT: i64 = 600;
/// The longest video id, in bytes.
pub const MAX_VIDEO_ID_BYTES: usize = 128;
/// The longest viewer id, in bytes.
pub const MAX_VIEWER_ID_BYTES: usize = 256;

/// A parsed, bounds-checked watch heartbeat; strings are borrowed from the body where JSON escapes allow it.
#[derive(Debug)]
pub struct Heartbeat<'a> {
    /// The video, 1 to [`MAX_VIDEO_ID_BYTES`] bytes.
    pub video_id: Cow<'a, str>,
    /// The region the viewer watched in.
    pub region: Region,
    /// The UTC day on which the heartbeat was captured; decides the table partition and the salt.
    pub captured_on: NaiveDate,
    /// When it was captured, never later than it arrived; on `captured_on`.
    pub at: DateTime<Utc>,
    /// True if with this heartbeat its session has become a view.
    pub view: bool,
    /// The first second watched.
    pub start_sec: i32,
    /// The last second watched (inclusive, as `generate_series` takes it).
    pub end_sec: i32,
    /// Who watched: hashed on arrival, never kept.
    pub viewer_id: ViewerId<'a>,
}

/// A viewer id on its way to being hashed. It cannot be printed, logged or serialized.
pub struct ViewerId<'a>(Cow<'a, str>);

impl<'a> ViewerId<'a> {
    /// Wraps an id whose bounds the caller has checked.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Self {
        ViewerId(id.into())
    }

    /// The bytes that are hashed.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for ViewerId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewerId(redacted)")
    }
}

/// What the heartbeats of one body have in common: when and where they arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Our clock when they arrived.
    pub now: DateTime<Utc>,
    /// The region of those that name none.
    pub default_region: Region,
    /// How old `at` may be; none for replays.
    pub max_age: Option<TimeDelta>,
    /// The day to count them on, whatever their `at`; replays only.
    pub captured_on: Option<NaiveDate>,
    /// What the sender's key lets it say; none where no key is needed.
    pub terms: Option<Arc<Terms>>,
}

impl Arrival {
    /// Returns the namespace that viewers are hashed in.
    pub fn namespace(&self) -> Option<&str> {
        self.terms.as_ref()?.namespace.as_deref()
    }

    /// Returns the region of an element: what it says, unless it is known better.
    pub(crate) fn region(&self, said: Option<Region>) -> Region {
        let is_given = self.terms.as_ref().is_some_and(|terms| terms.region_is_given);
        said.filter(|_| !is_given).unwrap_or_else(|| self.default_region.clone())
    }

    /// Returns an error unless the sender may say this of this video and viewer.
    pub(crate) fn check_terms(
        &self,
        video_id: &str,
        viewer_id: &str,
        viewer_token: Option<&RawValue>,
    ) -> Result<(), Refusal> {
        let Some(terms) = &self.terms else { return Ok(()) };
        let token = optional("viewer_token", viewer_token, text)?;
        terms.check(video_id, viewer_id, token.as_deref(), self.now)
    }
}

impl Arrival {
    /// Returns when something was captured. A player's clock may run ahead, but nothing is captured tomorrow: a day begins
    /// on our clock, so that no salt is ever needed before its day, and a forged instant leads no list.
    ///
    /// A replay's day takes the time of day and leaves the date.
    pub(crate) fn clamp(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let at = match self.captured_on {
            Some(day) => day.and_time(at.time()).and_utc(),
            None => at.min(self.now),
        };
        // A leap second would be one of the next day for whoever counts seconds.
        at.with_nanosecond(at.nanosecond().min(999_999_999)).unwrap_or(at)
    }

    /// Reads an instant and checks its age, unless the day is given from elsewhere.
    pub(crate) fn instant(&self, raw: &RawValue) -> Result<DateTime<Utc>, Reason> {
        let at = fields::instant(raw)?;
        if self.captured_on.is_none() {
            fields::check_age(at, self.now, self.max_age)?;
        }
        Ok(at)
    }
}

/// The fields as they stand in the JSON text: each is judged on its own, so that the refusal can name it.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    video_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    region: Option<&'a RawValue>,
    #[serde(borrow, default)]
    viewer_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    start_sec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    end_sec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    duration_sec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    view: Option<&'a RawValue>,
    #[serde(borrow, default)]
    viewer_token: Option<&'a RawValue>,
}

/// Reads one JSON object as a heartbeat, or says what is wrong with it.
pub fn parse<'a>(element: &'a str, arrival: &Arrival) -> Result<Heartbeat<'a>, Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    // Serde would also take an array of the fields in order.
    if !element.trim_ascii_start().starts_with('{') {
        return Err(malformed);
    }
    let fields: Fields<'a> = serde_json::from_str(element).map_err(|_| malformed)?;

    let video_id = required("video_id", fields.video_id, |raw| bounded_text(raw, MAX_VIDEO_ID_BYTES))?;
    let region = arrival.region(optional("region", fields.region, |raw| Region::parse(&text(raw)?))?);
    let viewer_id = required("viewer_id", fields.viewer_id, |raw| bounded_text(raw, MAX_VIEWER_ID_BYTES))?;
    let start_sec = required("start_sec", fields.start_sec, second)?;
    let end_sec = required("end_sec", fields.end_sec, second)?;
    let at = optional("at", fields.at, |raw| arrival.instant(raw))?.unwrap_or(arrival.now);
    let duration_sec = optional("duration_sec", fields.duration_sec, duration)?;
    let view = optional("view", fields.view, boolean)?.unwrap_or(false);

    let end_refused = |reason| Refusal { field: Some("end_sec"), reason };
    if end_sec < start_sec {
        return Err(end_refused(Reason::EndBeforeStart));
    }
    if i64::from(end_sec) - i64::from(start_sec) + 1 > MAX_SECONDS_PER_HEARTBEAT {
        return Err(end_refused(Reason::TooManySeconds));
    }
    if duration_sec.is_some_and(|duration| f64::from(end_sec) > duration) {
        return Err(end_refused(Reason::OutOfRange));
    }

    arrival.check_terms(&video_id, &viewer_id, fields.viewer_token)?;
    let at = arrival.clamp(at);
    Ok(Heartbeat {
        video_id,
        region,
        captured_on: at.date_naive(),
        at,
        view,
        start_sec,
        end_sec,
        viewer_id: ViewerId::new(viewer_id),
    })
}

/// Returns the video that an element names, whatever else is wrong with it.
pub fn video_of(element: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow, default)]
        video_id: Option<&'a RawValue>,
    }
    let element = Some(element).filter(|element| element.trim_ascii_start().starts_with('{'))?;
    let named: Named<'_> = serde_json::from_str(element).ok()?;
    required("video_id", named.video_id, |raw| bounded_text(raw, MAX_VIDEO_ID_BYTES)).ok()
}

/// A whole second from 0 to [`MAX_SEC`]; `8.0` and `8e0` are whole too.
fn second(raw: &RawValue) -> Result<i32, Reason> {
    let value = number(raw)?;
    if value.is_finite() && value.fract() != 0.0 {
        return Err(Reason::WrongType);
    }
    if !(0.0..=MAX_SEC as f64).contains(&value) {
        return Err(Reason::OutOfRange);
    }
    Ok(value as i32)
}

/// The video's length in seconds; may have a fraction.
fn duration(raw: &RawValue) -> Result<f64, Reason> {
    let value = number(raw)?;
    if !value.is_finite() || value <= 0.0 {
        return Err(Reason::OutOfRange);
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
