//! Turns xAPI video statements into heartbeats, so that the export of a learning record store becomes a heatmap.
//!
//! The video profile's `played-segments` are the only statement fields that say what was played. They are cumulative
//! within a session (each statement repeats the list so far, with its last segment longer or still open), so a
//! statement alone says little: all of them are read, then each session is told once. The heartbeats come out as JSON
//! texts, which [`heartbeat::parse`] reads like those of any player: there is one way in.
//!
//! The earliest statement of a session decides on which day the session counts, whether that statement has segments or
//! not. Line order never matters, so that an export can be sorted, cut and shuffled.
//!
//! [`heartbeat::parse`]: crate::events::heartbeat::parse

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt, io,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::events::{
    heartbeat::{self, MAX_SEC, MAX_SECONDS_PER_HEARTBEAT, MAX_VIDEO_ID_BYTES, MAX_VIEWER_ID_BYTES},
    refusal::{Reason, Refusal},
};

const SESSION_ID: &str = "https://w3id.org/xapi/video/extensions/session-id";
const PLAYED_SEGMENTS: &str = "https://w3id.org/xapi/video/extensions/played-segments";

/// A file of statements says this about the seconds watched.
pub struct Converted {
    /// The heartbeats as JSON texts, sorted by day, video, viewer, session and start: the same statements give the same
    /// texts in the same order, which the ids of a replay's chunks rest on.
    pub heartbeats: Vec<String>,
    /// The lines (counted from 0) whose segments were not taken, and the reasons.
    pub refused: Vec<(usize, Refusal)>,
    /// How many statements carry no `played-segments`. That is no error, as most verbs never do.
    pub without_segments: usize,
}

impl fmt::Debug for Converted {
    /// Shows counts only, because the texts hold viewer ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converted")
            .field("heartbeats", &self.heartbeats.len())
            .field("refused", &self.refused)
            .field("without_segments", &self.without_segments)
            .finish()
    }
}

/// Reads one statement a line and tells what was watched.
///
/// A bad line costs no other. An error is the reader's own, passed through.
pub fn convert(lines: impl IntoIterator<Item = io::Result<String>>) -> io::Result<Converted> {
    let mut sessions = BTreeMap::new();
    let mut refused = Vec::new();
    let mut without_segments = 0;
    for (index, line) in lines.into_iter().enumerate() {
        match take(&line?, &mut sessions) {
            Ok(Segments::Taken) => {}
            Ok(Segments::None) => without_segments += 1,
            Err(refusal) => refused.push((index, refusal)),
        }
    }
    Ok(Converted { heartbeats: heartbeats(sessions), refused, without_segments })
}

enum Segments {
    Taken,
    None,
}

/// A statement is about one viewer playing one video in one session. There is no `Debug`, because this holds a viewer
/// id.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    video_id: String,
    viewer_id: String,
    session: SessionId,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SessionId {
    /// The player named the session.
    Named(String),
    /// The player names no sessions, so a session is all that a viewer does with a video on one UTC day.
    Day(NaiveDate),
}

struct Session {
    earliest: DateTime<Utc>,
    /// Maps the start of a segment to the longest end seen. Starts are told apart by value, so `0` and `0.000` are one;
    /// the bits of floats that are not negative sort as the floats do.
    played: BTreeMap<u64, f64>,
}

/// Adds one statement to its session.
///
/// A statement without segments still dates its session, if its session can be told, and is never refused: an export
/// holds statements of every kind, and only one that says something was watched can lose anything.
fn take(line: &str, sessions: &mut BTreeMap<Key, Session>) -> Result<Segments, Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    let statement: Value = serde_json::from_str(line).map_err(|_| malformed)?;
    if !statement.is_object() {
        return Err(malformed);
    }

    let list = &statement["result"]["extensions"][PLAYED_SEGMENTS];
    let identity = identify(&statement);
    if list.is_null() {
        if let Ok((key, at)) = identity {
            date(sessions, key, at);
        }
        return Ok(Segments::None);
    }

    let (key, at) = identity?;
    let session = date(sessions, key, at);
    let refused = |reason| Refusal { field: Some("played-segments"), reason };
    let list = list.as_str().ok_or(refused(Reason::WrongType))?;
    for (start, end) in closed_segments(list).map_err(refused)? {
        let longest = session.played.entry(start.to_bits()).or_insert(end);
        *longest = longest.max(end);
    }
    Ok(Segments::Taken)
}

/// Returns the session that a statement belongs to, and when the statement was made.
fn identify(statement: &Value) -> Result<(Key, DateTime<Utc>), Refusal> {
    let video_id = id("object.id", &statement["object"]["id"], MAX_VIDEO_ID_BYTES)?;

    let actor = &statement["actor"];
    let names = [&actor["account"]["name"], &actor["mbox"], &actor["mbox_sha1sum"], &actor["openid"]];
    let name = names.into_iter().find(|name| !name.is_null());
    let viewer_id = id("actor", name.unwrap_or(&Value::Null), MAX_VIEWER_ID_BYTES)?;

    let at = DateTime::parse_from_rfc3339(text("timestamp", &statement["timestamp"])?)
        .map_err(|_| Refusal { field: Some("timestamp"), reason: Reason::BadFormat })?
        .to_utc();

    let session = &statement["context"]["extensions"][SESSION_ID];
    let session = if session.is_null() {
        SessionId::Day(at.date_naive())
    } else {
        SessionId::Named(text("session-id", session)?.to_owned())
    };

    let key = Key { video_id: video_id.to_owned(), viewer_id: viewer_id.to_owned(), session };
    Ok((key, at))
}

/// Returns an id within a heartbeat's bounds. One that could only be refused later is refused with its line.
fn id<'a>(field: &'static str, value: &'a Value, max_bytes: usize) -> Result<&'a str, Refusal> {
    let id = text(field, value)?;
    heartbeat::check_id(id, max_bytes).map_err(|reason| Refusal { field: Some(field), reason })?;
    Ok(id)
}

fn text<'a>(field: &'static str, value: &'a Value) -> Result<&'a str, Refusal> {
    value.as_str().ok_or(Refusal {
        field: Some(field),
        reason: if value.is_null() { Reason::Missing } else { Reason::WrongType },
    })
}

/// Returns the session, dated no later than `at`.
fn date(sessions: &mut BTreeMap<Key, Session>, key: Key, at: DateTime<Utc>) -> &mut Session {
    match sessions.entry(key) {
        Entry::Occupied(entry) => {
            let session = entry.into_mut();
            session.earliest = session.earliest.min(at);
            session
        }
        Entry::Vacant(entry) => entry.insert(Session { earliest: at, played: BTreeMap::new() }),
    }
}

/// Returns the closed segments of a list such as `0[.]42.608[,]43.168[.]124.692[,]176.4`.
///
/// A segment without an end is still being played and will be closed by a later statement; one that ends where it
/// starts (or before) is a player that was paused or moved. One bad number spoils the list: whatever wrote it can no
/// longer be believed about the others, and an earlier or later list of the session usually has them again.
fn closed_segments(list: &str) -> Result<Vec<(f64, f64)>, Reason> {
    let mut closed = Vec::new();
    for segment in list.split("[,]").filter(|segment| !segment.trim().is_empty()) {
        let (start, end) = segment.split_once("[.]").unwrap_or((segment, ""));
        let start = seconds(start)?;
        if end.trim().is_empty() {
            continue;
        }
        let end = seconds(end)?;
        if start < end {
            closed.push((start, end));
        }
    }
    Ok(closed)
}

/// Returns a point of the video's timeline. As the end of a range it may lie just behind the last second there is.
fn seconds(text: &str) -> Result<f64, Reason> {
    let seconds: f64 = text.trim().parse().map_err(|_| Reason::BadFormat)?;
    // The range excludes NaN too.
    if !(0.0..=(MAX_SEC + 1) as f64).contains(&seconds.round()) || seconds < 0.0 {
        return Err(Reason::OutOfRange);
    }
    // `-0` becomes `0`, which has other bits.
    Ok(seconds + 0.0)
}

/// A heartbeat on the wire. Its region is left to whoever replays.
#[derive(Serialize)]
struct Heartbeat<'a> {
    video_id: &'a str,
    start_sec: i64,
    end_sec: i64,
    viewer_id: &'a str,
    at: &'a str,
}

fn heartbeats(sessions: BTreeMap<Key, Session>) -> Vec<String> {
    let mut sessions: Vec<(Key, Session)> = sessions.into_iter().collect();
    // The sort is stable, so sessions of one day stay in the order of their keys. Days come first because a day is a
    // partition.
    sessions.sort_by_key(|(_, session)| session.earliest.date_naive());

    let mut texts = Vec::new();
    for (key, session) in &sessions {
        // A segment's own time is not known, but the session's is in the right day and never ahead of the file.
        let at = session.earliest.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        for (&start, &end) in &session.played {
            // `[start, end)` covers the seconds whose middle is in it; `round` goes half away from zero.
            let start = f64::from_bits(start).round() as i64;
            let end = end.round() as i64;
            for start_sec in (start..end).step_by(MAX_SECONDS_PER_HEARTBEAT as usize) {
                let heartbeat = Heartbeat {
                    video_id: &key.video_id,
                    start_sec,
                    end_sec: end.min(start_sec + MAX_SECONDS_PER_HEARTBEAT) - 1,
                    viewer_id: &key.viewer_id,
                    at: &at,
                };
                texts.push(serde_json::to_string(&heartbeat).expect("texts and integers always serialize"));
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests;
