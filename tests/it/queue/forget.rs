//! A video that is forgotten is also taken out of rows that nobody can read.

use heatstrip::{events::lane::lane, postgres::Store, work::forget::forget};
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
    let forgotten = forget(&store, "secret-video", lane, None).await.expect("forgotten");
    assert_eq!((forgotten.heartbeats.queued, forgotten.heartbeats.failed), (3, 1));
    assert_eq!((count(&sql, "heartbeat_queue").await, count(&sql, "heartbeat_queue_failed").await), (1, 1));
    let left =
        "(SELECT payload FROM heartbeat_queue UNION ALL SELECT payload FROM heartbeat_queue_failed) AS rows
        WHERE position('secret-video'::bytea IN payload) > 0";
    assert_eq!(count(&sql, left).await, 0);
}
