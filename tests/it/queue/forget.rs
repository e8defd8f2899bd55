//! A video that is forgotten is also taken out of rows that nobody can read.

use heatstrip::{
    events::{lane::lane, part::Part},
    postgres::Store,
    work::forget::forget,
};
use tokio_postgres::Client;

use crate::support::database;

async fn count(sql: &Client, table: &str) -> i64 {
    sql.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.expect("a count").get(0)
}

#[tokio::test]
async fn rows_that_nobody_can_read_do_not_keep_a_forgotten_video() {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let sql = database.connect().await;
    let lane = lane("secret-video", store.lanes());
    // The kind of an entry that no version knows, and a name behind it.
    for name in ["secret-video", "other-video"] {
        let payload = [&[0xff, name.len() as u8], name.as_bytes()].concat();
        sql.execute(
            "INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, watched_secs, payload)
             VALUES ($1, '2026-11-21', 3, 30, $2)",
            &[&(lane as i16), &payload],
        )
        .await
        .expect("a row that nobody can read");
        sql.execute(
            "INSERT INTO heartbeat_queue_failed (failed_at, reason, payload) VALUES ('2026-11-21', 'unreadable', $1)",
            &[&payload],
        )
        .await
        .expect("one that was set aside");
    }
    let forgotten = forget(&store, "secret-video", lane, &Part::default()).await.expect("forgotten");
    assert_eq!((forgotten.heartbeats.queued, forgotten.heartbeats.failed), (3, 1));
    assert_eq!((count(&sql, "heartbeat_queue").await, count(&sql, "heartbeat_queue_failed").await), (1, 1));
    let left =
        "(SELECT payload FROM heartbeat_queue UNION ALL SELECT payload FROM heartbeat_queue_failed) AS rows
        WHERE position('secret-video'::bytea IN payload) > 0";
    assert_eq!(count(&sql, left).await, 0);
}

/// Heartbeats that were set aside are cut as those of the tables are, and views have no seconds.
#[tokio::test]
async fn what_was_set_aside_is_forgotten_in_part() {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let sql = database.connect().await;
    sql.batch_execute(
        "INSERT INTO heartbeat_queue_failed (failed_at, reason, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
         VALUES ('2026-11-21', 'a fault', 'v', 'JP', '2026-11-21', 0, 9, 1), ('2026-11-21', 'a fault', 'v', 'JP', '2026-11-21', 5, 20, 2),
            ('2026-11-21', 'a fault', 'v', 'JP', '2026-11-21', 15, 20, 3), ('2026-11-21', 'a fault', 'v', 'KR', '2026-11-21', 15, 20, 4),
            ('2026-11-21', 'a fault', 'v', 'JP', '2026-11-20', 15, 20, 5), ('2026-11-21', 'a fault', 'w', 'JP', '2026-11-21', 15, 20, 6),
            ('2026-11-21', 'a fault', 'v', 'JP', '2026-11-21', NULL, NULL, 7)",
    )
    .await
    .expect("rows that were set aside");
    let lane = lane("v", store.lanes());
    let part = Part {
        day: Some("2026-11-21".parse().expect("a day")),
        region: Some("JP".parse().expect("a region")),
        after_sec: Some(9),
    };
    assert_eq!(forget(&store, "v", lane, &part).await.expect("forgotten").heartbeats.failed, 2);
    let rows = sql
        .query("SELECT viewer_hash, end_sec FROM heartbeat_queue_failed ORDER BY 1", &[])
        .await
        .expect("the rows");
    let left: Vec<(i64, Option<i32>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let kept = [(1, Some(9)), (2, Some(9)), (4, Some(20)), (5, Some(20)), (6, Some(20)), (7, None)];
    assert_eq!(left, kept);
    let views = Part { after_sec: None, ..part };
    assert_eq!(forget(&store, "v", lane, &views).await.expect("forgotten").heartbeats.failed, 3);
}
