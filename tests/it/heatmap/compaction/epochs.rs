//! The counts of closed epochs, which stand for their rows as long as all of these are seconds.

use heatstrip::viewers::{epoch::Rotation, salt::SaltSource};

use super::*;

/// From the start of a block that is going to be seconds.
async fn mark_spread(sql: &Client, video: &str, on: &str) {
    sql.batch_execute(&format!(
        "SELECT ensure_canonical_partition('{on}'); INSERT INTO video_heatmap_spread VALUES ('{video}', '{on}', 0)"
    ))
    .await
    .expect("a mark");
}

#[tokio::test]
async fn counts_stand_for_their_rows_until_something_comes_late() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let beat = |viewer: &str| json!([{"video_id": "v", "region": "JP", "start_sec": 0, "end_sec": 19, "viewer_id": viewer, "at": "2026-11-20T12:00:00Z"}]);
    send(&app, beat("w").as_array().expect("an array")).await;
    app.fold().await;
    mark_spread(&sql, "v", YESTERDAY).await;
    let keep = nightly::Keep::default();
    nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ()).await.expect("a night");
    // Only a count that is wrong can be told from its rows.
    sql.batch_execute("UPDATE video_heatmap_counts SET viewers[1] = 7").await.expect("an update");
    let peak =
        async |question: &str| app.json(&format!("/v1/videos/v/heatmap?{question}")).await["peak"].clone();
    for question in
        ["resolution=1", "resolution=5", "resolution=60", "region=JP", "from=2026-11-20&to=2026-11-20"]
    {
        assert_eq!(peak(question).await, 7, "{question}");
    }
    for question in ["resolution=10", "resolution=3600", "region=JP,KR"] {
        assert_eq!(peak(question).await, 1, "{question}");
    }
    send(&app, beat("x").as_array().expect("an array")).await;
    app.fold().await;
    assert_eq!(peak("resolution=5").await, 2, "what waits in the shards is not counted yet");
    compaction::run(&app.store, day(YESTERDAY), |_| ()).await.expect("a compaction");
    assert_eq!(peak("resolution=5").await, 2, "what was counted before is not any more");
    nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ()).await.expect("a night");
    assert_eq!(count(&sql, "video_heatmap_counts").await, 3 * 2);
    assert_eq!(peak("resolution=5").await, 2);
}

/// An epoch of a week whose days have different forms is counted once all of it is seconds.
#[tokio::test]
async fn an_epoch_of_mixed_forms_is_not_counted() {
    let week = Settings { salts: SaltSource::Made(Rotation::Weekly), ..Settings::default() };
    let app = App::start(week).await;
    let sql = client(&app).await;
    let beat = |on: &str, viewer: &str| json!([{"video_id": "v", "region": "JP", "start_sec": 3, "end_sec": 29, "viewer_id": viewer, "at": format!("{on}T09:00:00Z")}]);
    for on in ["2026-11-20", "2026-11-21"] {
        for viewer in ["w", "x"] {
            send(&app, beat(on, viewer).as_array().expect("an array")).await;
        }
    }
    app.fold().await;
    mark_spread(&sql, "v", "2026-11-20").await;
    // The week ends with Sunday, the 22nd.
    app.clock.set("2026-11-23T10:00:00Z".parse().expect("an instant"));
    let strip = async || app.json("/v1/videos/v/heatmap?resolution=5").await["buckets"].clone();
    let night = async || {
        nightly::run(&app.store, &app.clock, day("2026-11-22"), nightly::Keep::default(), |_| ())
            .await
            .expect("a night")
    };
    let before = strip().await;
    night().await;
    assert_eq!(
        (forms(&sql).await[..3].to_vec(), count(&sql, "video_heatmap_counts").await),
        (vec![1, 1, 54], 0)
    );
    assert_eq!(strip().await, before);

    // The other day becomes seconds too.
    sql.batch_execute(
        "WITH moved AS (DELETE FROM video_heatmap_runs RETURNING *)
         INSERT INTO video_heatmap_shards SELECT * FROM moved",
    )
    .await
    .expect_err("its partition is dropped");
    sql.batch_execute(
        "SELECT ensure_shard_partition('2026-11-21');
         WITH moved AS (DELETE FROM video_heatmap_runs RETURNING *)
         INSERT INTO video_heatmap_shards SELECT * FROM moved",
    )
    .await
    .expect("back to the shards");
    mark_spread(&sql, "v", "2026-11-21").await;
    assert_eq!(strip().await, before);
    night().await;
    assert_eq!(count(&sql, "video_heatmap_counts").await, 3 * 2);
    assert_eq!(strip().await, before);

    // What comes late in another block of the epoch stays a run: the counts go, and do not come again.
    let late = json!([{"video_id": "v", "region": "JP", "start_sec": 3_700, "end_sec": 3_709, "viewer_id": "y", "at": "2026-11-21T12:00:00Z"}]);
    send(&app, late.as_array().expect("an array")).await;
    app.fold().await;
    let before = strip().await;
    for _ in 0..2 {
        night().await;
        assert_eq!((forms(&sql).await[1], count(&sql, "video_heatmap_counts").await), (1, 0));
        assert_eq!(strip().await, before);
    }
}
