//! From where on rows of a lane are looked for: close to the oldest, and never behind a row that may still appear.

use std::time::Duration;

use heatstrip::{clock::Clock, postgres::Store, work::worker};
use tokio_postgres::Client;

use super::{enqueue, now};
use crate::support::{TestDatabase, database, until};

const DEADLINE: Duration = Duration::from_secs(60);

struct Bench {
    database: TestDatabase,
    store: Store,
    sql: Client,
}

impl Bench {
    async fn start() -> Bench {
        let database = database().await;
        let store = Store::connect(&database.url, 4).await.expect("a store");
        let sql = database.connect().await;
        Bench { database, store, sql }
    }

    /// The head of lane 3, none before the first.
    async fn head(&self) -> Option<i64> {
        self.sql.query_one("SELECT heads[4] FROM heartbeat_queue_heads", &[]).await.expect("one row").get(0)
    }

    /// Advances as often as it takes at most: what was given out by now is settled then, unless a transaction of anybody on the
    /// server is older.
    async fn settle(&self) {
        for _ in 0..6 {
            self.store.advance_queue_heads(false).await.expect("advanced");
        }
    }

    /// Advances until the head is there: other tests have transactions on the same server.
    async fn settles_at(&self, head: i64) {
        until("the head is there", DEADLINE, async || {
            self.settle().await;
            (self.head().await == Some(head)).then_some(())
        })
        .await;
    }

    async fn fold(&self) -> u64 {
        worker::run_once(&self.store, &Clock::by_hand(now())).await.expect("folded")
    }

    async fn last_id(&self) -> i64 {
        self.sql.query_one("SELECT last_value FROM heartbeat_queue_id_seq", &[]).await.expect("a row").get(0)
    }
}

#[tokio::test]
async fn heads_follow_the_oldest_row() {
    let bench = Bench::start().await;
    for _ in 0..3 {
        enqueue(&bench.store, None).await;
    }
    bench.settles_at(1).await;
    assert_eq!(bench.fold().await, 3);
    // Behind all that were given out.
    bench.settles_at(4).await;
    enqueue(&bench.store, None).await;
    bench.settle().await;
    assert_eq!(bench.head().await, Some(4));
    assert_eq!(bench.fold().await, 1);
}

/// A transaction that has its id and commits an hour later: the head waits for it, however much is folded meanwhile.
#[tokio::test]
async fn a_row_that_appears_late_is_not_passed_over() {
    let bench = Bench::start().await;
    let late = bench.database.connect().await;
    late.batch_execute("BEGIN").await.expect("a transaction");
    let statement = late.prepare(heatstrip::queue::sql::ENQUEUE_LANES).await.expect("a statement");
    let payload = {
        let row = [heatstrip::events::hashed::HashedHeartbeat {
            video_id: "late",
            region: "JP",
            captured_on: now().date_naive(),
            start_sec: 0,
            end_sec: 4,
            viewer_hash: 2,
        }];
        let heartbeats: heatstrip::events::hashed::HashedHeartbeats = row.into_iter().collect();
        heartbeats.as_bytes().to_vec()
    };
    late.execute(&statement, &[&vec![3i16], &vec![1i32], &vec![5i64], &vec![payload], &now()])
        .await
        .expect("a row that nobody sees yet");
    let late_id = bench.last_id().await;
    for _ in 0..5 {
        enqueue(&bench.store, None).await;
        assert_eq!(bench.fold().await, 1);
        bench.settle().await;
        assert!(
            bench.head().await.is_none_or(|head| head <= late_id),
            "{:?} of {late_id}",
            bench.head().await
        );
    }
    late.batch_execute("COMMIT").await.expect("it is there");
    assert_eq!(bench.store.queue_depth().await.expect("a depth").heartbeats, 1);
    assert!(bench.store.oldest_queued().await.expect("a look").is_some());
    assert_eq!(bench.fold().await, 1);
    bench.settles_at(bench.last_id().await + 1).await;
}

/// A dump that is restored into another server brings numbers of transactions along that mean nothing there.
#[tokio::test]
async fn heads_of_another_server_do_not_stand_still() {
    let bench = Bench::start().await;
    bench
        .sql
        .execute(
            "UPDATE heartbeat_queue_heads SET noted_id = 0, asked_id = 0, asked_xid = 1::bigint << 60",
            &[],
        )
        .await
        .expect("a restored row");
    enqueue(&bench.store, None).await;
    assert_eq!(bench.fold().await, 1);
    bench.settles_at(2).await;
}

/// Somebody began the numbers anew, or a row came from elsewhere: a look from the start finds it.
#[tokio::test]
async fn a_row_before_the_head_is_found_by_a_look_from_the_start() {
    let bench = Bench::start().await;
    enqueue(&bench.store, None).await;
    assert_eq!(bench.fold().await, 1);
    bench.settles_at(2).await;
    bench.sql.batch_execute("ALTER SEQUENCE heartbeat_queue_id_seq RESTART").await.expect("restarted");
    enqueue(&bench.store, None).await;
    assert_eq!(bench.fold().await, 0, "before the head");
    until("the look from the start", DEADLINE, async || {
        bench.store.advance_queue_heads(true).await.expect("advanced");
        (bench.fold().await == 1).then_some(())
    })
    .await;
}
