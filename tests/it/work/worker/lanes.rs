//! Lane locks: they keep rivals apart, and nothing is counted twice without them.

use futures_util::future::join_all;
use heatstrip::{
    queue::sql,
    work::worker::{self, Step},
};
use rand::RngExt;

use super::{Bench, DEADLINE, Queued, good};
use crate::support::chance;

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
        // Its run and its whole video.
        rows: 1 + 1,
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
    let claimed = other.query(sql::CLAIM_BATCHES, &[&5i16, &100i64, &1000i64, &2i64]).await.expect("a claim");
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
