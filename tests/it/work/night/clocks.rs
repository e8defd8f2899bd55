//! Clocks that jump: nothing that cannot be undone happens on one clock's word, nor when both have jumped far.

use chrono::{DateTime, TimeDelta, Utc};
use heatstrip::{
    clock::Clock,
    postgres::Store,
    viewers::{
        epoch::Rotation,
        salt::{SaltSource, Salts},
    },
    work::{
        nightly::{Keep, Night, Step, StepError},
        overdue,
    },
};
use tokio_postgres::Client;

use super::{at, night};
use crate::support::{TestDatabase, database};

const KEEP: Keep = Keep { days: Some(7), fine_days: Some(3), recent_days: None, sample_days: None };

/// What a night by a wrong clock would destroy.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    salts: i64,
    partitions: i64,
    retention: String,
    chunks: i64,
}

async fn kept(sql: &Client) -> Kept {
    let row = sql
        .query_one(
            "SELECT (SELECT count(*) FROM salt_epochs WHERE salt IS NOT NULL) AS salts,
                (SELECT count(*) FROM pg_inherits WHERE inhparent = 'video_heatmap_runs'::regclass) AS partitions,
                (SELECT r::text FROM retention AS r) AS retention,
                (SELECT position + 0::bigint FROM batch_id_rings WHERE ring = 'replay') AS chunks",
            &[],
        )
        .await
        .expect("the tables");
    Kept {
        salts: row.get("salts"),
        partitions: row.get("partitions"),
        retention: row.get("retention"),
        chunks: row.get("chunks"),
    }
}

/// A database after an ordinary night: today's and yesterday's salts are there, and a month of rows.
async fn after_a_night() -> (TestDatabase, Store, Clock, Client) {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let clock = Clock::by_hand(at("2026-11-21T03:30:00Z"));
    let salts = Salts::new(store.clone(), SaltSource::Made(Rotation::Daily), clock.clone());
    for today in ["2026-11-20", "2026-11-21"] {
        salts.salt(today.parse().expect("a day")).await.expect("a salt");
    }
    let sql = database.connect().await;
    sql.batch_execute("SELECT ensure_canonical_partition('2026-11-20')").await.expect("a partition");
    night(&store, &clock, KEEP).await.expect("a night");
    (database, store, clock, sql)
}

fn jumps() -> impl Iterator<Item = TimeDelta> {
    let sizes = [TimeDelta::days(1), TimeDelta::days(40), TimeDelta::days(3653)];
    sizes.into_iter().flat_map(|size| [size, -size])
}

/// Which clock jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Here,
    Server,
}

fn jump(clock: &Clock, which: Which, to: DateTime<Utc>) {
    match which {
        Which::Here => clock.set_here(to),
        Which::Server => clock.set_server(to),
    }
}

#[tokio::test]
async fn one_clock_alone_destroys_nothing_whichever_way_it_jumps() {
    let (_database, store, clock, sql) = after_a_night().await;
    let next = at("2026-11-22T03:30:00Z");
    let before = kept(&sql).await;
    for which in [Which::Here, Which::Server] {
        for by in jumps() {
            clock.set(next);
            jump(&clock, which, next + by);
            let failed = night(&store, &clock, KEEP).await.expect_err("the clocks are asked");
            assert_eq!(kept(&sql).await, before, "{which:?} by {by}");
            let refused: Vec<Step> = failed.failures.iter().map(|(step, _)| *step).collect();
            let all = [
                Step::Salts,
                Step::CounterIds,
                Step::Retention,
                Step::Audience,
                Step::Views,
                Step::Thinning,
                Step::BatchIds,
            ];
            assert_eq!(refused, all, "{which:?} by {by}");
            assert!(
                failed.failures.iter().all(|(_, error)| matches!(error, StepError::Clock(_))),
                "{failed}"
            );
            assert!(!overdue::clocks_agree(&store, &clock).await.expect("a look"));
        }
    }
    // And when the clock is right again, so is the night.
    clock.set(next);
    night(&store, &clock, KEEP).await.expect("the clocks agree");
    assert!(overdue::clocks_agree(&store, &clock).await.expect("a look"));
}

#[tokio::test]
async fn both_clocks_are_believed_for_forty_days_and_not_for_longer() {
    for by in jumps().chain([TimeDelta::days(40) + TimeDelta::seconds(1)]) {
        let (_database, store, clock, sql) = after_a_night().await;
        let before = kept(&sql).await;
        clock.set(at("2026-11-21T03:30:00Z") + by);
        let outcome = night(&store, &clock, KEEP).await;
        if by.abs() <= TimeDelta::days(40) {
            outcome.expect("forty days may pass");
            continue;
        }
        let failed = outcome.expect_err("the time jumped");
        assert!(failed.to_string().contains("--accept-clock"), "{failed}");
        assert_eq!(kept(&sql).await, before, "both by {by}");
        // The second night does not take the first one's word for it.
        clock.set(clock.now() + TimeDelta::days(1));
        night(&store, &clock, KEEP).await.expect_err("the time has jumped all the same");
        assert_eq!(kept(&sql).await, before, "both by {by}");
        if by > TimeDelta::zero() {
            let yesterday = clock.today().pred_opt().expect("a day");
            let told = Night::new(&store, &clock).accept_clock(true).run(yesterday, KEEP, |_| ());
            assert_eq!(told.await.expect("somebody says that it is right").destroyed_salts, 2);
            assert_ne!(kept(&sql).await, before);
            night(&store, &clock, KEEP).await.expect("from now on");
        }
    }
}

/// A database that has seen no night yet knows when its last salt was made.
#[tokio::test]
async fn the_first_night_asks_the_salts() {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let clock = Clock::by_hand(at("2026-11-21T03:30:00Z"));
    let salts = Salts::new(store.clone(), SaltSource::Made(Rotation::Daily), clock.clone());
    salts.check().await.expect("a salt");
    let sql = database.connect().await;
    let before = kept(&sql).await;
    clock.set(at("2036-11-21T03:30:00Z"));
    night(&store, &clock, KEEP).await.expect_err("ten years have passed");
    assert_eq!(kept(&sql).await, before);
}

/// The ring of the clients' batch ids turns by the clock of a serving process.
#[tokio::test]
async fn a_ring_that_was_turned_in_the_future_turns_again() {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let keep = std::time::Duration::from_secs(600);
    let ring = heatstrip::queue::batch_ids::Ring::Http;
    let now = at("2026-11-21T10:00:00Z");
    let turn = async |at: DateTime<Utc>| store.rotate_batch_ids(ring, keep, at).await.expect("a look");
    assert!(turn(now + TimeDelta::days(3653)).await);
    assert!(!turn(now).await, "it begins anew");
    assert!(!turn(now + TimeDelta::seconds(599)).await);
    assert!(turn(now + TimeDelta::seconds(600)).await);
}
