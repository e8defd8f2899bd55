//! Lanes: the parts of the queue that are worked on one by one, so that no row lock is ever waited for.

use std::hash::Hasher;

/// The lane of a video: FNV-1a of its id, as processes of any version must agree on it.
pub fn lane(video_id: &str, lanes: u16) -> u16 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(video_id.as_bytes());
    (hasher.finish() % u64::from(lanes)) as u16
}
