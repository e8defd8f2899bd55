//! `run_once`: what it waits for, and what not.

use std::time::Duration;

use heatstrip::{queue::sql, work::worker};

use super::{Bench, DEADLINE, good};

#[tokio::test]
async fn run_once_waits_for_what_somebody_else_holds() {
    let bench = Bench::start().await;
    let other = bench.database.connect().await;
    for (end, folded_here) in [("ROLLBACK", 3), ("COMMIT", 2)] {
        bench.queue(5, &[good("held", 1)]).await;
        bench.queue(6, &[good("free", 1)]).await;
        bench.queue(7, &[good("free", 2)]).await;
        other.batch_execute("BEGIN").await.expect("a transaction");
        let claimed =
            other.query(sql::CLAIM_BATCHES, &[&5i16, &100i64, &1000i64, &100i64]).await.expect("a claim");
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
    other.query(sql::CLAIM_BATCHES, &[&5i16, &100i64, &1000i64, &100i64]).await.expect("a claim");
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
