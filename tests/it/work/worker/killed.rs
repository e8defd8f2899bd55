//! A step that does not reach its commit.

use std::time::Duration;

use heatstrip::work::worker::{self, Step};
use tokio_postgres::Client;

use super::{Bench, good};

/// Stops a step between its claim and its commit: the table it writes to is locked.
async fn stopped_step(bench: &Bench, other: &Client) -> (i32, tokio::task::JoinHandle<Result<Step, String>>) {
    other.batch_execute("BEGIN; LOCK TABLE video_heatmap_shards IN SHARE MODE").await.expect("a lock");
    let (store, clock) = (bench.store.clone(), bench.clock.clone());
    let step = tokio::spawn(async move {
        worker::step(&store, &clock, Duration::ZERO).await.map_err(|error| error.to_string())
    });
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
