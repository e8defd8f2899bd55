//! Strips from the seconds of the regions alone: what GLOBAL, the coarser levels and the counts must add up to.

use chrono::NaiveDate;
use heatstrip::heatmap::{
    store::strips::StripQuery,
    strip::{BucketRow, Strip, StripRange, strip},
};

use super::Engine;

/// First and last day with rows of the video, in any region.
const DAYS: &str = "
    SELECT min(captured_on) AS first_day, max(captured_on) AS last_day FROM video_heatmap_seconds WHERE video_id = $1";

const EPOCHS: &str = "
    SELECT rotation FROM salt_epochs WHERE last_day >= $1 AND first_day <= $2 ORDER BY first_day";

const BUCKETS: &str = "
    WITH seconds AS (
        SELECT captured_on, bucket_sec, viewers, plays
        FROM video_heatmap_seconds
        WHERE video_id = $1 AND (region = ANY ($4) OR 'GLOBAL' = ANY ($4)) AND bucket_sec < $6
    ), epochs AS (
        SELECT rank() OVER (ORDER BY first_day) - 1 AS epoch, first_day, last_day
        FROM salt_epochs
        WHERE last_day >= $2 AND first_day <= $3
    ), buckets AS (
        SELECT epoch, bucket_sec / $5 AS bucket, hll_union_agg(viewers) AS viewers, sum(plays)::bigint AS plays,
            max(bucket_sec) AS last_sec
        FROM seconds JOIN epochs ON captured_on BETWEEN first_day AND last_day
        WHERE captured_on BETWEEN $2 AND $3
        GROUP BY 1, 2
    ), nested AS (
        SELECT *, hll_union_agg(viewers) OVER (PARTITION BY epoch ORDER BY bucket DESC) AS reached FROM buckets
    )
    SELECT epoch, bucket, round(hll_cardinality(viewers))::bigint AS viewers,
        round(hll_cardinality(reached))::bigint AS reached, plays, last_sec, get_byte(hll_send(reached), 0) & 15 <= 2 AS exact
    FROM nested
    ORDER BY 1, 2";

impl Engine {
    /// The strip as the seconds of every region have it, in whatever form they are.
    pub async fn strip_of_seconds(&self, asked: &StripQuery) -> Strip {
        let days = self.sql.query_one(DAYS, &[&asked.video_id]).await.expect("the days");
        let day = |asked: Option<NaiveDate>, name: &str| asked.unwrap_or_else(|| days.get(name));
        let (from, to) = (day(asked.from, "first_day"), day(asked.to, "last_day"));
        let epochs = self.sql.query(EPOCHS, &[&from, &to]).await.expect("the epochs");
        let range = StripRange {
            video_id: asked.video_id.clone(),
            regions: asked.regions.clone(),
            resolution: asked.resolution,
            from: Some(from),
            to: Some(to),
            epochs: epochs.iter().map(|row| row.get::<_, &str>(0).parse().expect("a rotation")).collect(),
        };
        let resolution = asked.resolution as i32;
        let length = asked.length_sec.map_or(i32::MAX, |length| length as i32);
        let rows = self
            .sql
            .query(BUCKETS, &[&asked.video_id, &from, &to, &asked.regions, &resolution, &length])
            .await
            .expect("the buckets");
        let bucket = |row: &tokio_postgres::Row| BucketRow {
            epoch: row.get::<_, i64>("epoch") as usize,
            bucket: row.get::<_, i32>("bucket") as u32,
            viewers: row.get::<_, i64>("viewers") as u64,
            reached: row.get::<_, i64>("reached") as u64,
            seconds_played: row.get::<_, i64>("plays") as u64,
            last_sec: row.get::<_, i32>("last_sec") as u32,
            exact: row.get("exact"),
        };
        strip(range, &rows.iter().map(bucket).collect::<Vec<_>>())
    }
}
