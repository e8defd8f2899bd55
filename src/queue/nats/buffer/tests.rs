use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::*;
use crate::{events::hashed::HashedHeartbeat, queue::Batch};

const ALL: Window = Window { heartbeats: u64::MAX, watched_secs: u64::MAX, rows: u64::MAX };

fn position(registered: u64, lanes: &[u64]) -> Position {
    Position {
        name: "s".into(),
        created: "then".into(),
        generation: 1,
        registered,
        registered_message: None,
        lanes: lanes.to_vec(),
        waiting: 0,
    }
}

/// So many heartbeats, all alike.
fn heartbeats(count: usize) -> HashedHeartbeats {
    let heartbeat = HashedHeartbeat {
        video_id: "v",
        region: "JP",
        captured_on: NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day"),
        start_sec: 0,
        end_sec: 9,
        viewer_hash: 7,
    };
    std::iter::repeat_n(heartbeat, count).collect()
}

/// A message in which each of these lanes has so many heartbeats.
fn message(sequence: u64, lanes: &[(u16, usize)]) -> Message {
    let lanes: BTreeMap<u16, HashedHeartbeats> =
        lanes.iter().map(|&(lane, count)| (lane, heartbeats(count))).collect();
    let batch = Batch {
        id: Some(Uuid::from_u128(sequence.into())),
        lanes,
        answer: Accepted { accepted: 1, rejected: "[]".into() },
    };
    let payload = group::encode(Ring::Http, &[&batch]);
    Message { sequence, id: sequence.to_string(), at: DateTime::UNIX_EPOCH, payload }
}

fn sequences(taken: &Taken) -> Vec<u64> {
    taken.parts.iter().map(|(sequence, ..)| *sequence).collect()
}

#[test]
fn a_lane_gives_what_is_registered_and_behind_what_is_folded() {
    let mut buffer = Buffer::begin(&position(0, &[0, 0]));
    for sequence in 1..=4 {
        buffer.push(message(sequence, &[(0, 1), (1, 2)]));
    }
    assert!(buffer.take(0, 1, (0, 0), &ALL).is_none(), "nothing is registered");
    assert!(buffer.ripe_lanes(DateTime::<Utc>::MAX_UTC, 0).is_empty());
    assert_eq!(buffer.unregistered(10).len(), 4);
    buffer.note(&position(3, &[0, 0]));
    assert_eq!(buffer.unregistered(10).len(), 1);
    assert_eq!(buffer.ripe_lanes(DateTime::<Utc>::MAX_UTC, 0), [(0, 1), (1, 1)]);
    let taken = buffer.take(1, 1, (0, 3), &ALL).expect("something");
    assert_eq!((taken.through, taken.heartbeats, sequences(&taken)), (3, 6, vec![1, 2, 3]));
    // The transaction was undone: all of it is still there.
    assert_eq!(buffer.take(1, 1, (0, 3), &ALL), Some(taken));
    // It was committed.
    assert!(buffer.take(1, 1, (3, 3), &ALL).is_none());
    buffer.note(&position(4, &[0, 3]));
    assert_eq!(sequences(&buffer.take(1, 1, (3, 4), &ALL).expect("the rest")), [4]);
    assert_eq!(sequences(&buffer.take(0, 1, (0, 4), &ALL).expect("another lane")), [1, 2, 3, 4]);
}

#[test]
fn a_window_ends_behind_a_message() {
    let mut buffer = Buffer::begin(&position(9, &[0]));
    for sequence in 1..=9 {
        buffer.push(message(sequence, &[(0, 10)]));
    }
    let window = |heartbeats, watched_secs, rows| Window { heartbeats, watched_secs, rows };
    for (window, through) in [
        (window(25, u64::MAX, u64::MAX), 3),
        (window(u64::MAX, 150, u64::MAX), 2),
        (window(u64::MAX, u64::MAX, 1), 1),
        (window(0, 0, 0), 0),
    ] {
        let taken = buffer.take(0, 1, (0, 9), &window);
        assert_eq!(taken.map_or(0, |taken| taken.through), through, "{window:?}");
    }
}

#[test]
fn what_it_does_not_hold_it_does_not_give() {
    let mut buffer = Buffer::begin(&position(5, &[5, 3]));
    assert_eq!(buffer.next(), 4, "from the lane that is furthest behind");
    buffer.push(message(4, &[(0, 1), (1, 1)]));
    buffer.push(message(5, &[(0, 1), (1, 1)]));
    assert!(buffer.take(0, 1, (5, 5), &ALL).is_none(), "folded before");
    assert_eq!(sequences(&buffer.take(1, 1, (3, 5), &ALL).expect("both")), [4, 5]);
    assert!(!buffer.is_stale(&position(5, &[5, 3])));
    for (what, other) in [
        ("the database went back", position(4, &[5, 3])),
        ("a lane went back", position(5, &[4, 3])),
        ("others are further", position(9, &[9, 9])),
        ("other lanes", position(5, &[5, 3, 3])),
        ("another stream", Position { generation: 2, ..position(5, &[5, 3]) }),
    ] {
        assert!(buffer.is_stale(&other), "{what}");
    }
    assert!(buffer.take(1, 2, (3, 5), &ALL).is_none(), "another stream was taken");
    assert!(buffer.is_stale(&position(5, &[5, 3])));
    assert!(Buffer::default().is_stale(&position(0, &[0])), "nothing was begun");
}

#[test]
fn lanes_without_anything_are_told() {
    let mut buffer = Buffer::begin(&position(2, &[0, 0, 0, 1]));
    buffer.push(message(1, &[(0, 1)]));
    buffer.push(message(2, &[(1, 1)]));
    buffer.push(message(3, &[(2, 1)]));
    // Lane 2 has something in a message that is not registered, which is not reached.
    assert_eq!(buffer.idle_lanes(&position(2, &[0, 0, 0, 1])), (vec![(2, 0), (3, 1)], 2));
    assert_eq!(buffer.idle_lanes(&position(2, &[1, 0, 2, 2])), (vec![], 2));
    buffer.note(&position(2, &[1, 0, 2, 2]));
    assert_eq!(buffer.idle_lanes(&position(2, &[1, 0, 2, 2])), (vec![(0, 1)], 2));
}

/// A lane that is stuck holds up nobody: what it has behind its share is read again when it gets there.
#[test]
fn a_lane_that_is_stuck_is_read_again() {
    let mut buffer = Buffer::begin(&position(0, &[0, 0]));
    // Two of them are a lane's share.
    let large = MAX_LANE_BYTES / heartbeats(1).as_bytes().len() / 2 + 1;
    let all: Vec<Message> = (1..=6).map(|sequence| message(sequence, &[(0, large), (1, 1)])).collect();
    all.iter().cloned().for_each(|message| buffer.push(message));
    buffer.note(&position(6, &[0, 0]));
    assert!(!buffer.is_full(), "others are read on");
    assert_eq!(sequences(&buffer.take(1, 1, (0, 6), &ALL).expect("all of it")), [1, 2, 3, 4, 5, 6]);
    let taken = buffer.take(0, 1, (0, 6), &ALL).expect("its share");
    assert_eq!((taken.through, sequences(&taken)), (2, vec![1, 2]));
    assert!(buffer.cut_lanes().is_empty(), "it still has something");
    assert!(buffer.idle_lanes(&position(6, &[0, 6])).0.is_empty(), "it is not idle");
    buffer.note(&position(6, &[2, 6]));
    assert_eq!(buffer.cut_lanes(), [(0, 3)]);
    buffer.push_again(0, all[2..4].to_vec());
    assert_eq!(sequences(&buffer.take(0, 1, (2, 6), &ALL).expect("what was read again")), [3, 4]);
    buffer.note(&position(6, &[4, 6]));
    // Messages that it was not waiting for change nothing.
    buffer.push_again(0, all[5..].to_vec());
    assert_eq!(buffer.cut_lanes(), [(0, 5)]);
    buffer.push_again(0, all[4..].to_vec());
    assert_eq!(sequences(&buffer.take(0, 1, (4, 6), &ALL).expect("the rest")), [5, 6]);
    buffer.note(&position(6, &[6, 6]));
    buffer.push(message(7, &[(0, 1)]));
    buffer.note(&position(7, &[6, 6]));
    assert_eq!(sequences(&buffer.take(0, 1, (6, 7), &ALL).expect("as before")), [7]);
}

#[test]
fn what_nobody_can_read_is_registered_and_folded_by_nobody() {
    let mut buffer = Buffer::begin(&position(0, &[0]));
    let foreign = Message { payload: "anything".into(), ..message(1, &[]) };
    buffer.push(foreign);
    // Of a database with more lanes.
    buffer.push(message(2, &[(0, 1), (1, 1)]));
    buffer.push(message(3, &[(0, 1)]));
    let frames = buffer.unregistered(10);
    let unreadable: Vec<bool> = frames.iter().map(|frame| frame.unreadable.is_some()).collect();
    assert_eq!(unreadable, [true, true, false]);
    buffer.note(&position(3, &[0]));
    assert_eq!(sequences(&buffer.take(0, 1, (0, 3), &ALL).expect("the last")), [3]);
}
