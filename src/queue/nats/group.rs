//! A group of batches as one message of the stream.
//!
//! A group is one message, so all of it is stored or nothing: a batch may touch every lane, and no crash can tear it. It is
//! also one sync of the server's disk, however many batches and lanes it holds.
//!
//! ```text
//! │ 1 │ ring │ n │ n batches │ m │ m parts │
//!  u8   u8   u32             u32           big-endian
//!
//! batch: │ id       │ accepted │ k   │ rejected, k bytes │
//!         16 bytes    u32        u32
//! part:  │ lane │ batch │ entries │ watched_secs │ k   │ payload, k bytes │
//!         u16    u32     u32       u64            u32
//! ```
//!
//! `batch` counts from 0, and is `u32::MAX` for entries of batches without an id. Parts stand in the order of their lanes, and
//! a payload is the string of bytes that a row of the table would hold.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    events::hashed::{HashedHeartbeats, Unreadable},
    queue::{
        Batch,
        batch_ids::{Accepted, Ring},
    },
};

const VERSION: u8 = 1;
const HTTP: u8 = 0;
const REPLAY: u8 = 1;
/// Stands for batches that have no id.
const NO_BATCH: u32 = u32::MAX;
/// The numbers before the payload of a part.
const PART_BYTES: usize = 22;
/// The numbers before the rejections of a batch.
const BATCH_BYTES: usize = 24;

/// The batches that were accepted together.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// How long their ids are remembered.
    pub ring: Ring,
    /// The batches that have ids, with what their senders were answered.
    pub batches: Vec<(Uuid, Accepted)>,
    /// The entries, by lane.
    pub parts: Vec<Part>,
}

/// What a batch has for a lane; or all batches without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub lane: u16,
    /// The place of the batch in its group, none if it has no id.
    pub batch: Option<u32>,
    pub heartbeats: HashedHeartbeats,
}

/// Writes batches as a message.
pub fn encode(ring: Ring, batches: &[&Batch]) -> Bytes {
    let mut parts: BTreeMap<(u16, u32), HashedHeartbeats> = BTreeMap::new();
    let mut with_id: Vec<(&Uuid, &Accepted)> = Vec::new();
    for batch in batches {
        let place = match &batch.id {
            Some(id) => {
                with_id.push((id, &batch.answer));
                with_id.len() as u32 - 1
            }
            None => NO_BATCH,
        };
        for (&lane, heartbeats) in &batch.lanes {
            parts.entry((lane, place)).or_default().append(heartbeats);
        }
    }
    let mut bytes = Vec::new();
    bytes.push(VERSION);
    bytes.push(match ring {
        Ring::Http => HTTP,
        Ring::Replay => REPLAY,
    });
    put_u32(&mut bytes, with_id.len());
    for (id, Accepted { accepted, rejected }) in with_id {
        bytes.extend_from_slice(id.as_bytes());
        put_u32(&mut bytes, *accepted);
        put_bytes(&mut bytes, rejected.as_bytes());
    }
    put_u32(&mut bytes, parts.len());
    for ((lane, place), heartbeats) in &parts {
        bytes.extend_from_slice(&lane.to_be_bytes());
        bytes.extend_from_slice(&place.to_be_bytes());
        put_u32(&mut bytes, heartbeats.len());
        bytes.extend_from_slice(&heartbeats.watched_secs().to_be_bytes());
        put_bytes(&mut bytes, heartbeats.as_bytes());
    }
    bytes.into()
}

/// Returns how many bytes a batch adds to a message, or a few more.
pub fn size(batch: &Batch) -> usize {
    let parts: usize = batch.lanes.values().map(|part| part.as_bytes().len() + PART_BYTES).sum();
    parts + batch.answer.rejected.len() + BATCH_BYTES
}

/// Reads a message.
pub fn decode(message: &[u8]) -> Result<Group, Unreadable> {
    let mut rest = Rest(message);
    let group = rest.group().filter(|_| rest.0.is_empty());
    group.ok_or(Unreadable)
}

fn put_u32(bytes: &mut Vec<u8>, number: usize) {
    debug_assert!(u32::try_from(number).is_ok(), "a group is bounded far below it");
    bytes.extend_from_slice(&(number as u32).to_be_bytes());
}

fn put_bytes(bytes: &mut Vec<u8>, put: &[u8]) {
    put_u32(bytes, put.len());
    bytes.extend_from_slice(put);
}

/// The bytes that are not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn group(&mut self) -> Option<Group> {
        let [version, ring] = self.array()?;
        let ring = match (version, ring) {
            (VERSION, HTTP) => Ring::Http,
            (VERSION, REPLAY) => Ring::Replay,
            _ => return None,
        };
        let mut batches = Vec::new();
        for _ in 0..self.u32()? {
            let id = Uuid::from_bytes(self.array()?);
            let accepted = self.u32()? as usize;
            let rejected = std::str::from_utf8(self.bytes()?).ok()?.to_owned();
            batches.push((id, Accepted { accepted, rejected }));
        }
        let mut parts = Vec::new();
        for _ in 0..self.u32()? {
            let lane = u16::from_be_bytes(self.array()?);
            let place = self.u32()?;
            let batch = (place != NO_BATCH).then_some(place);
            if batch.is_some_and(|place| place as usize >= batches.len()) {
                return None;
            }
            let entries = self.u32()? as usize;
            let watched_secs = u64::from_be_bytes(self.array()?);
            let heartbeats = HashedHeartbeats::queued(self.bytes()?.to_vec(), entries, watched_secs);
            parts.push(Part { lane, batch, heartbeats });
        }
        Some(Group { ring, batches, parts })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, behind) = self.0.split_first_chunk()?;
        self.0 = behind;
        Some(*array)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        let (bytes, behind) = self.0.split_at_checked(length)?;
        self.0 = behind;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::events::hashed::HashedHeartbeat;

    fn heartbeats(video_id: &str, count: i32) -> HashedHeartbeats {
        let captured_on = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        let heartbeat = |start_sec| HashedHeartbeat {
            video_id,
            region: "JP",
            captured_on,
            start_sec,
            end_sec: start_sec + 9,
            viewer_hash: 7,
        };
        (0..count).map(heartbeat).collect()
    }

    fn batch(id: Option<Uuid>, lanes: &[(u16, &str, i32)]) -> Batch {
        let lanes: BTreeMap<_, _> =
            lanes.iter().map(|&(lane, video_id, count)| (lane, heartbeats(video_id, count))).collect();
        let accepted = lanes.values().map(HashedHeartbeats::len).sum();
        Batch { id, lanes, answer: Accepted { accepted, rejected: "[]".into() } }
    }

    #[test]
    fn what_is_written_is_read() {
        let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
        let batches = [
            batch(None, &[(3, "a", 2)]),
            batch(Some(one), &[(3, "b", 1), (9, "c", 4)]),
            batch(None, &[(3, "d", 1), (0, "e", 1)]),
            batch(Some(two), &[(9, "f", 1)]),
        ];
        let message = encode(Ring::Replay, &batches.iter().collect::<Vec<_>>());
        let group = decode(&message).expect("a group");
        assert_eq!(group.ring, Ring::Replay);
        assert_eq!(group.batches.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [one, two]);
        assert_eq!(group.batches[0].1, Accepted { accepted: 5, rejected: "[]".into() });
        let seen: Vec<_> =
            group.parts.iter().map(|part| (part.lane, part.batch, part.heartbeats.len())).collect();
        // Those without an id lie together.
        assert_eq!(seen, [(0, None, 1), (3, Some(0), 1), (3, None, 3), (9, Some(0), 4), (9, Some(1), 1)]);
        assert_eq!(group.parts[2].heartbeats.watched_secs(), 30);
        assert_eq!(group.parts[2].heartbeats.iter().count(), 3);
    }

    #[test]
    fn no_cut_or_longer_message_is_read() {
        let batches = [batch(Some(Uuid::now_v7()), &[(3, "b", 1)])];
        let message = encode(Ring::Http, &batches.iter().collect::<Vec<_>>());
        for cut in 0..message.len() {
            assert_eq!(decode(&message[..cut]), Err(Unreadable), "cut at {cut}");
        }
        let mut longer = message.to_vec();
        longer.push(0);
        assert_eq!(decode(&longer), Err(Unreadable));
        for (at, byte) in [(0, 2), (1, 2)] {
            let mut changed = message.to_vec();
            changed[at] = byte;
            assert_eq!(decode(&changed), Err(Unreadable), "{at}");
        }
    }
}
