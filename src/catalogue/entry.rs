//! An entry of the catalogue, and the bounds of its fields. This file is pure.

use std::borrow::Cow;

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::events::{
    fields::{bounded_text, instant, number, optional, required},
    heartbeat::MAX_VIDEO_ID_BYTES,
    refusal::{Reason, Refusal},
};

/// The longest title, in bytes: some hundred letters of any script.
pub const MAX_TITLE_BYTES: usize = 1_000;
/// The longest name of a channel, in bytes.
pub const MAX_CHANNEL_BYTES: usize = 128;
/// The longest address of a picture, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// The longest video: heartbeats name no second after a day.
pub const MAX_DURATION_SEC: f64 = 86_400.0;

/// What is known of a video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "title": "How sketches count people", "duration_sec": 540.0, "channel": "Counting", "published_at": "2026-11-20T10:00:00Z",
    "thumbnail_url": "https://cdn.example/yt_abc123.webp"
}))]
pub struct Entry {
    /// 1-1,000 bytes without control characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub title: Option<String>,
    /// The video's length in seconds, above 0 and at most 86,400: bounds `end_sec` of heartbeats, and strips end there.
    #[schema(exclusive_minimum = 0, maximum = 86_400)]
    pub duration_sec: Option<f64>,
    /// 1-128 bytes without control characters: a channel, a series, a course.
    #[schema(min_length = 1, max_length = 128)]
    pub channel: Option<String>,
    /// An `http` or `https` address, at most 2,048 bytes.
    #[schema(min_length = 1, max_length = 2048, format = "uri")]
    pub thumbnail_url: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
}

/// The fields as they stand in the JSON text: each is judged on its own, so that the refusal can name it.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    video_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    title: Option<&'a RawValue>,
    #[serde(borrow, default)]
    duration_sec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    channel: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thumbnail_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    published_at: Option<&'a RawValue>,
}

/// Reads one JSON object as an entry, or says what is wrong with it. Unknown fields are ignored.
pub fn parse(text: &str) -> Result<Entry, Refusal> {
    entry(&fields(text)?)
}

/// Reads one JSON object as an entry with the `video_id` that it belongs to, as a line of a file has it.
pub fn parse_line(line: &str) -> Result<(String, Entry), Refusal> {
    let fields = fields(line)?;
    let video_id = required("video_id", fields.video_id, |raw| bounded_text(raw, MAX_VIDEO_ID_BYTES))?;
    Ok((video_id.into_owned(), entry(&fields)?))
}

/// Says how a field has to be written, for whoever wrote it otherwise.
pub fn bounds(field: Option<&'static str>) -> &'static str {
    match field {
        Some("video_id") => "1 to 128 bytes without control characters",
        Some("title") => "text of 1 to 1,000 bytes without control characters",
        Some("duration_sec") => "a number of seconds above 0 and at most 86,400",
        Some("channel") => "text of 1 to 128 bytes without control characters",
        Some("thumbnail_url") => "an http or https address of at most 2,048 bytes",
        Some("published_at") => "a time like 2026-11-21T10:00:00Z",
        _ => "an object like {\"title\":\"…\",\"duration_sec\":540}",
    }
}

fn fields(text: &str) -> Result<Fields<'_>, Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    // Serde would also take an array of the fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(malformed);
    }
    serde_json::from_str(text).map_err(|_| malformed)
}

fn entry(fields: &Fields<'_>) -> Result<Entry, Refusal> {
    let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
    Ok(Entry {
        title: owned(optional("title", fields.title, |raw| bounded_text(raw, MAX_TITLE_BYTES))?),
        duration_sec: optional("duration_sec", fields.duration_sec, duration)?,
        channel: owned(optional("channel", fields.channel, |raw| bounded_text(raw, MAX_CHANNEL_BYTES))?),
        thumbnail_url: owned(optional("thumbnail_url", fields.thumbnail_url, address)?),
        published_at: optional("published_at", fields.published_at, instant)?.map(|at| at.trunc_subsecs(6)),
    })
}

fn duration(raw: &RawValue) -> Result<f64, Reason> {
    let value = number(raw)?;
    if value > 0.0 && value <= MAX_DURATION_SEC { Ok(value) } else { Err(Reason::OutOfRange) }
}

/// An address that a page may show a picture from: a script's or a file's would be none.
fn address(raw: &RawValue) -> Result<Cow<'_, str>, Reason> {
    let text = bounded_text(raw, MAX_URL_BYTES)?;
    let url = reqwest::Url::parse(&text).map_err(|_| Reason::BadFormat)?;
    match ["http", "https"].contains(&url.scheme()) && url.has_host() {
        true => Ok(text),
        false => Err(Reason::BadFormat),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Option<&'static str>, Reason) {
        let refusal = parse(text).expect_err(text);
        (refusal.field, refusal.reason)
    }

    #[test]
    fn every_field_may_be_left_out() {
        assert_eq!(parse("{}"), Ok(Entry::default()));
        assert_eq!(parse(r#"{"title":null,"duration_sec":null,"views":3}"#), Ok(Entry::default()));
        let whole = r#"{"title":"Ö \"x\"","duration_sec":180.5,"channel":"c","thumbnail_url":"https://cdn.example/a.webp",
                        "published_at":"2026-11-20T10:00:00+01:00"}"#;
        let entry = parse(whole).expect("an entry");
        assert_eq!((entry.title.as_deref(), entry.duration_sec), (Some("Ö \"x\""), Some(180.5)));
        assert_eq!(entry.published_at.map(|at| at.to_rfc3339()), Some("2026-11-20T09:00:00+00:00".into()));
    }

    #[test]
    fn each_field_is_bounded_and_named() {
        let long = "x".repeat(MAX_TITLE_BYTES + 1);
        for (text, field, reason) in [
            ("[]", None, Reason::Malformed),
            (r#"{"title":"#, None, Reason::Malformed),
            (r#"{"title":7}"#, Some("title"), Reason::WrongType),
            (r#"{"title":""}"#, Some("title"), Reason::Empty),
            (r#"{"title":"a\nb"}"#, Some("title"), Reason::ControlCharacter),
            (&format!(r#"{{"title":"{long}"}}"#), Some("title"), Reason::TooLong),
            (r#"{"duration_sec":"9"}"#, Some("duration_sec"), Reason::WrongType),
            (r#"{"duration_sec":0}"#, Some("duration_sec"), Reason::OutOfRange),
            (r#"{"duration_sec":-1}"#, Some("duration_sec"), Reason::OutOfRange),
            (r#"{"duration_sec":86401}"#, Some("duration_sec"), Reason::OutOfRange),
            (r#"{"duration_sec":1e999}"#, Some("duration_sec"), Reason::OutOfRange),
            (r#"{"channel":[]}"#, Some("channel"), Reason::WrongType),
            (r#"{"thumbnail_url":"javascript:alert(1)"}"#, Some("thumbnail_url"), Reason::BadFormat),
            (r#"{"thumbnail_url":"/a.webp"}"#, Some("thumbnail_url"), Reason::BadFormat),
            (r#"{"published_at":"yesterday"}"#, Some("published_at"), Reason::BadFormat),
        ] {
            assert_eq!(refused(text), (field, reason), "{text}");
        }
    }

    #[test]
    fn a_line_names_its_video() {
        let (video_id, entry) = parse_line(r#"{"video_id":"v","title":"t"}"#).expect("a line");
        assert_eq!((video_id.as_str(), entry.title.as_deref()), ("v", Some("t")));
        let refusal = parse_line(r#"{"title":"t"}"#).expect_err("no video");
        assert_eq!((refusal.field, refusal.reason), (Some("video_id"), Reason::Missing));
    }
}
