//! Heartbeats whose viewer ids are hashed: what is queued, and all that is ever kept of them.

use chrono::NaiveDate;

/// Heartbeats as they are queued: parallel columns of equal length, viewer ids already hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HashedHeartbeats {
    /// The videos.
    pub video_id: Vec<String>,
    /// The regions.
    pub region: Vec<String>,
    /// The UTC days of capture.
    pub captured_on: Vec<NaiveDate>,
    /// The first seconds watched.
    pub start_sec: Vec<i32>,
    /// The last seconds watched.
    pub end_sec: Vec<i32>,
    /// The viewers.
    pub viewer_hash: Vec<i64>,
}

impl HashedHeartbeats {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.video_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.video_id.is_empty()
    }

    /// Moves the others behind these.
    pub fn append(&mut self, mut others: HashedHeartbeats) {
        self.video_id.append(&mut others.video_id);
        self.region.append(&mut others.region);
        self.captured_on.append(&mut others.captured_on);
        self.start_sec.append(&mut others.start_sec);
        self.end_sec.append(&mut others.end_sec);
        self.viewer_hash.append(&mut others.viewer_hash);
    }

    /// The heartbeat at `index` alone.
    pub fn only(&self, index: usize) -> HashedHeartbeats {
        HashedHeartbeats {
            video_id: vec![self.video_id[index].clone()],
            region: vec![self.region[index].clone()],
            captured_on: vec![self.captured_on[index]],
            start_sec: vec![self.start_sec[index]],
            end_sec: vec![self.end_sec[index]],
            viewer_hash: vec![self.viewer_hash[index]],
        }
    }
}
