//! Days whose partitions are not there yet.

use futures_util::future::join_all;
use heatstrip::work::worker;

use super::{Bench, good};

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
