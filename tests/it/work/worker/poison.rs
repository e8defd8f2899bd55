//! Heartbeats that cannot be folded: set aside, and in nobody's way.

use std::time::Instant;

use heatstrip::work::worker::Step;
use rand::RngExt;

use super::{Bench, Queued, good};
use crate::support::chance;

/// What the bounds keep out, and what nobody thought of: each in a batch with good ones, in front of a good batch.
#[tokio::test]
async fn poison_is_set_aside_and_blocks_nobody() {
    let mut rng = chance();
    // Random, so that compression does not make it fit.
    let long: String = (0..6_000).map(|_| rng.random_range('a'..='z')).collect();
    let with = |change: &dyn Fn(&mut Queued)| {
        let mut beat = good("poison", 7);
        change(&mut beat);
        beat
    };
    let bench = Bench::start().await;
    let poisons = [
        ("a video id too long for the index", with(&|beat| beat.video = long.clone())),
        ("a region too long for the index", with(&|beat| beat.region = long.clone())),
        ("two thousand million seconds", with(&|beat| beat.secs = (0, i32::MAX))),
        ("the last second there is", with(&|beat| beat.secs = (i32::MAX, i32::MAX))),
        ("one second too late", with(&|beat| beat.secs = (86_400, 86_400))),
        ("a second before the first", with(&|beat| beat.secs = (-1, 5))),
        ("the first second there is", with(&|beat| beat.secs = (i32::MIN, i32::MAX))),
        ("an end before the start", with(&|beat| beat.secs = (9, 3))),
        ("a day that no partition can hold", with(&|beat| beat.day = "5874897-12-31".into())),
        ("a day beyond the calendar", with(&|beat| beat.day = "300000-01-01".into())),
        ("the day after all days", with(&|beat| beat.day = "infinity".into())),
        ("the day before all days", with(&|beat| beat.day = "-infinity".into())),
        ("more plays than can be counted", with(&|beat| beat.region = "FULL".into())),
    ];
    bench
        .sql
        .batch_execute(
            "SELECT ensure_shard_partition('2026-11-21');
             INSERT INTO video_heatmap_shards
             VALUES ('poison', '2026-11-21', 'FULL', 0, 12, hll_empty(12, 5, -1, 1), 9223372036854775807)",
        )
        .await
        .expect("a row that can count no further");
    for (lane, (name, poison)) in (0i16..).zip(&poisons) {
        bench.queue(lane, &[good(name, 1), poison.clone(), good(name, 2), good(name, 2)]).await;
        bench.queue(lane, &[good(name, 3)]).await;
    }
    bench.run_once().await;
    assert_eq!(bench.queued().await, 0);
    for (name, _) in &poisons {
        assert_eq!(bench.counted(name).await, (40, 3), "the good ones beside {name}");
    }
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, poisons.len() as i64);
    let unlike = "SELECT count(*) FROM heartbeat_queue_failed
                  WHERE viewer_hash <> 7 OR reason = '' OR failed_at <> '2026-11-21T10:00:00Z'";
    assert_eq!(bench.count(unlike).await, 0);
}

/// The window that fails is not folded again for each batch in front of the poison.
#[tokio::test]
async fn poison_behind_a_long_backlog_costs_little() {
    let bench = Bench::start().await;
    for number in 0..1_000 {
        bench.queue(5, &[good("backlog", number % 300), good("backlog", 299)]).await;
    }
    let mut poison = good("poison", 7);
    poison.secs = (0, i32::MAX);
    bench.queue(5, &[poison]).await;
    let (mut steps, started) = (0, Instant::now());
    while bench.step().await != Step::Idle {
        steps += 1;
    }
    println!("{steps} steps in {:?}", started.elapsed());
    assert_eq!(bench.counted("backlog").await, (20_000, 300));
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, 1);
    assert!(steps < 100, "{steps} steps for 1,001 batches");
}

/// Rows that the driver refuses to decode, by whoever writes to the queue besides us.
#[tokio::test]
async fn rows_that_cannot_be_read_lose_only_what_is_unreadable() {
    let bench = Bench::start().await;
    for (lane, change) in [
        (0, "video_id[2] = NULL"),
        (1, "region[2] = NULL"),
        (2, "captured_on[2] = NULL"),
        (3, "start_sec[2] = NULL"),
        (4, "end_sec[2] = NULL"),
        (5, "viewer_hash[2] = NULL"),
        // Another shape of the same heartbeats.
        (6, "start_sec = ARRAY[start_sec]"),
        (
            7,
            "heartbeats = 1, video_id = ARRAY[NULL], region = '{JP}', captured_on = '{2026-11-21}', start_sec = '{0}', \
             end_sec = '{0}', viewer_hash = '{1}'",
        ),
    ] {
        bench.queue(lane, &[good("readable", 1), good("readable", 2), good("readable", 3)]).await;
        let update = format!("UPDATE heartbeat_queue SET {change} WHERE lane = {lane}");
        assert_eq!(bench.sql.execute(&update, &[]).await.expect("a change"), 1);
        bench.queue(lane, &[good("readable", 4)]).await;
    }
    // 8 lanes of 3 and 1, of which one is reduced to a single heartbeat.
    assert_eq!(bench.run_once().await, 8 * 4 - 2);
    assert_eq!(bench.queued().await, 0);
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, 7);
    assert_eq!(bench.counted("readable").await, ((8 * 4 - 2 - 7) * 10, 4));
}
