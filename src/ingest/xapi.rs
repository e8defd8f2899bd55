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
//! As any line may belong to any session, a session is known only when all lines are read. Where there are more sessions than
//! fit into the memory, the lines are read several times, and each pass tells those that it had room for (`sessions`).
//! Sorting them on disk would take one pass, and would write viewer ids there.
//!
//! [`heartbeat::parse`]: crate::events::heartbeat::parse

use std::{io, vec};

use chrono::{DateTime, Utc};
use serde_json::Value;

use self::sessions::{Key, Session, SessionId, Sessions};
use crate::events::{
    heartbeat::{self, MAX_SEC, MAX_VIDEO_ID_BYTES, MAX_VIEWER_ID_BYTES},
    refusal::{Reason, Refusal},
};

mod sessions;

const SESSION_ID: &str = "https://w3id.org/xapi/video/extensions/session-id";
const PLAYED_SEGMENTS: &str = "https://w3id.org/xapi/video/extensions/played-segments";

/// Statements say this about the seconds watched: an iterator over heartbeats as JSON texts. There is no `Debug`, because the
/// texts hold viewer ids.
///
/// Those of one pass are sorted by day, video, viewer, session and start. The same statements, in whatever order, and the same
/// memory give the same texts in the same order, which the ids of a replay's chunks rest on.
pub struct Heartbeats<O, L> {
    open: O,
    memory: usize,
    /// The lines of the pass to come, and where its sessions begin.
    next: Option<(L, u128)>,
    sessions: vec::IntoIter<(Key, Session)>,
    texts: Box<dyn Iterator<Item = String>>,
    /// How many statements carry no `played-segments`. That is no error, as most verbs never do.
    pub without_segments: usize,
}

/// Reads one statement a line and tells what was watched, with so many bytes of memory for sessions.
///
/// `open` opens the lines for each pass. It is asked for those of the next pass before anything of a pass is told, so that what
/// cannot be read twice fails while nothing has happened. A bad line costs no other: `refuse` hears of each whose segments are
/// not taken by its number, counted from 0. An error is the reader's own, passed through.
pub fn convert<O, L>(
    open: O,
    memory: usize,
    mut refuse: impl FnMut(usize, Refusal),
) -> io::Result<Heartbeats<O, L>>
where
    O: FnMut() -> io::Result<L>,
    L: Iterator<Item = io::Result<String>>,
{
    let (sessions, texts) = (Vec::new().into_iter(), Box::new(std::iter::empty()));
    let mut heartbeats = Heartbeats { open, memory, next: None, sessions, texts, without_segments: 0 };
    let lines = (heartbeats.open)()?;
    let mut without_segments = 0;
    heartbeats.read(lines, 0, |index, taken| match taken {
        Ok(Segments::Taken) => {}
        Ok(Segments::None) => without_segments += 1,
        Err(refusal) => refuse(index, refusal),
    })?;
    heartbeats.without_segments = without_segments;
    Ok(heartbeats)
}

impl<O, L> Heartbeats<O, L>
where
    O: FnMut() -> io::Result<L>,
    L: Iterator<Item = io::Result<String>>,
{
    /// Reads all lines once, and keeps the sessions from a place on.
    fn read(
        &mut self,
        lines: L,
        from: u128,
        mut taken: impl FnMut(usize, Result<Segments, Refusal>),
    ) -> io::Result<()> {
        let mut sessions = Sessions::new(from, self.memory);
        for (index, line) in lines.enumerate() {
            taken(index, take(&line?, &mut sessions));
        }
        if let Some(from) = sessions.rest() {
            self.next = Some(((self.open)()?, from));
        }
        self.sessions = sessions.sorted().into_iter();
        Ok(())
    }
}

impl<O, L> Iterator for Heartbeats<O, L>
where
    O: FnMut() -> io::Result<L>,
    L: Iterator<Item = io::Result<String>>,
{
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(text) = self.texts.next() {
                return Some(Ok(text));
            }
            if let Some((key, session)) = self.sessions.next() {
                self.texts = Box::new(session.heartbeats(key));
                continue;
            }
            let (lines, from) = self.next.take()?;
            // What is refused was told by the first pass.
            if let Err(error) = self.read(lines, from, |_, _| ()) {
                return Some(Err(error));
            }
        }
    }
}

enum Segments {
    Taken,
    None,
}

/// Adds one statement to its session.
///
/// A statement without segments still dates its session, if its session can be told, and is never refused: an export
/// holds statements of every kind, and only one that says something was watched can lose anything.
fn take(line: &str, sessions: &mut Sessions) -> Result<Segments, Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    let statement: Value = serde_json::from_str(line).map_err(|_| malformed)?;
    if !statement.is_object() {
        return Err(malformed);
    }

    let list = &statement["result"]["extensions"][PLAYED_SEGMENTS];
    let identity = identify(&statement);
    if list.is_null() {
        if let Ok((key, at)) = identity {
            sessions.add(key, at, &[]);
        }
        return Ok(Segments::None);
    }

    let (key, at) = identity?;
    let refused = |reason| Refusal { field: Some("played-segments"), reason };
    let segments = list.as_str().ok_or(Reason::WrongType).and_then(closed_segments).map_err(refused);
    sessions.add(key, at, segments.as_deref().unwrap_or_default());
    segments.map(|_| Segments::Taken)
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

#[cfg(test)]
mod tests;
