//! Tells from the statements what was watched, with nothing of the program's own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The seconds watched, told from the statements with nothing of the program's own.
#[derive(Default)]
pub struct Watched {
    /// For each video and second, the numbers of those who were there.
    pub viewers: BTreeMap<String, BTreeMap<u32, BTreeSet<usize>>>,
    /// For each video and second, how often it was played.
    pub plays: BTreeMap<String, BTreeMap<u32, u64>>,
    pub heartbeats: usize,
    pub rejected: usize,
}

impl Watched {
    pub fn of(statements: &[u8]) -> Watched {
        let mut watched = Watched::default();
        // Maps a start, in millionths of a second, to the longest end.
        let mut sessions: BTreeMap<Session, BTreeMap<i64, f64>> = BTreeMap::new();
        for line in statements.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let Ok(statement) = serde_json::from_slice::<Value>(line) else {
                watched.rejected += 1;
                continue;
            };
            if !statement.is_object() {
                watched.rejected += 1;
                continue;
            }
            let segments =
                &statement["result"]["extensions"]["https://w3id.org/xapi/video/extensions/played-segments"];
            if segments.is_null() {
                continue;
            }
            match session(&statement).zip(segments.as_str().and_then(closed)) {
                None => watched.rejected += 1,
                Some((session, segments)) => {
                    let longest = sessions.entry(session).or_default();
                    for (start, end) in segments {
                        let known = longest.entry((start * 1e6).round() as i64).or_insert(end);
                        *known = known.max(end);
                    }
                }
            }
        }
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for ((video, viewer, _), segments) in sessions {
            let next = numbers.len();
            let viewer = *numbers.entry(viewer).or_insert(next);
            for (start, end) in segments {
                let secs = (start as f64 / 1e6).round() as u32..end.round() as u32;
                watched.heartbeats += secs.len().div_ceil(600);
                if !secs.is_empty() {
                    let viewers = watched.viewers.entry(video.clone()).or_default();
                    let plays = watched.plays.entry(video.clone()).or_default();
                    for sec in secs {
                        viewers.entry(sec).or_default().insert(viewer);
                        *plays.entry(sec).or_default() += 1;
                    }
                }
            }
        }
        watched
    }

    pub fn seconds(&self) -> impl Iterator<Item = &BTreeSet<usize>> {
        self.viewers.values().flat_map(BTreeMap::values)
    }
}

/// A session is a video, a viewer and a session name.
type Session = (String, String, String);

fn session(statement: &Value) -> Option<Session> {
    let id = |value: &Value, most: usize| {
        let text = value.as_str()?;
        ((1..=most).contains(&text.len()) && !text.contains(char::is_control)).then(|| text.to_owned())
    };
    let actor = &statement["actor"];
    let names = ["mbox", "mbox_sha1sum", "openid"].map(|name| &actor[name]);
    let name = [&actor["account"]["name"]].into_iter().chain(names).find(|name| !name.is_null())?;
    let at: DateTime<Utc> = DateTime::parse_from_rfc3339(statement["timestamp"].as_str()?).ok()?.to_utc();
    let session = &statement["context"]["extensions"]["https://w3id.org/xapi/video/extensions/session-id"];
    let session = match session {
        Value::Null => format!("day {}", at.date_naive()),
        named => format!("named {}", named.as_str()?),
    };
    Some((id(&statement["object"]["id"], 128)?, id(name, 256)?, session))
}

/// Returns the closed segments of a list, or none if a number of it is none or lies outside a day.
fn closed(list: &str) -> Option<Vec<(f64, f64)>> {
    let number = |text: &str| {
        let number: f64 = text.trim().parse().ok()?;
        (number >= 0.0 && number.round() <= 86_400.0).then_some(number)
    };
    let mut segments = Vec::new();
    for segment in list.split("[,]").map(str::trim).filter(|segment| !segment.is_empty()) {
        let (start, end) = segment.split_once("[.]").unwrap_or((segment, ""));
        let start = number(start)?;
        if !end.trim().is_empty() {
            let end = number(end)?;
            segments.extend((start < end).then_some((start, end)));
        }
    }
    Some(segments)
}
