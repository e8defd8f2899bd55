//! How much a step claims.

use heatstrip::work::worker::Step;

use super::{Bench, good};

#[tokio::test]
async fn a_window_is_bounded() {
    let bench = Bench::start().await;
    let backlog = |lane: i16, rows: i32, heartbeats: i32| {
        format!(
            "INSERT INTO heartbeat_queue
                 (lane, enqueued_at, heartbeats, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
             SELECT {lane}, '2026-11-21', {heartbeats}, array_fill('lane {lane}'::text, d), array_fill('JP'::text, d),
                 array_fill(date '2026-11-21', d), array_fill(row % 40, d), array_fill(row % 40, d), array_fill(row::bigint % 9, d)
             FROM generate_series(1, {rows}) AS row, (VALUES (ARRAY[{heartbeats}])) AS dimensions (d)"
        )
    };
    // By heartbeats, by rows, and a single row larger than any window; in the form of an earlier version, which is as well.
    for (lane, rows, heartbeats, first_steps) in [
        (1, 130, 999, vec![101 * 999, 29 * 999]),
        (2, 20_500, 1, vec![20_000, 500]),
        (3, 2, 120_000, vec![120_000, 120_000]),
    ] {
        bench.sql.batch_execute(&backlog(lane, rows, heartbeats)).await.expect("a backlog");
        for expected in first_steps {
            let step = bench.step().await;
            assert!(
                matches!(step, Step::Folded { heartbeats, failed: 0, .. } if heartbeats == expected),
                "{step:?} instead of {expected}"
            );
        }
        assert_eq!(bench.step().await, Step::Idle);
        assert_eq!(bench.counted(&format!("lane {lane}")).await.0, i64::from(rows) * i64::from(heartbeats));
    }
}

/// A window of long heartbeats makes as many runs and as long ones as a far larger window of short ones.
#[tokio::test]
async fn a_window_is_bounded_in_seconds_too() {
    let bench = Bench::start().await;
    let long: Vec<_> = (0..1_000)
        .map(|viewer| {
            let mut beat = good("long", viewer);
            beat.secs = (0, 599);
            beat
        })
        .collect();
    for _ in 0..15 {
        bench.queue(3, &long).await;
    }
    // 600,000 seconds a row: the 14th begins below 8,000,000, the 15th does not.
    assert!(matches!(bench.step().await, Step::Folded { heartbeats: 14_000, .. }));
    assert!(matches!(bench.step().await, Step::Folded { heartbeats: 1_000, .. }));
    assert_eq!(bench.counted("long").await.0, 15 * 600_000);
}
