//! Heartbeats and views whose viewer ids are hashed: what is queued, and all that is ever kept of them.
//!
//! From the request to the fold they lie one behind the other in one string of bytes. A commit strings requests together by
//! appending, the queue stores the bytes as they are, and the fold borrows the names from them: nothing is taken apart and
//! put together again on the way.
//!
//! ```text
//! │ 1 │ n │ video_id, n bytes │ m │ region, m bytes │ captured_on │ start_sec │ end_sec │ viewer_hash │
//!  u8  u8                     u8                    i32           i32         i32       i64           big-endian
//! ```
//!
//! `captured_on` counts days from 0001-01-01, which is day 1. The first byte is the kind of the entry; a view is another:
//!
//! ```text
//! │ 2 │ n │ video_id, n bytes │ m │ region, m bytes │ epoch │ at  │ viewer │
//!  u8  u8                     u8                    i32     i64   i64     big-endian
//! ```
//!
//! `epoch` is the first day of the salt epoch that the viewer was hashed in, and `at` counts microseconds from 1970.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// The longest name that fits; heartbeats' are bounded below it.
pub const MAX_NAME_BYTES: usize = u8::MAX as usize;
/// The kinds of entries.
const HEARTBEAT: u8 = 1;
const VIEW: u8 = 2;

/// A heartbeat as it is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashedHeartbeat<'a> {
    /// The video.
    pub video_id: &'a str,
    /// The region.
    pub region: &'a str,
    /// The UTC day of capture.
    pub captured_on: NaiveDate,
    /// The first second watched.
    pub start_sec: i32,
    /// The last second watched.
    pub end_sec: i32,
    /// The viewer.
    pub viewer_hash: i64,
}

impl HashedHeartbeat<'_> {
    /// How many seconds it covers.
    fn watched_secs(&self) -> u64 {
        (i64::from(self.end_sec) - i64::from(self.start_sec) + 1).max(0) as u64
    }
}

/// A view as it is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashedView<'a> {
    pub video_id: &'a str,
    pub region: &'a str,
    /// The first day of the salt epoch that the viewer was hashed in.
    pub epoch: NaiveDate,
    /// When the video was viewed.
    pub at: DateTime<Utc>,
    /// The viewer, hashed with views' salt.
    pub viewer: i64,
}

/// What stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    Heartbeat(HashedHeartbeat<'a>),
    View(HashedView<'a>),
}

impl<'a> Entry<'a> {
    /// Returns the video of either.
    pub fn video_id(&self) -> &'a str {
        match self {
            Entry::Heartbeat(heartbeat) => heartbeat.video_id,
            Entry::View(view) => view.video_id,
        }
    }

    /// The UTC day that it counts for.
    pub fn day(&self) -> NaiveDate {
        match self {
            Entry::Heartbeat(heartbeat) => heartbeat.captured_on,
            Entry::View(view) => view.at.date_naive(),
        }
    }
}

/// Why bytes are no heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unreadable: no heartbeats as this version writes them")]
pub struct Unreadable;

/// Several of them, views among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HashedHeartbeats {
    bytes: Vec<u8>,
    entries: usize,
    watched_secs: u64,
}

impl HashedHeartbeats {
    /// Those that a row of the queue holds.
    pub fn queued(bytes: Vec<u8>, entries: usize, watched_secs: u64) -> Self {
        HashedHeartbeats { bytes, entries, watched_secs }
    }

    /// How many there are, views included.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The seconds they cover, all together.
    pub fn watched_secs(&self) -> u64 {
        self.watched_secs
    }

    /// The bytes, for the queue.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds one; its names are bounded as those of heartbeats are.
    pub fn push(&mut self, heartbeat: &HashedHeartbeat<'_>) {
        let HashedHeartbeat { video_id, region, captured_on, start_sec, end_sec, viewer_hash } = heartbeat;
        self.begin(HEARTBEAT, [video_id, region]);
        for number in [captured_on.num_days_from_ce(), *start_sec, *end_sec] {
            self.bytes.extend_from_slice(&number.to_be_bytes());
        }
        self.bytes.extend_from_slice(&viewer_hash.to_be_bytes());
        self.watched_secs += heartbeat.watched_secs();
    }

    /// Adds a view; its names are bounded as those of heartbeats are.
    pub fn push_view(&mut self, view: &HashedView<'_>) {
        let HashedView { video_id, region, epoch, at, viewer } = view;
        self.begin(VIEW, [video_id, region]);
        self.bytes.extend_from_slice(&epoch.num_days_from_ce().to_be_bytes());
        self.bytes.extend_from_slice(&at.timestamp_micros().to_be_bytes());
        self.bytes.extend_from_slice(&viewer.to_be_bytes());
    }

    /// Adds whatever it is.
    pub fn push_entry(&mut self, entry: &Entry<'_>) {
        match entry {
            Entry::Heartbeat(heartbeat) => self.push(heartbeat),
            Entry::View(view) => self.push_view(view),
        }
    }

    fn begin(&mut self, kind: u8, names: [&str; 2]) {
        self.bytes.push(kind);
        for name in names {
            debug_assert!(name.len() <= MAX_NAME_BYTES, "names are bounded on arrival");
            self.bytes.push(name.len() as u8);
            self.bytes.extend_from_slice(name.as_bytes());
        }
        self.entries += 1;
    }

    /// Adds others behind these.
    pub fn append(&mut self, others: &HashedHeartbeats) {
        self.bytes.extend_from_slice(&others.bytes);
        self.entries += others.entries;
        self.watched_secs += others.watched_secs;
    }

    /// Each of the heartbeats; the first entry that cannot be read is the last.
    pub fn iter(&self) -> impl Iterator<Item = Result<HashedHeartbeat<'_>, Unreadable>> {
        self.entries().filter_map(|entry| match entry {
            Ok(Entry::Heartbeat(heartbeat)) => Some(Ok(heartbeat)),
            Ok(Entry::View(_)) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// Each of them; the first that cannot be read is the last.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry<'_>, Unreadable>> {
        let mut rest = Some(self.bytes.as_slice());
        std::iter::from_fn(move || {
            let bytes = rest.take().filter(|bytes| !bytes.is_empty())?;
            let read = read(bytes).ok_or(Unreadable);
            Some(read.map(|(entry, behind)| {
                rest = Some(behind);
                entry
            }))
        })
    }
}

impl<'a> FromIterator<HashedHeartbeat<'a>> for HashedHeartbeats {
    fn from_iter<I: IntoIterator<Item = HashedHeartbeat<'a>>>(heartbeats: I) -> Self {
        let mut all = HashedHeartbeats::default();
        heartbeats.into_iter().for_each(|heartbeat| all.push(&heartbeat));
        all
    }
}

impl<'a> FromIterator<Entry<'a>> for HashedHeartbeats {
    fn from_iter<I: IntoIterator<Item = Entry<'a>>>(entries: I) -> Self {
        let mut all = HashedHeartbeats::default();
        entries.into_iter().for_each(|entry| all.push_entry(&entry));
        all
    }
}

/// The first entry, and the bytes behind it.
fn read(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (&kind, bytes) = bytes.split_first()?;
    match kind {
        HEARTBEAT => read_heartbeat(bytes).map(|(heartbeat, bytes)| (Entry::Heartbeat(heartbeat), bytes)),
        VIEW => read_view(bytes).map(|(view, bytes)| (Entry::View(view), bytes)),
        _ => None,
    }
}

fn read_heartbeat(bytes: &[u8]) -> Option<(HashedHeartbeat<'_>, &[u8])> {
    let (video_id, bytes) = name(bytes)?;
    let (region, bytes) = name(bytes)?;
    let (day, bytes) = bytes.split_first_chunk()?;
    let (start_sec, bytes) = bytes.split_first_chunk()?;
    let (end_sec, bytes) = bytes.split_first_chunk()?;
    let (viewer_hash, bytes) = bytes.split_first_chunk()?;
    let heartbeat = HashedHeartbeat {
        video_id,
        region,
        captured_on: NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*day)).filter(is_kept)?,
        start_sec: i32::from_be_bytes(*start_sec),
        end_sec: i32::from_be_bytes(*end_sec),
        viewer_hash: i64::from_be_bytes(*viewer_hash),
    };
    Some((heartbeat, bytes))
}

fn read_view(bytes: &[u8]) -> Option<(HashedView<'_>, &[u8])> {
    let (video_id, bytes) = name(bytes)?;
    let (region, bytes) = name(bytes)?;
    let (epoch, bytes) = bytes.split_first_chunk()?;
    let (at, bytes) = bytes.split_first_chunk()?;
    let (viewer, bytes) = bytes.split_first_chunk()?;
    let view = HashedView {
        video_id,
        region,
        epoch: NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*epoch)).filter(is_kept)?,
        at: DateTime::from_timestamp_micros(i64::from_be_bytes(*at))
            .filter(|at| is_kept(&at.date_naive()))?,
        viewer: i64::from_be_bytes(*viewer),
    };
    Some((view, bytes))
}

fn name(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&length, bytes) = bytes.split_first()?;
    let (name, bytes) = bytes.split_at_checked(length.into())?;
    let name = std::str::from_utf8(name).ok()?;
    // No text of the server can hold a NUL, and arrival refuses all of its kind.
    (!name.bytes().any(|byte| byte.is_ascii_control())).then_some((name, bytes))
}

/// True for days that a partition can be named after.
fn is_kept(day: &NaiveDate) -> bool {
    (1..=9999).contains(&day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(video_id: &str, start_sec: i32) -> HashedHeartbeat<'_> {
        let captured_on = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        HashedHeartbeat {
            video_id,
            region: "JP",
            captured_on,
            start_sec,
            end_sec: start_sec + 9,
            viewer_hash: -7,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(128);
        let all = [heartbeat("v", 0), heartbeat(&long, 86_390), heartbeat("ö", 5)];
        let mut first: HashedHeartbeats = all[..2].iter().copied().collect();
        first.append(&all[2..].iter().copied().collect());
        assert_eq!((first.len(), first.watched_secs()), (3, 30));
        let again = HashedHeartbeats::queued(first.as_bytes().to_vec(), 3, 30);
        let read: Vec<_> = again.iter().collect::<Result<_, _>>().expect("heartbeats");
        assert_eq!(read, all);
        assert_eq!(HashedHeartbeats::default().iter().count(), 0);
    }

    #[test]
    fn views_stand_between_heartbeats() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day");
        let at = "2026-11-21T10:00:00.123456Z".parse().expect("an instant");
        let view = HashedView { video_id: "v", region: "JP", epoch: day, at, viewer: i64::MIN };
        let all =
            [Entry::Heartbeat(heartbeat("v", 0)), Entry::View(view), Entry::Heartbeat(heartbeat("v", 10))];
        let queued: HashedHeartbeats = all.into_iter().collect();
        assert_eq!((queued.len(), queued.watched_secs()), (3, 20));
        assert_eq!(queued.entries().collect::<Result<Vec<_>, _>>().expect("entries"), all);
        assert_eq!(queued.iter().count(), 2);
        let alone: HashedHeartbeats = [all[1]].into_iter().collect();
        for cut in 1..alone.as_bytes().len() {
            let part = HashedHeartbeats::queued(alone.as_bytes()[..cut].to_vec(), 1, 0);
            assert_eq!(part.entries().collect::<Vec<_>>(), [Err(Unreadable)], "cut at {cut}");
        }
    }

    #[test]
    fn other_bytes_are_refused_and_end_the_reading() {
        let good: HashedHeartbeats = [heartbeat("v", 0)].into_iter().collect();
        let bytes = good.as_bytes();
        for cut in 1..bytes.len() {
            let part = HashedHeartbeats::queued(bytes[..cut].to_vec(), 1, 10);
            assert_eq!(part.iter().collect::<Vec<_>>(), [Err(Unreadable)], "cut at {cut}");
        }
        // A kind that there is not, a name too long, none in UTF-8, one of control characters, a day before all that are kept.
        for (at, byte) in [(0, 3), (1, 200), (2, 0xff), (2, 0), (3, 255), (6, 0x80)] {
            let mut changed = bytes.to_vec();
            changed[at] = byte;
            assert_eq!(HashedHeartbeats::queued(changed, 1, 10).iter().next(), Some(Err(Unreadable)), "{at}");
        }
    }
}
