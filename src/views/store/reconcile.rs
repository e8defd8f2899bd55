//! Totals beside what they count.

use std::collections::HashMap;

use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::{sql, totals};
use crate::{
    postgres::{Store, StoreError, Tables, Transaction, execute, query, sketches::Sketch},
    sketch::Union,
};

/// A video whose totals do not say what there is: what has to be added to each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftedVideo {
    pub video_id: String,
    pub views: i64,
    pub recent_viewers: i64,
    pub lifetime_viewers: i64,
    pub estimated_epochs: i32,
}

/// The differences that a look at some videos found.
#[derive(Debug, Default)]
pub struct ComparedVideos {
    /// The last of them; none if there were none.
    pub last: Option<String>,
    /// How many there were.
    pub videos: u64,
    /// Those that have drifted.
    pub drifted: Vec<DriftedVideo>,
}

impl Store {
    /// Compares the `limit` videos behind `behind` with what their totals count, in one snapshot and without a lock.
    pub async fn compare_views(&self, behind: &str, limit: i64) -> Result<ComparedVideos, StoreError> {
        let tables = self.tables();
        self.run_read(sql::PREPARE_VIEW_PIECES, |tx| {
            async move {
                let rows = match tables {
                    Tables::Local => query(tx, sql::READ_VIEW_SUMS, &[&behind, &limit]).await?,
                    Tables::Distributed => {
                        let rows = query(tx, sql::READ_VIDEOS_WITH_TOTALS, &[&behind, &limit]).await?;
                        let videos: Vec<&str> =
                            rows.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
                        query(tx, sql::READ_SUMS_OF_VIDEOS, &[&videos]).await?
                    }
                };
                let last = rows.last().map(|row| row.try_get("video_id")).transpose()?;
                Ok(ComparedVideos { last, videos: rows.len() as u64, drifted: drifted(tx, &rows).await? })
            }
            .scope_boxed()
        })
        .await
    }

    /// Locks videos' totals, compares them again and corrects them by the difference; returns those that were wrong.
    pub async fn heal_views(&self, videos: &[String]) -> Result<Vec<DriftedVideo>, StoreError> {
        self.run_tx("heal_views", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_VIEW_PIECES).await?;
                let locked: Vec<&str> = videos.iter().map(String::as_str).collect();
                totals::lock(tx, self.tables(), &locked).await?;
                // A statement of its own: it sees what was committed while the locks were waited for.
                let rows = query(tx, sql::READ_SUMS_OF_VIDEOS, &[&videos]).await?;
                let drifted = drifted(tx, &rows).await?;
                let names: Vec<&str> = drifted.iter().map(|video| video.video_id.as_str()).collect();
                let views: Vec<i64> = drifted.iter().map(|video| video.views).collect();
                let recent: Vec<i64> = drifted.iter().map(|video| video.recent_viewers).collect();
                let lifetime: Vec<i64> = drifted.iter().map(|video| video.lifetime_viewers).collect();
                let estimated: Vec<i32> = drifted.iter().map(|video| video.estimated_epochs).collect();
                execute(tx, sql::HEAL_TOTALS, &[&names, &views, &recent, &lifetime, &estimated]).await?;
                Ok(drifted)
            }
            .scope_boxed()
        })
        .await
    }
}

async fn drifted(tx: &Transaction<'_>, rows: &[Row]) -> Result<Vec<DriftedVideo>, StoreError> {
    let videos: Vec<&str> = rows.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
    let mut lifetimes: HashMap<String, (i64, i32)> = HashMap::new();
    let mut union = Union::default();
    for row in query(tx, sql::READ_EPOCHS_OF_VIDEOS, &[&videos]).await? {
        union.clear();
        union.add(row.try_get::<_, Sketch<'_>>("viewers")?.0)?;
        let (viewers, estimated) = lifetimes.entry(row.try_get("video_id")?).or_default();
        *viewers += union.cardinality() as i64;
        *estimated += i32::from(!union.is_exact());
    }
    let mut drifted = Vec::new();
    for (row, video_id) in rows.iter().zip(videos) {
        let value = |name: &str| row.try_get::<_, i64>(name);
        let (lifetime, estimated) = lifetimes.get(video_id).copied().unwrap_or_default();
        let video = DriftedVideo {
            video_id: video_id.to_owned(),
            views: value("counted_views")? - value("views")?,
            recent_viewers: value("counted_recent")? - value("recent_viewers")?,
            lifetime_viewers: lifetime - value("lifetime_viewers")?,
            estimated_epochs: estimated - row.try_get::<_, i32>("estimated_epochs")?,
        };
        let DriftedVideo { views, recent_viewers, lifetime_viewers, estimated_epochs, .. } = video;
        if views != 0 || recent_viewers != 0 || lifetime_viewers != 0 || estimated_epochs != 0 {
            drifted.push(video);
        }
    }
    Ok(drifted)
}
