//! The worker against poison, rivals, kills and large windows: nothing lost, nothing counted twice, nobody blocked.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use heatstrip::{
    clock::Clock,
    store::{Store, sql},
    worker::{self, Step},
};
use rand::RngExt;
use tokio_postgres::Client;

use crate::support::{TestDatabase, chance, database};

/// How long anything that must happen may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A heartbeat as it stands in the queue; the day and the ids are texts that SQL reads, so that they may be anything.
#[derive(Clone)]
struct Queued {
    video: String,
    region: String,
    day: String,
    secs: (i32, i32),
    viewer: i64,
}

fn good(video: &str, viewer: i64) -> Queued {
    Queued { video: video.into(), region: "JP".into(), day: "2026-11-21".into(), secs: (0, 9), viewer }
}

struct Bench {
    database: TestDatabase,
    sql: Client,
    store: Store,
    clock: Clock,
}

impl Bench {
    async fn start() -> Bench {
        Bench::start_with("").await
    }

    /// With options that every session of the store gets.
    async fn start_with(options: &str) -> Bench {
        let database = database().await;
        let url = format!("{}&options={options}", database.url);
        Bench {
            sql: database.connect().await,
            store: Store::connect(&url, 12).await.expect("a store"),
            clock: Clock::by_hand("2026-11-21T10:00:00Z".parse().expect("an instant")),
            database,
        }
    }

    /// Adds a row to the queue.
    async fn queue(&self, lane: i16, beats: &[Queued]) {
        let insert = "
            INSERT INTO heartbeat_queue
                (lane, enqueued_at, heartbeats, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
            VALUES ($1, '2026-11-21', cardinality($2::text[]), $2, $3, $4::text[]::date[], $5, $6, $7)";
        let column =
            |of: fn(&Queued) -> &str| beats.iter().map(|beat| of(beat).to_owned()).collect::<Vec<_>>();
        let starts: Vec<i32> = beats.iter().map(|beat| beat.secs.0).collect();
        let ends: Vec<i32> = beats.iter().map(|beat| beat.secs.1).collect();
        let viewers: Vec<i64> = beats.iter().map(|beat| beat.viewer).collect();
        self.sql
            .execute(
                insert,
                &[
                    &lane,
                    &column(|beat| &beat.video),
                    &column(|beat| &beat.region),
                    &column(|beat| &beat.day),
                    &starts,
                    &ends,
                    &viewers,
                ],
            )
            .await
            .expect("a queue row");
    }

    async fn step(&self) -> Step {
        worker::step(&self.store, &self.clock).await.expect("a step")
    }

    async fn run_once(&self) -> u64 {
        tokio::time::timeout(DEADLINE, worker::run_once(&self.store, &self.clock))
            .await
            .expect("the queue is folded in time")
            .expect("the queue is folded")
    }

    async fn count(&self, query: &str) -> i64 {
        self.sql.query_one(query, &[]).await.expect("a count").get(0)
    }

    async fn queued(&self) -> i64 {
        self.count("SELECT coalesce(sum(heartbeats), 0)::bigint FROM heartbeat_queue").await
    }

    /// The plays of a video, and its distinct viewers.
    async fn counted(&self, video: &str) -> (i64, i64) {
        let row = self
            .sql
            .query_one(
                "SELECT coalesce(sum(plays), 0)::bigint, coalesce(hll_cardinality(hll_union_agg(viewers)), 0)::bigint
                 FROM video_heatmap_shards WHERE video_id = $1",
                &[&video],
            )
            .await
            .expect("counts");
        (row.get(0), row.get(1))
    }

    /// Waits until as many sessions of the store wait for a lock, and returns the first one's process.
    async fn blocked(&self, sessions: i64) -> i32 {
        let query = "SELECT count(*), min(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'heatstrip'";
        let started = Instant::now();
        loop {
            let row = self.sql.query_one(query, &[]).await.expect("the activity");
            if row.get::<_, i64>(0) == sessions {
                return row.get(1);
            }
            assert!(started.elapsed() < DEADLINE, "nobody waits for the lock");
        }
    }
}

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

#[tokio::test]
async fn any_day_of_the_calendar_has_a_partition() {
    let bench = Bench::start().await;
    let days = ["0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31"];
    for day in days {
        let mut beat = good("far", 1);
        beat.day = day.into();
        bench.queue(0, &[beat]).await;
    }
    assert_eq!(bench.run_once().await, 4);
    assert_eq!(bench.counted("far").await, (40, 1));
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, 0);
}

#[tokio::test]
async fn run_once_waits_for_what_somebody_else_holds() {
    let bench = Bench::start().await;
    let other = bench.database.connect().await;
    for (end, folded_here) in [("ROLLBACK", 3), ("COMMIT", 2)] {
        bench.queue(5, &[good("held", 1)]).await;
        bench.queue(6, &[good("free", 1)]).await;
        bench.queue(7, &[good("free", 2)]).await;
        other.batch_execute("BEGIN").await.expect("a transaction");
        let claimed = other.query(sql::CLAIM_BATCHES, &[&5i16, &100i64, &100i64]).await.expect("a claim");
        assert_eq!(claimed.len(), 1);
        let (store, clock) = (bench.store.clone(), bench.clock.clone());
        let mut once = tokio::spawn(async move { worker::run_once(&store, &clock).await });
        assert!(
            tokio::time::timeout(Duration::from_millis(700), &mut once).await.is_err(),
            "it returned before the batch was folded"
        );
        assert_eq!(bench.queued().await, 1, "the others are not kept waiting");
        other.batch_execute(end).await.expect("released");
        let folded = tokio::time::timeout(DEADLINE, once).await.expect("in time").expect("no panic");
        assert_eq!(folded.expect("folded"), folded_here, "{end}");
        assert_eq!(bench.queued().await, 0);
    }
    assert_eq!(bench.counted("held").await, (10, 1));
}

#[tokio::test]
async fn run_once_does_not_wait_for_what_came_later() {
    let bench = Bench::start().await;
    let other = bench.database.connect().await;
    bench.queue(5, &[good("held", 1)]).await;
    other.batch_execute("BEGIN").await.expect("a transaction");
    other.query(sql::CLAIM_BATCHES, &[&5i16, &100i64, &100i64]).await.expect("a claim");
    let (store, clock) = (bench.store.clone(), bench.clock.clone());
    let mut once = tokio::spawn(async move { worker::run_once(&store, &clock).await });
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut once).await.is_err());
    // Queued after its start, and held for good.
    bench.queue(6, &[good("later", 1)]).await;
    let third = bench.database.connect().await;
    third.batch_execute("SELECT pg_advisory_lock(hashtext('heatstrip lane'), 6)").await.expect("a lane lock");
    other.batch_execute("COMMIT").await.expect("released");
    tokio::time::timeout(DEADLINE, once)
        .await
        .expect("it does not wait for the later one")
        .expect("no panic")
        .expect("folded");
}

#[tokio::test]
async fn a_locked_lane_is_passed_over() {
    let bench = Bench::start().await;
    let other = bench.database.connect().await;
    other
        .batch_execute("SELECT pg_advisory_lock(hashtext('heatstrip lane'), 5)")
        .await
        .expect("the lane lock");
    bench.queue(5, &[good("locked", 1)]).await;
    bench.queue(6, &[good("free", 1)]).await;
    let folded = |heartbeats| Step::Folded {
        heartbeats,
        // Its seconds and its whole video.
        rows: 10 + 1,
        failed: 0,
    };
    assert_eq!(bench.step().await, folded(1));
    assert_eq!(bench.counted("free").await, (10, 1));
    assert_eq!(bench.step().await, Step::Idle);
    assert_eq!(bench.queued().await, 1);
    other.batch_execute("SELECT pg_advisory_unlock(hashtext('heatstrip lane'), 5)").await.expect("unlocked");
    assert_eq!(bench.step().await, folded(1));
    assert_eq!(bench.step().await, Step::Idle);
    assert_eq!(bench.counted("locked").await, (10, 1));
}

/// A bench whose workers all get every lane lock: a function of the same name stands in front of the built-in one.
async fn without_lane_locks() -> Bench {
    let bench = Bench::start_with("-c%20search_path%3Dpublic,pg_catalog").await;
    bench
        .sql
        .batch_execute(
            "CREATE FUNCTION public.pg_try_advisory_xact_lock(integer, integer) RETURNS boolean
             LANGUAGE sql AS 'SELECT true'",
        )
        .await
        .expect("a lock that keeps nobody out");
    let other = bench.database.connect().await;
    other
        .batch_execute("SELECT pg_advisory_lock(hashtext('heatstrip lane'), 5)")
        .await
        .expect("the lane lock");
    bench.queue(5, &[good("trial", 1)]).await;
    assert!(matches!(bench.step().await, Step::Folded { .. }), "the lane lock is bypassed");
    bench
}

#[tokio::test]
async fn without_the_lane_lock_a_lane_is_shared_and_nobody_waits() {
    let bench = without_lane_locks().await;
    let other = bench.database.connect().await;
    for viewer in 0..5 {
        bench.queue(5, &[good("shared", viewer)]).await;
    }
    other.batch_execute("BEGIN").await.expect("a transaction");
    let claimed = other.query(sql::CLAIM_BATCHES, &[&5i16, &100i64, &2i64]).await.expect("a claim");
    assert_eq!(claimed.len(), 2);
    let step = tokio::time::timeout(DEADLINE, bench.step()).await.expect("it does not wait");
    assert!(matches!(step, Step::Folded { heartbeats: 3, .. }), "{step:?}");
    assert_eq!(bench.step().await, Step::Idle);
    other.batch_execute("ROLLBACK").await.expect("rolled back");
    assert_eq!(bench.run_once().await, 2);
    assert_eq!(bench.counted("shared").await, (50, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_lane_lock_rivals_count_each_batch_once() {
    let bench = without_lane_locks().await;
    let mut rng = chance();
    let mut plays = 0;
    for _ in 0..5 {
        for _ in 0..60 {
            // Keys that all of them write to, met in any order.
            let beats: Vec<Queued> = (0..rng.random_range(1..20))
                .map(|_| {
                    let mut beat = good(["one", "two"][rng.random_range(0..2)], rng.random_range(0..100));
                    beat.secs.1 = rng.random_range(0..30);
                    plays += i64::from(beat.secs.1) + 1;
                    beat
                })
                .collect();
            bench.queue(5, &beats).await;
        }
        let rivals = (0..4).map(|_| {
            let (store, clock) = (bench.store.clone(), bench.clock.clone());
            tokio::spawn(async move { worker::run_once(&store, &clock).await.expect("folded") })
        });
        for rival in join_all(rivals).await {
            rival.expect("no panic");
        }
        assert_eq!(bench.queued().await, 0);
        let (one, two) = (bench.counted("one").await.0, bench.counted("two").await.0);
        assert_eq!(one + two, plays);
    }
}

/// Stops a step between its claim and its commit: the table it writes to is locked.
async fn stopped_step(bench: &Bench, other: &Client) -> (i32, tokio::task::JoinHandle<Result<Step, String>>) {
    other.batch_execute("BEGIN; LOCK TABLE video_heatmap_shards IN SHARE MODE").await.expect("a lock");
    let (store, clock) = (bench.store.clone(), bench.clock.clone());
    let step =
        tokio::spawn(async move { worker::step(&store, &clock).await.map_err(|error| error.to_string()) });
    (bench.blocked(1).await, step)
}

#[tokio::test]
async fn a_step_whose_session_is_killed_leaves_all_in_the_queue() {
    let bench = Bench::start().await;
    let other = bench.database.connect().await;
    bench.queue(5, &[good("killed", 1)]).await;
    bench.run_once().await;
    bench.queue(5, &[good("killed", 1), good("killed", 2)]).await;
    bench.queue(5, &[good("killed", 3)]).await;
    let (pid, step) = stopped_step(&bench, &other).await;
    bench.sql.query_one("SELECT pg_terminate_backend($1)", &[&pid]).await.expect("killed");
    let error = step.await.expect("no panic").expect_err("the step fails");
    assert!(error.contains("not reachable"), "{error}");
    assert_eq!(bench.queued().await, 3);
    other.batch_execute("ROLLBACK").await.expect("the lock is released");
    assert_eq!(bench.run_once().await, 3);
    assert_eq!(bench.counted("killed").await, (40, 3));
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, 0);
}

#[tokio::test]
async fn a_step_that_is_dropped_leaves_all_in_the_queue() {
    let bench = Bench::start().await;
    let other = bench.database.connect().await;
    bench.queue(5, &[good("dropped", 1)]).await;
    bench.run_once().await;
    bench.queue(5, &[good("dropped", 1), good("dropped", 2)]).await;
    let (_, step) = stopped_step(&bench, &other).await;
    step.abort();
    assert!(step.await.expect_err("aborted").is_cancelled());
    assert_eq!(bench.queued().await, 2);
    other.batch_execute("ROLLBACK").await.expect("the lock is released");
    // The statement under way ends and is rolled back, whatever comes next on that connection.
    assert_eq!(bench.run_once().await, 2);
    assert_eq!(bench.counted("dropped").await, (30, 2));
    // No connection is left in a transaction.
    let left = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'heatstrip' AND state LIKE 'idle in%'";
    assert_eq!(bench.count(left).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_are_made_on_demand_by_several_at_once() {
    let bench = Bench::start().await;
    for lane in 0..8 {
        for day in 1..=12 {
            let mut beat = good("days", i64::from(lane));
            // Each lane meets them in another order.
            beat.day = format!("2026-10-{:02}", (day * 5 + i32::from(lane)) % 12 + 1);
            bench.queue(lane, &[beat]).await;
        }
    }
    let workers = (0..4).map(|_| {
        let (store, clock) = (bench.store.clone(), bench.clock.clone());
        tokio::spawn(async move { worker::run_once(&store, &clock).await.expect("folded") })
    });
    let folded: u64 = join_all(workers).await.into_iter().map(|worker| worker.expect("no panic")).sum();
    assert_eq!(folded, 96);
    assert_eq!(bench.counted("days").await, (960, 8));
    let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'video_heatmap_shards'::regclass";
    assert_eq!(bench.count(partitions).await, 12);
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, 0);
}

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
    // By heartbeats, by rows, and a single row larger than any window.
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
