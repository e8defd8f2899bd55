//! What holds of the canonical rows at any instant.

use tokio_postgres::Client;

/// Every canonical level is the union of the canonical seconds, GLOBAL that of the regions; every form is as it must be; and
/// whole videos are the union of all their seconds.
pub async fn assert_levels_agree(sql: &Client) {
    assert_seconds_agree(sql).await;
    assert_nothing(sql, "whole videos that are not the union of their seconds", WHOLES).await;
}

/// As [`assert_levels_agree`], for rows that came without whole videos.
pub async fn assert_seconds_agree(sql: &Client) {
    for (what, query) in FORMS {
        assert_nothing(sql, what, query).await;
    }
    for (table, seconds) in [("video_heatmap_5s", 5), ("video_heatmap_60s", 60)] {
        let differing = sql
            .query_one(
                &format!(
                    "SELECT count(*) FROM (
                        SELECT video_id, captured_on, region, bucket_sec / {seconds} * {seconds} AS bucket_sec,
                            hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays, max(bucket_sec) AS last_sec
                        FROM video_heatmap GROUP BY 1, 2, 3, 4) fine
                     FULL JOIN {table} coarse USING (video_id, captured_on, region, bucket_sec)
                     WHERE captured_on >= (SELECT fine_from FROM retention)
                        AND (fine.viewers IS DISTINCT FROM hll_send(coarse.viewers)
                            OR fine.plays IS DISTINCT FROM coarse.plays OR fine.last_sec IS DISTINCT FROM coarse.last_sec)"
                ),
                &[],
            )
            .await
            .expect("a comparison");
        assert_eq!(differing.get::<_, i64>(0), 0, "{table}");
    }
    let differing = sql
        .query_one(
            "SELECT (SELECT count(*) FROM (
                SELECT video_id, captured_on, bucket_sec, hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays
                FROM video_heatmap WHERE region <> 'GLOBAL' GROUP BY 1, 2, 3) regions
             FULL JOIN (SELECT * FROM video_heatmap WHERE region = 'GLOBAL') world USING (video_id, captured_on, bucket_sec)
             WHERE regions.viewers IS DISTINCT FROM hll_send(world.viewers) OR regions.plays IS DISTINCT FROM world.plays)",
            &[],
        )
        .await
        .expect("a comparison");
    assert_eq!(differing.get::<_, i64>(0), 0, "GLOBAL");
}

/// Counts what there must be none of.
async fn assert_nothing(sql: &Client, what: &str, query: &str) {
    let rows: i64 = sql.query_one(query, &[]).await.expect("a comparison").get(0);
    assert_eq!(rows, 0, "{what}");
}

/// Canonical runs never overlap, lie in one block, are not what the next one is, and are never of a spread block, which alone
/// has rows in the levels.
const FORMS: &[(&str, &str)] = &[
        (
            "runs that overlap, or could be one with the next",
            "SELECT count(*) FROM (
                SELECT *, lead(start_sec) OVER w AS next, lead(hll_send(viewers)) OVER w AS next_viewers, lead(plays) OVER w AS next_plays
                FROM video_heatmap_runs WINDOW w AS (PARTITION BY video_id, region, captured_on, start_sec / 3600 ORDER BY start_sec)
             ) AS r
             WHERE end_sec < start_sec OR end_sec >= next
                OR (end_sec + 1 = next AND plays = next_plays AND hll_send(viewers) = next_viewers)",
        ),
        ("runs over an edge", "SELECT count(*) FROM video_heatmap_runs WHERE start_sec / 3600 <> end_sec / 3600"),
        (
            "runs of spread blocks",
            "SELECT count(*) FROM video_heatmap_runs AS r
             JOIN video_heatmap_spread AS s ON s.video_id = r.video_id AND s.captured_on = r.captured_on AND s.block = r.start_sec / 3600",
        ),
        (
            "levels of blocks that are not spread",
            "SELECT count(*) FROM (
                SELECT video_id, captured_on, bucket_sec FROM video_heatmap_5s
                UNION ALL SELECT video_id, captured_on, bucket_sec FROM video_heatmap_60s
             ) AS l
             WHERE NOT EXISTS (SELECT FROM video_heatmap_spread AS s
                WHERE s.video_id = l.video_id AND s.captured_on = l.captured_on AND s.block = l.bucket_sec / 3600)",
        ),
];

const WHOLES: &str = "SELECT count(*) FROM (
                SELECT video_id, captured_on, region, hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays,
                    max(bucket_sec) AS last_sec
                FROM (SELECT video_id, captured_on, region, bucket_sec, viewers, plays FROM video_heatmap_seconds
                    UNION ALL SELECT video_id, captured_on, 'GLOBAL', bucket_sec, viewers, plays FROM video_heatmap_seconds) AS s
                GROUP BY 1, 2, 3) AS fine
             FULL JOIN (
                SELECT video_id, captured_on, region, hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays,
                    max(last_sec) AS last_sec
                FROM (SELECT video_id, captured_on, region, last_sec, viewers, plays FROM video_heatmap_whole
                    UNION ALL SELECT video_id, captured_on, region, last_sec, viewers, plays FROM video_heatmap_whole_shards
                    UNION ALL SELECT video_id, captured_on, 'GLOBAL', last_sec, viewers, plays FROM video_heatmap_whole_shards) AS w
                GROUP BY 1, 2, 3) AS whole USING (video_id, captured_on, region)
             WHERE captured_on >= (SELECT fine_from FROM retention)
                AND (fine.viewers IS DISTINCT FROM whole.viewers OR fine.plays IS DISTINCT FROM whole.plays
                    OR fine.last_sec IS DISTINCT FROM whole.last_sec)";
