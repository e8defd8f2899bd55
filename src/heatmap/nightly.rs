//! The night of the heatmap, beside compaction: it removes what is not kept, thins what is kept more coarsely, and counts the
//! salt epochs that are over. Each takes bounded pieces, and looks at what is new since the last night.

use chrono::NaiveDate;

use crate::postgres::{Store, StoreError};

/// Videos whose old rows are removed in one transaction.
const MAX_PIECE_VIDEOS: usize = 10;
/// Days of videos that are thinned in one transaction.
const MAX_PIECE_DAYS: usize = 20;
/// Videos, or days of videos, that are looked up at once: a look-up may have to pass over a month of others.
const LOOKED_UP: u64 = 5_000;

/// Drops the partitions of days that are not kept, one by one; adds to `dropped` how many.
pub async fn drop_unkept(store: &Store, dropped: &mut u64) -> Result<(), StoreError> {
    if store.retention().await?.keeps_all() || !store.delete_beside_unkept().await? {
        return Ok(());
    }
    while store.drop_unkept_partition().await? {
        *dropped += 1;
        // Here a test lets the process die.
        fail::fail_point!("retention::dropped", |_| std::process::abort());
    }
    Ok(())
}

/// Deletes the rows of days that are not kept and whose partition holds days that are; adds to `deleted` how many.
pub async fn delete_unkept(store: &Store, deleted: &mut u64) -> Result<(), StoreError> {
    if store.retention().await?.keeps_all() {
        return Ok(());
    }
    let mut behind = String::new();
    loop {
        let videos = store.unkept_videos(&behind, LOOKED_UP).await?;
        let Some(last) = videos.last() else { return Ok(()) };
        behind.clone_from(last);
        for videos in videos.chunks(MAX_PIECE_VIDEOS) {
            *deleted += store.delete_unkept(videos).await?;
        }
    }
}

/// Moves on the first day that is kept by the second, and deletes the seconds of those before; adds to `thinned` how many.
pub async fn thin(store: &Store, fine_from: Option<NaiveDate>, thinned: &mut u64) -> Result<(), StoreError> {
    // A piece of a compaction that read it before it is moved may write seconds of days from here on for a moment longer:
    // the next night looks at these days once more.
    let before = store.retention().await?.fine_from;
    store.advance_retention(None, fine_from).await?;
    if store.retention().await?.fine_from <= before && store.thinned_to().await? >= before {
        return Ok(());
    }
    let mut behind = (String::new(), NaiveDate::default());
    loop {
        let days = store.fine_days(&behind, LOOKED_UP).await?;
        let Some(last) = days.last() else { break };
        behind.clone_from(last);
        for days in days.chunks(MAX_PIECE_DAYS) {
            *thinned += store.delete_fine(days).await?;
        }
    }
    store.advance_thinned(before).await
}

/// Keeps the estimates of salt epochs that were over before `today`, as far as something of them has changed.
pub async fn count_epochs(store: &Store, today: NaiveDate) -> Result<(), StoreError> {
    for epoch in store.uncounted_epochs(today).await? {
        let mut behind = (epoch.0, String::new());
        loop {
            let noted = store.uncounted_videos(epoch, &behind, LOOKED_UP).await?;
            let Some(last) = noted.last() else { break };
            behind.clone_from(last);
            for (_, video_id) in &noted {
                store.count_video(video_id, epoch).await?;
            }
        }
    }
    Ok(())
}
