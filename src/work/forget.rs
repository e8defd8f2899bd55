//! Removes a video everywhere, as its owner may demand, or a part of it, as somebody has to who cleans up behind an attack.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use crate::{
    audience, catalogue,
    events::{part::Part, region::Region},
    heatmap::{self, store::forget::ForgottenRows},
    ledger,
    postgres::{self, Store, StoreError, Tables, citus, execute},
    queue::{self, Queue, QueueError, claim::lock_lane, forget::ForgottenHeartbeats},
    viewers::epoch::Rotation,
    views::{self, store::forget::ForgottenViews},
};

/// Lets the process die here as `kill -9` does, if a test says so.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}

/// The places where a test may let the process die while it removes a part, by `FAILPOINTS=name=return`. They lie between any
/// two lines that change something.
pub const CRASH_POINTS: &[&str] = &[
    "forget::queued",
    "forget::sampled",
    "forget::uncounted",
    "forget::runs",
    "forget::levels",
    "forget::cut",
    "forget::global",
    "forget::wholes",
    "forget::bounds",
    "forget::day",
    "forget::views",
];

/// How much of a video was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// They waited in the queue.
    pub heartbeats: ForgottenHeartbeats,
    /// They were rows of the heatmap.
    pub rows: ForgottenRows,
    /// They were views.
    pub views: ForgottenViews,
    /// They were days of the audience's sample.
    pub samples: u64,
    /// True if the catalogue had an entry of it.
    pub entry: bool,
}

/// Removes a part of a video.
pub async fn forget(
    queue: impl Into<Queue>,
    video_id: &str,
    lane: u16,
    part: &Part,
) -> Result<Forgotten, QueueError> {
    let queue = queue.into();
    // Before anything is removed: what comes from now on is not meant.
    let last_message = queue.last_message().await?;
    let forgotten = match part.is_whole_days() {
        true => forget_days(queue.store(), video_id, lane, part.day, last_message).await,
        false => forget_part(queue.store(), video_id, lane, part, last_message).await,
    };
    Ok(forgotten?)
}

/// Removes a video, of one day or of all, in one transaction, while no worker folds its lane. Its entry in the catalogue
/// belongs to no day: it goes with all of them and stays otherwise.
async fn forget_days(
    store: &Store,
    video_id: &str,
    lane: u16,
    day: Option<NaiveDate>,
    last_message: Option<u64>,
) -> Result<Forgotten, StoreError> {
    let (first_day, last_day) = days(day);
    let part = &Part::of_day(day);
    store
        .run_tx("forget", |tx| {
            async move {
                if store.tables() == Tables::Distributed {
                    execute(tx, postgres::sql::COMMIT_IN_TWO_PHASES, &[]).await?;
                }
                let heartbeats = queue::forget::forget_in(tx, video_id, lane, part, last_message).await?;
                // What folds of before have left prepared on a node would come to light behind this.
                citus::wait_for_prepared(tx, store.tables()).await?;
                let samples = audience::store::forget_in(tx, video_id, first_day, last_day).await?;
                let rows =
                    heatmap::store::forget::forget_in(tx, store.tables(), video_id, first_day, last_day)
                        .await?;
                let views = views::store::forget::forget_in(tx, store.tables(), video_id, day).await?;
                ledger::store::forget_in(tx, video_id, first_day, last_day).await?;
                let entry = day.is_none() && catalogue::store::delete_in(tx, video_id).await?;
                Ok(Forgotten { heartbeats, rows, views, samples, entry })
            }
            .scope_boxed()
        })
        .await
}

/// Removes a part of a video's days, a transaction a day, while no worker folds its lane; run again, it goes on with what is
/// left. What waits to be folded goes first: whatever was accepted before is in the tables or gone from then on.
async fn forget_part(
    store: &Store,
    video_id: &str,
    lane: u16,
    part: &Part,
    last_message: Option<u64>,
) -> Result<Forgotten, StoreError> {
    let heartbeats = store
        .run_tx("forget_queued", |tx| {
            async move {
                let heartbeats = queue::forget::forget_in(tx, video_id, lane, part, last_message).await?;
                citus::wait_for_prepared(tx, store.tables()).await?;
                Ok(heartbeats)
            }
            .scope_boxed()
        })
        .await?;
    crash_point!("forget::queued");
    let mut gone = Forgotten { heartbeats, ..Forgotten::default() };
    let (first_day, last_day) = days(part.day);
    for day in store.heatmap_days(video_id, first_day, last_day).await? {
        // Whole videos of what is left of a day are canonical, whether it was compacted or not.
        store.ensure_canonical_partition(day).await?;
        let (samples, rows) = store
            .run_tx("forget_part", |tx| {
                async move {
                    lock_lane(tx, lane).await?;
                    let samples = audience::store::cut_in(tx, store.tables(), video_id, day, part).await?;
                    crash_point!("forget::sampled");
                    let rows = heatmap::store::cut::cut_in(tx, store.tables(), video_id, day, part).await?;
                    Ok((samples, rows))
                }
                .scope_boxed()
            })
            .await?;
        crash_point!("forget::day");
        gone.samples += samples;
        gone.rows.canonical += rows.canonical;
        gone.rows.shards += rows.shards;
    }
    // Views have no seconds.
    if let (Some(region), None) = (part.region.as_ref().map(Region::as_str), part.after_sec) {
        gone.views = store
            .run_tx("forget_views", |tx| {
                async move {
                    lock_lane(tx, lane).await?;
                    let views = views::store::forget::forget_region_in(
                        tx,
                        store.tables(),
                        video_id,
                        region,
                        part.day,
                    )
                    .await;
                    crash_point!("forget::views");
                    views
                }
                .scope_boxed()
            })
            .await?;
    }
    Ok(gone)
}

/// The days of a part: one, or all that there are.
fn days(day: Option<NaiveDate>) -> (NaiveDate, NaiveDate) {
    day.map_or_else(|| Rotation::Never.span(NaiveDate::default()), |day| (day, day))
}
