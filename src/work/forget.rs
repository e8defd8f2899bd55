//! Removes a video everywhere, as its owner may demand.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use crate::{
    audience, catalogue,
    heatmap::{self, store::forget::ForgottenRows},
    postgres::{Store, StoreError},
    queue::{self, forget::ForgottenHeartbeats},
    viewers::epoch::Rotation,
    views::{self, store::forget::ForgottenViews},
};

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

/// Removes a video, of one day or of all, in one transaction, while no worker folds its lane. Its entry in the catalogue
/// belongs to no day: it goes with all of them and stays otherwise.
pub async fn forget(
    store: &Store,
    video_id: &str,
    lane: u16,
    day: Option<NaiveDate>,
) -> Result<Forgotten, StoreError> {
    let (first_day, last_day) =
        day.map_or_else(|| Rotation::Never.span(NaiveDate::default()), |day| (day, day));
    store
        .run_tx("forget", |tx| {
            async move {
                let heartbeats = queue::forget::forget_in(tx, video_id, lane, day).await?;
                let samples = audience::store::forget_in(tx, video_id, first_day, last_day).await?;
                let rows =
                    heatmap::store::forget::forget_in(tx, store.tables(), video_id, first_day, last_day)
                        .await?;
                let views = views::store::forget::forget_in(tx, video_id, day).await?;
                let entry = day.is_none() && catalogue::store::delete_in(tx, video_id).await?;
                Ok(Forgotten { heartbeats, rows, views, samples, entry })
            }
            .scope_boxed()
        })
        .await
}
