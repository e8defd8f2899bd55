//! Compaction where the tables are distributed: piece by piece of one video, so that each of its transactions is at one node,
//! several at a time.

use chrono::NaiveDate;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{CompactionError, PIECE, Step, step_of};
use crate::{
    heatmap::store::pieces::{Rows, ShardKey},
    postgres::{Store, StoreError},
};

/// Videos that are compacted at a time: the nodes work side by side, and while one commits another has something to do.
const AT_A_TIME: usize = 4;
/// Videos that are looked up at once.
const LOOKED_UP: u64 = 1_000;

/// Moves the shard rows of a day, first video to last.
pub(super) async fn pass(
    store: &Store,
    kind: Rows,
    day: NaiveDate,
    progress: &mut impl FnMut(u64),
) -> Result<u64, CompactionError> {
    let (mut rows, mut behind) = (0, String::new());
    loop {
        let videos = store.shard_videos(kind, day, &behind, LOOKED_UP).await?;
        let Some(last) = videos.last() else { return Ok(rows) };
        behind.clone_from(last);
        let mut moved = stream::iter(videos)
            .map(|video_id| async move { move_video(store, kind, day, &video_id).await })
            .buffer_unordered(AT_A_TIME);
        while let Some(of_video) = moved.try_next().await? {
            rows += of_video;
            progress(of_video);
        }
    }
}

async fn move_video(store: &Store, kind: Rows, day: NaiveDate, video_id: &str) -> Result<u64, StoreError> {
    let mut rows = 0;
    let mut from = ShardKey::first();
    while let Step::Moved(piece) = step_of(store, kind, day, Some(video_id), &from, PIECE).await? {
        crash_point!("compaction::committed");
        rows += piece.rows;
        from = piece.end;
    }
    Ok(rows)
}
