//! A view: "this viewer has viewed this video", for pages without the player client. Heartbeats that say `"view": true` carry
//! the same.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    fields::{bounded_text, optional, required, text},
    heartbeat::{Arrival, MAX_VIDEO_ID_BYTES, MAX_VIEWER_ID_BYTES, ViewerId},
    refusal::{Reason, Refusal},
    region::Region,
};

/// A parsed, bounds-checked view; strings are borrowed from the body where JSON escapes allow it.
#[derive(Debug)]
pub struct View<'a> {
    pub video_id: Cow<'a, str>,
    pub region: Region,
    /// When the video was viewed, never later than the view arrived.
    pub at: DateTime<Utc>,
    /// Who viewed: hashed on arrival, never kept.
    pub viewer_id: ViewerId<'a>,
}

/// The fields as they stand in the JSON text.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    video_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    region: Option<&'a RawValue>,
    #[serde(borrow, default)]
    viewer_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    viewer_token: Option<&'a RawValue>,
}

/// Reads one JSON object as a view, or says what is wrong with it.
pub fn parse<'a>(element: &'a str, arrival: &Arrival) -> Result<View<'a>, Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    // Serde would also take an array of the fields in order.
    if !element.trim_ascii_start().starts_with('{') {
        return Err(malformed);
    }
    let fields: Fields<'a> = serde_json::from_str(element).map_err(|_| malformed)?;
    let video_id = required("video_id", fields.video_id, |raw| bounded_text(raw, MAX_VIDEO_ID_BYTES))?;
    let region = arrival.region(optional("region", fields.region, |raw| Region::parse(&text(raw)?))?);
    let viewer_id = required("viewer_id", fields.viewer_id, |raw| bounded_text(raw, MAX_VIEWER_ID_BYTES))?;
    let at = optional("at", fields.at, |raw| arrival.instant(raw))?.unwrap_or(arrival.now);
    arrival.check_terms(&video_id, &viewer_id, fields.viewer_token)?;
    Ok(View { video_id, region, at: arrival.clamp(at), viewer_id: ViewerId::new(viewer_id) })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn arrival() -> Arrival {
        Arrival {
            now: "2026-11-21T10:00:00Z".parse().expect("an instant"),
            default_region: Region::parse("ZZ").expect("a region"),
            max_age: Some(TimeDelta::hours(48)),
            captured_on: None,
            terms: None,
        }
    }

    fn refused(element: &str) -> (Option<&'static str>, Reason) {
        let refusal = parse(element, &arrival()).expect_err("refused");
        (refusal.field, refusal.reason)
    }

    #[test]
    fn a_view_needs_a_video_and_a_viewer() {
        let view = parse(r#"{"video_id":"v","viewer_id":"me","more":[1]}"#, &arrival()).expect("a view");
        assert_eq!((&*view.video_id, view.region.as_str(), view.at), ("v", "ZZ", arrival().now));
        assert_eq!(refused(r#"{"viewer_id":"me"}"#), (Some("video_id"), Reason::Missing));
        assert_eq!(refused(r#"{"video_id":"v","viewer_id":""}"#), (Some("viewer_id"), Reason::Empty));
        assert_eq!(refused(r#"["v",null,"me"]"#), (None, Reason::Malformed));
        let region = r#"{"video_id":"v","viewer_id":"me","region":"global"}"#;
        assert_eq!(refused(region), (Some("region"), Reason::Reserved));
    }

    #[test]
    fn no_view_is_later_than_its_arrival() {
        let at = |at: &str| format!(r#"{{"video_id":"v","viewer_id":"me","at":"{at}"}}"#);
        let ahead = at("2026-11-21T10:04:59Z");
        assert_eq!(parse(&ahead, &arrival()).expect("a view").at, arrival().now);
        let before = at("2026-11-20T23:59:59Z");
        assert_eq!(parse(&before, &arrival()).expect("a view").at.to_string(), "2026-11-20 23:59:59 UTC");
        assert_eq!(refused(&at("2026-11-21T10:05:01Z")), (Some("at"), Reason::InFuture));
        assert_eq!(refused(&at("2026-11-19T09:59:59Z")), (Some("at"), Reason::TooOld));
        // A replay's day wins over the date, and leaves the time of day.
        let replay = Arrival { captured_on: "2025-01-02".parse().ok(), max_age: None, ..arrival() };
        assert_eq!(parse(&before, &replay).expect("a view").at.to_string(), "2025-01-02 23:59:59 UTC");
    }
}
