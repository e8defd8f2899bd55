//! The two canonical forms of a block, and the switch from one to the other.

use super::*;
use crate::heatmap::{forms::to_earlier_form, levels::assert_seconds_agree};

/// Every second of every region and day, in whatever form, united and added by the extension.
async fn seconds(sql: &Client) -> Vec<(String, String, NaiveDate, i32, Vec<u8>, i64)> {
    let rows = sql
        .query(
            "SELECT video_id, region, captured_on, bucket_sec, hll_send(hll_union_agg(viewers)), sum(plays)::bigint
             FROM video_heatmap_seconds GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            &[],
        )
        .await
        .expect("seconds");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5))).collect()
}

/// Shard runs of yesterday in one block, each with a viewer of its own, one behind the other in each region.
async fn append(sql: &Client, video: &str, runs: i32, secs: i32, regions: i32) {
    sql.batch_execute(&format!(
        "SELECT ensure_shard_partition('2026-11-20');
         INSERT INTO video_heatmap_shards
            SELECT '{video}', '2026-11-20', 'R' || n % {regions}, n / {regions} * {secs}, (n / {regions} + 1) * {secs} - 1,
                hll_add(hll_empty(12, 5), hll_hash_bigint(n)), 1
            FROM generate_series(0, {runs} - 1) n"
    ))
    .await
    .expect("shard runs");
}

async fn compact(app: &App) {
    compaction::run(&app.store, day(YESTERDAY), |_| ()).await.expect("a compaction");
}

async fn spread_videos(sql: &Client) -> Vec<String> {
    let rows = sql.query("SELECT video_id FROM video_heatmap_spread ORDER BY 1", &[]).await.expect("blocks");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_block_with_more_than_500_short_runs_is_spread() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    append(&sql, "few", 500, 7, 1).await;
    append(&sql, "many", 501, 7, 1).await;
    append(&sql, "over regions", 501, 7, 9).await;
    append(&sql, "long", 501, 8, 2).await;
    let before = seconds(&sql).await;
    compact(&app).await;
    assert!(seconds(&sql).await == before);
    assert_eq!(spread_videos(&sql).await, ["many", "over regions"]);
    assert_seconds_agree(&sql).await;

    // One more comes later.
    append(&sql, "few", 1, 3, 1).await;
    let before = seconds(&sql).await;
    compact(&app).await;
    assert!(seconds(&sql).await == before);
    assert_eq!(spread_videos(&sql).await, ["few", "many", "over regions"]);
    assert_eq!(count(&sql, "video_heatmap_runs WHERE video_id <> 'long'").await, 0);
    assert_seconds_agree(&sql).await;
}

/// Sketches of every kind meet in every form, shard runs and rows of the earlier form, over and over.
#[tokio::test]
async fn every_second_is_bit_for_bit_what_the_extension_makes_of_it() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(31);
    for round in 0..6 {
        for (video, secs, most) in [("sparse", 300, 30), ("popular", 500, 5)] {
            for _ in 0..if video == "popular" { 120 } else { 25 } {
                let (start, region) = (random.random_range(0..secs), random.random_range(0..3));
                let (end, viewers) =
                    (start + random.random_range(0..most), [1, 3, 40, 330, 2_500][random.random_range(0..5)]);
                let first = random.random_range(0..4_000);
                sql.batch_execute(&format!(
                    "SELECT ensure_shard_partition('2026-11-20');
                     INSERT INTO video_heatmap_shards
                        SELECT '{video}', '2026-11-20', 'R{region}', {start}, {end},
                            hll_add_agg(hll_hash_bigint({first} + v), 12, 5, -1, 1), {viewers}
                        FROM generate_series(1, {viewers}) v"
                ))
                .await
                .expect("a shard run");
            }
        }
        if round % 2 == 1 {
            to_earlier_form(&sql, YESTERDAY, "R1").await;
        }
        let before = seconds(&sql).await;
        compact(&app).await;
        assert!(seconds(&sql).await == before, "round {round}");
    }
    assert_eq!(spread_videos(&sql).await, ["popular"]);
    assert!(count(&sql, "video_heatmap_runs WHERE video_id = 'sparse'").await > 0);
    assert_seconds_agree(&sql).await;
}

/// Days that are not kept by the second: runs stay, and what is spread has 5 s at the finest.
#[tokio::test]
async fn what_is_spread_after_thinning_has_no_seconds() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let paths = ["popular", "tail", "long"].map(|video| {
        ["5", "60", "3600"]
            .map(|resolution| format!("/v1/videos/{video}/heatmap?to={YESTERDAY}&resolution={resolution}"))
    });
    let answers = async || {
        let mut answers = Vec::new();
        for path in paths.iter().flatten() {
            answers.push(app.json(path).await["buckets"].clone());
        }
        answers
    };
    let mut random = StdRng::seed_from_u64(32);
    send(&app, &heartbeats(&mut random, 100)).await;
    app.fold().await;
    let keep = nightly::Keep { fine_days: Some(0), ..nightly::Keep::default() };
    let before = answers().await;
    let night = nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ()).await.expect("a night");
    assert_eq!(answers().await, before);
    assert_eq!((night.thinned_rows, &forms(&sql).await[..1]), (0, &[0][..]), "runs stay as they are");
    assert!(count(&sql, "video_heatmap_runs WHERE captured_on = '2026-11-20'").await > 0);

    // It becomes popular by what comes late, and then more comes.
    for round in 0..2 {
        send(&app, &heartbeats(&mut random, 3_000)).await;
        app.fold().await;
        let before = answers().await;
        let night =
            nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ()).await.expect("a night");
        assert_eq!(answers().await, before, "round {round}");
        assert_eq!((night.thinned_rows, &forms(&sql).await[..1]), (0, &[1][..]), "round {round}");
        assert_eq!(count(&sql, "video_heatmap").await, 0);
        assert!(count(&sql, "video_heatmap_5s").await > 0 && count(&sql, "video_heatmap_60s").await > 0);
    }
}
