//! The read behind reach: the whole-video rows of several videos united, estimated last.

use std::pin::pin;

use chrono::NaiveDate;
use futures_util::TryStreamExt;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;

use super::{prepare_read, sql, strips::shard_regions};
use crate::heatmap::{
    reach::{Reach, ReachRange, Reached},
    totals::Part,
};
use crate::postgres::{Store, StoreError, kept_days, query_stream, sketches::Sketch};
use crate::viewers::store::epochs;

/// So many videos are looked up by one statement.
const PIECE_VIDEOS: usize = 500;

/// A reach as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReachQuery {
    /// The channel that the videos were found by, where one was asked for.
    pub channel: Option<String>,
    /// The videos, each once.
    pub videos: Vec<String>,
    /// The regions to unite, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Store {
    /// Returns how many different people watched any of the videos.
    pub async fn read_reach(&self, asked: &ReachQuery) -> Result<Reach, StoreError> {
        // One snapshot: the same rows make the parts and the whole.
        self.run_read(prepare_read(self.tables()), |tx| {
            async move {
                let from = asked.from.max(kept_days::read(tx).await?.kept_from);
                let (first_days, rotations) = epochs(tx, asked.from, asked.to).await?;
                let shard_regions = shard_regions(&asked.regions);
                let mut reached = Reached::default();
                for videos in asked.videos.chunks(PIECE_VIDEOS) {
                    let videos: Option<&[String]> = Some(videos);
                    let parameters: &[&(dyn ToSql + Sync)] =
                        &[&from, &asked.to, &asked.regions, &shard_regions, &first_days, &videos];
                    let mut rows = pin!(query_stream(tx, sql::READ_VIDEOS, parameters).await?);
                    while let Some(row) = rows.try_next().await? {
                        let Sketch(viewers) = row.try_get("viewers")?;
                        reached.add(Part {
                            name: row.try_get("name")?,
                            epoch: row.try_get::<_, i32>("epoch")? as usize,
                            last_sec: row.try_get::<_, i32>("last_sec")? as u32,
                            plays: row.try_get::<_, i64>("plays")? as u64,
                            viewers,
                        })?;
                    }
                }
                Ok(reached.finish(ReachRange {
                    channel: asked.channel.clone(),
                    videos: asked.videos.len(),
                    regions: asked.regions.clone(),
                    from: asked.from,
                    to: asked.to,
                    epochs: rotations,
                }))
            }
            .scope_boxed()
        })
        .await
    }
}
