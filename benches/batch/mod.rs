//! A seeded batch of heartbeats, the same on every run: what the fold is measured with.

use chrono::{DateTime, Utc};
use heatstrip::{
    demo::audience::{Audience, Beat},
    events::{
        hashed::{HashedHeartbeat, HashedHeartbeats},
        heartbeat::ViewerId,
    },
    viewers::hash::{Salt, viewer_hash},
};

/// A salt like any other.
pub fn salt() -> Salt {
    Salt::new(b"benchmark".to_vec())
}

/// The first beats of an audience of over 100,000: a week of 12 videos in 8 regions, about two viewers a second.
pub fn beats(count: usize) -> Vec<Beat> {
    let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().expect("an instant");
    let audience = Audience { seed: 2026, now, days: 7, viewers: 6_000 };
    let beats: Vec<Beat> = audience.beats().take(count).collect();
    assert_eq!(beats.len(), count, "the audience is too small");
    beats
}

/// The beats as the worker claims them.
pub fn batch(count: usize) -> HashedHeartbeats {
    let salt = salt();
    let mut batch = HashedHeartbeats::default();
    for beat in beats(count) {
        batch.push(&HashedHeartbeat {
            video_id: beat.video_id,
            region: beat.region,
            captured_on: beat.at.date_naive(),
            start_sec: beat.start_sec as i32,
            end_sec: beat.end_sec as i32,
            viewer_hash: viewer_hash(&ViewerId::new(beat.viewer_id), &salt),
        });
    }
    batch
}
