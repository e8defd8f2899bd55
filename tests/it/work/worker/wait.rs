//! Steps wait for company: sessions whose beats are folded together join to longer runs.

use std::time::Duration;

use heatstrip::work::worker::{self, Step};

use super::{Bench, good};

const WAIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_young_lane_waits_until_it_is_old_or_full() {
    let bench = Bench::start().await;
    // A queue row of these tests is from the beginning of the day: now it is 4 seconds old.
    bench.clock.set("2026-11-21T00:00:04Z".parse().expect("an instant"));
    bench.queue(5, &[good("young", 1)]).await;
    let step = async || worker::step(&bench.store, &bench.clock, WAIT).await.expect("a step");
    assert_eq!(step().await, Step::Idle);
    bench.clock.set("2026-11-21T00:00:05Z".parse().expect("an instant"));
    let folded = step().await;
    assert!(matches!(folded, Step::Folded { heartbeats: 1, .. }), "{folded:?}");

    bench.clock.set("2026-11-21T00:00:01Z".parse().expect("an instant"));
    let many: Vec<_> = (0..10_000).map(|viewer| good("full", viewer)).collect();
    bench.queue(5, &many).await;
    assert_eq!(step().await, Step::Idle, "half full");
    bench.queue(5, &many).await;
    assert!(matches!(step().await, Step::Folded { heartbeats: 20_000, .. }));
}

#[tokio::test]
async fn whoever_asks_for_all_does_not_wait() {
    let bench = Bench::start().await;
    bench.clock.set("2026-11-21T00:00:00Z".parse().expect("an instant"));
    bench.queue(5, &[good("young", 1)]).await;
    assert_eq!(bench.run_once().await, 1);
}
