//! Heartbeats that cannot be folded: set aside, and in nobody's way.

use std::time::Instant;

use heatstrip::work::worker::Step;

use super::{Bench, Queued, good};

/// What the bounds keep out, and what nobody thought of: each in a batch with good ones, in front of a good batch, in the
/// form of this version and in that of an earlier one.
#[tokio::test]
async fn poison_is_set_aside_and_blocks_nobody() {
    let with = |change: &dyn Fn(&mut Queued)| {
        let mut beat = good("poison", 7);
        change(&mut beat);
        beat
    };
    let bench = Bench::start().await;
    let poisons = [
        ("two thousand million seconds", with(&|beat| beat.secs = (0, i32::MAX))),
        ("the last second there is", with(&|beat| beat.secs = (i32::MAX, i32::MAX))),
        ("one second too late", with(&|beat| beat.secs = (86_400, 86_400))),
        ("a second before the first", with(&|beat| beat.secs = (-1, 5))),
        ("the first second there is", with(&|beat| beat.secs = (i32::MIN, i32::MAX))),
        ("an end before the start", with(&|beat| beat.secs = (9, 3))),
        ("more plays than can be counted", with(&|beat| beat.region = "FULL".into())),
    ];
    bench
        .sql
        .batch_execute(
            "SELECT ensure_shard_partition('2026-11-21');
             INSERT INTO video_heatmap_whole_shards
             VALUES ('poison', '2026-11-21', 'FULL', 0, hll_empty(12, 5, -1, 1), 9223372036854775807)",
        )
        .await
        .expect("a row that can count no further");
    let mut set_aside = 0;
    for (lane, (name, poison)) in (0i16..).zip(&poisons) {
        let batch = [good(name, 1), poison.clone(), good(name, 2), good(name, 2)];
        bench.queue_earlier(lane, &batch).await;
        bench.queue(lane, &[good(name, 3)]).await;
        set_aside += 1;
        bench.queue(lane, &batch).await;
        set_aside += 1;
    }
    bench.run_once().await;
    assert_eq!(bench.queued().await, 0);
    for (name, _) in &poisons {
        assert_eq!(bench.counted(name).await, (70, 3), "the good ones beside {name}");
    }
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, set_aside);
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

/// Rows that nobody can read, by whoever writes to the queue besides us: they are kept as they are, in nobody's way.
#[tokio::test]
async fn rows_that_cannot_be_read_are_set_aside_whole() {
    let bench = Bench::start().await;
    for (lane, change) in
        [(0, "payload = substr(payload, 2)"), (1, "payload = payload || '\\x01'"), (2, "payload = '\\x'")]
    {
        bench.queue(lane, &[good("readable", 1), good("readable", 2)]).await;
        let update = format!("UPDATE heartbeat_queue SET {change} WHERE lane = {lane}");
        assert_eq!(bench.sql.execute(&update, &[]).await.expect("a change"), 1);
        bench.queue(lane, &[good("readable", 4)]).await;
    }
    for (lane, change) in [
        (4, "video_id[2] = NULL"),
        (5, "captured_on[2] = 'infinity'"),
        (6, "viewer_hash[2] = NULL"),
        // Another shape of the same heartbeats.
        (7, "start_sec = ARRAY[start_sec]"),
        (8, "video_id[2] = repeat('x', 6000)"),
    ] {
        bench.queue_earlier(lane, &[good("readable", 1), good("readable", 2)]).await;
        let update = format!("UPDATE heartbeat_queue SET {change} WHERE lane = {lane}");
        assert_eq!(bench.sql.execute(&update, &[]).await.expect("a change"), 1);
        bench.queue(lane, &[good("readable", 4)]).await;
    }
    // What arrival refuses and no table can hold: a NUL in a name, and a day before all days that partitions are named after.
    let (mut named, mut ancient) = (good("readable", 1), good("readable", 1));
    named.video.push('\0');
    ancient.day = "-0044-03-15".into();
    for (lane, poison) in [(9, named), (10, ancient)] {
        bench.queue(lane, &[good("readable", 1), poison]).await;
        bench.queue(lane, &[good("readable", 4)]).await;
    }
    bench.run_once().await;
    assert_eq!(bench.queued().await, 0);
    assert_eq!(bench.counted("readable").await, (100, 1));
    assert_eq!(
        bench.count("SELECT count(*) FROM heartbeat_queue_failed WHERE payload IS NOT NULL").await,
        10
    );
}

/// A row that nobody can read counts as all the heartbeats that it says to hold, or the metric would tell of one.
#[tokio::test]
async fn a_row_that_is_set_aside_counts_all_it_holds() {
    let bench = Bench::start().await;
    bench.queue(3, &[good("gone", 1), good("gone", 2), good("gone", 3)]).await;
    bench.sql.execute("UPDATE heartbeat_queue SET payload = '\\xff'", &[]).await.expect("it is damaged");
    assert_eq!(bench.step().await, Step::Folded { heartbeats: 3, rows: 0, failed: 3 });
    assert_eq!(bench.queued().await, 0);
}

/// An old worker that still runs beside the new schema fails on what is not there any more, and its claim is undone.
#[tokio::test]
async fn a_worker_of_an_earlier_version_leaves_the_queue_alone() {
    let mut bench = Bench::start().await;
    bench.queue(3, &[good("kept", 1)]).await;
    let tx = bench.sql.transaction().await.expect("a transaction");
    let claimed = tx
        .query("DELETE FROM heartbeat_queue WHERE lane = 3 RETURNING video_id", &[])
        .await
        .expect("what it claims with");
    assert_eq!(claimed.len(), 1);
    let upsert = "INSERT INTO video_heatmap_whole_shards (video_id, captured_on, region, shard, last_sec, viewers, plays)
                  SELECT 'kept', '2026-11-21', 'JP', 3, 9, hll_empty(12, 5, -1, 1), 10";
    let error = tx.execute(upsert, &[]).await.expect_err("the column is gone");
    assert!(error.as_db_error().expect("the server's word").message().contains("shard"), "{error:?}");
    tx.rollback().await.expect("undone");
    assert_eq!(bench.run_once().await, 1);
    assert_eq!(bench.counted("kept").await, (10, 1));
}
