//! What both queues must do: the same cases on the table and on a stream.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use heatstrip::{
    clock::Clock,
    events::{
        hashed::{Entry, HashedHeartbeat, HashedHeartbeats, HashedView},
        lane::lane,
        part::Part,
    },
    postgres::Store,
    queue::{
        Batch, Enqueued, Queue,
        batch_ids::{Accepted, Ring},
    },
    work::{
        forget::forget,
        worker::{self, Step},
    },
};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{Nats, TestDatabase, database};

/// A queue, and what is folded from it.
pub struct Bench {
    pub queue: Queue,
    pub clock: Clock,
    pub database: TestDatabase,
    pub sql: Client,
    pub nats: Option<Nats>,
}

impl Bench {
    pub async fn table() -> Bench {
        let database = database().await;
        let store = Store::connect(&database.url, 8).await.expect("a store");
        let sql = database.connect().await;
        Bench { queue: (&store).into(), clock: Clock::by_hand(Utc::now()), database, sql, nats: None }
    }

    pub async fn stream() -> Bench {
        let nats = Nats::start().await;
        let Bench { queue, clock, database, sql, .. } = Bench::table().await;
        let queue = nats.queue(queue.store()).await;
        Bench { queue, clock, database, sql, nats: Some(nats) }
    }

    /// Returns the queue as another process sees it.
    pub async fn another(&self) -> Queue {
        let store = Store::connect(&self.database.url, 8).await.expect("a store");
        Queue::open(&store, self.nats.as_ref().map(|nats| nats.url.as_str())).await.expect("the queue")
    }

    pub fn batch(&self, id: Option<Uuid>, entries: &[Entry<'_>]) -> Batch {
        let mut lanes: BTreeMap<u16, HashedHeartbeats> = BTreeMap::new();
        for entry in entries {
            lanes.entry(lane(entry.video_id(), self.queue.store().lanes())).or_default().push_entry(entry);
        }
        Batch { id, lanes, answer: Accepted { accepted: entries.len(), rejected: "[]".into() } }
    }

    pub async fn enqueue(&self, group: &[Batch]) -> Vec<Enqueued> {
        self.queue.enqueue(Ring::Http, group, self.clock.now()).await.expect("it is enqueued")
    }

    pub async fn fold(&self) -> u64 {
        worker::run_once(&self.queue, &self.clock).await.expect("it is folded")
    }

    /// Returns how many seconds of a video were played.
    pub async fn played(&self, video_id: &str) -> i64 {
        let query = "SELECT coalesce(sum(plays), 0)::bigint FROM video_heatmap_seconds WHERE video_id = $1";
        self.sql.query_one(query, &[&video_id]).await.expect("a sum").get(0)
    }

    pub async fn count(&self, query: &str) -> i64 {
        self.sql.query_one(query, &[]).await.expect("a count").get(0)
    }
}

pub fn beat(video_id: &str, start_sec: i32) -> Entry<'_> {
    Entry::Heartbeat(HashedHeartbeat {
        video_id,
        region: "JP",
        captured_on: Utc::now().date_naive(),
        start_sec,
        end_sec: start_sec + 9,
        viewer_hash: 7,
    })
}

fn view(video_id: &str, at: DateTime<Utc>) -> Entry<'_> {
    Entry::View(HashedView { video_id, region: "JP", epoch: at.date_naive(), at, viewer: 7 })
}

const VIDEOS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Runs each case on both.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod on_the_table {
            $(#[tokio::test] async fn $case() { super::$case(super::Bench::table().await).await })*
        }
        mod on_a_stream {
            $(#[tokio::test] async fn $case() { super::$case(super::Bench::stream().await).await })*
        }
    };
}

on_both! {
    an_empty_queue_is_folded_at_once
    a_batch_counts_once_whenever_it_is_sent_again
    a_batch_without_an_id_counts_each_time
    what_waits_is_told
    two_workers_fold_everything_once
    a_step_that_is_given_up_leaves_all_in_the_queue
    what_cannot_be_folded_is_set_aside
    a_forgotten_video_does_not_come_back
    views_are_folded_in_their_order
    replayed_chunks_are_remembered_for_themselves
}

async fn an_empty_queue_is_folded_at_once(bench: Bench) {
    assert_eq!(bench.fold().await, 0);
    assert_eq!(worker::step(&bench.queue, &bench.clock, Duration::ZERO).await.expect("a step"), Step::Idle);
    let depth = bench.queue.depth().await.expect("a depth");
    assert_eq!((depth.heartbeats, depth.oldest), (0, None));
    bench.queue.try_enqueue(bench.clock.now()).await.expect("it takes more");
}

async fn a_batch_counts_once_whenever_it_is_sent_again(bench: Bench) {
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let entries: Vec<Entry<'_>> = VIDEOS.iter().map(|video| beat(video, 0)).collect();
    assert_eq!(bench.enqueue(&[bench.batch(Some(one), &entries)]).await, [Enqueued::New]);
    // Before it is folded, beside another one.
    let again = [bench.batch(Some(one), &entries), bench.batch(Some(two), &entries[..2])];
    bench.enqueue(&again).await;
    assert_eq!(bench.fold().await, 7);
    // And after.
    let answer = Accepted { accepted: 5, rejected: "[]".into() };
    let known = bench.enqueue(&[bench.batch(Some(one), &entries)]).await;
    assert_eq!(known, [Enqueued::Duplicate(answer)], "its sender is told what it was told before");
    assert_eq!(bench.fold().await, 0);
    for (video, played) in VIDEOS.iter().zip([20, 20, 10, 10, 10]) {
        assert_eq!(bench.played(video).await, played, "{video}");
    }
}

async fn a_batch_without_an_id_counts_each_time(bench: Bench) {
    let batch = || bench.batch(None, &[beat("one", 0), beat("two", 0)]);
    bench.enqueue(&[batch(), batch()]).await;
    bench.enqueue(&[batch()]).await;
    assert_eq!(bench.fold().await, 6);
    assert_eq!((bench.played("one").await, bench.played("two").await), (30, 30));
}

async fn what_waits_is_told(bench: Bench) {
    let began = Utc::now() - chrono::TimeDelta::seconds(60);
    let entries: Vec<Entry<'_>> = (0..100).map(|n| beat(VIDEOS[n % 5], n as i32)).collect();
    bench.enqueue(&[bench.batch(None, &entries)]).await;
    let depth = bench.queue.depth().await.expect("a depth");
    assert!((50..=200).contains(&depth.heartbeats), "{depth:?}");
    let oldest = depth.oldest.expect("an oldest");
    assert!(began < oldest && oldest < Utc::now() + chrono::TimeDelta::seconds(60), "{oldest}");
    assert_eq!(bench.queue.oldest().await.expect("a look"), Some(oldest));
    assert_eq!(bench.fold().await, 100);
    let depth = bench.queue.depth().await.expect("a depth");
    assert_eq!((depth.heartbeats, depth.oldest), (0, None));
}

async fn two_workers_fold_everything_once(bench: Bench) {
    let mut expected = BTreeMap::<&str, i64>::new();
    for n in 0..40 {
        let entries: Vec<Entry<'_>> = VIDEOS.iter().map(|video| beat(video, n)).collect();
        let batch = || bench.batch(Some(Uuid::from_u128(n as u128)), &entries);
        bench.enqueue(&[batch()]).await;
        bench.enqueue(&[batch()]).await;
        VIDEOS.iter().for_each(|video| *expected.entry(video).or_default() += 10);
    }
    let (mine, theirs) = (bench.another().await, bench.another().await);
    let folded = tokio::join!(worker::run_once(&mine, &bench.clock), worker::run_once(&theirs, &bench.clock));
    assert_eq!(folded.0.expect("folded") + folded.1.expect("folded"), 200);
    for (video, played) in expected {
        assert_eq!(bench.played(video).await, played, "{video}");
    }
}

async fn a_step_that_is_given_up_leaves_all_in_the_queue(bench: Bench) {
    bench.enqueue(&[bench.batch(None, &[beat("one", 0)])]).await;
    assert_eq!(bench.fold().await, 1);
    bench.enqueue(&[bench.batch(None, &[beat("one", 0), beat("one", 20)])]).await;
    let other = bench.database.connect().await;
    other.batch_execute("BEGIN; LOCK TABLE video_heatmap_shards IN SHARE MODE").await.expect("a lock");
    let (queue, clock) = (bench.queue.clone(), bench.clock.clone());
    let step = tokio::spawn(async move { worker::run_once(&queue, &clock).await });
    crate::support::until("the step waits amid its work", Duration::from_secs(20), async || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation::regclass::text LIKE 'video_heatmap_shards%'";
        (bench.count(waiting).await > 0).then_some(())
    })
    .await;
    step.abort();
    assert!(step.await.expect_err("aborted").is_cancelled());
    assert!(bench.queue.depth().await.expect("a depth").heartbeats > 0);
    other.batch_execute("ROLLBACK").await.expect("the lock is released");
    assert_eq!(bench.fold().await, 2);
    assert_eq!(bench.played("one").await, 30);
}

async fn what_cannot_be_folded_is_set_aside(bench: Bench) {
    let mut poison = beat("one", 5);
    if let Entry::Heartbeat(heartbeat) = &mut poison {
        heartbeat.end_sec = i32::MAX;
    }
    bench.enqueue(&[bench.batch(None, &[beat("one", 0), poison, beat("one", 20)])]).await;
    let mut broken = bench.batch(Some(Uuid::now_v7()), &[beat("one", 0)]);
    for heartbeats in broken.lanes.values_mut() {
        *heartbeats = HashedHeartbeats::queued(vec![9, 9, 9], 1, 10);
    }
    bench.enqueue(&[broken]).await;
    bench.enqueue(&[bench.batch(None, &[beat("one", 40), beat("two", 0)])]).await;
    bench.fold().await;
    assert_eq!((bench.played("one").await, bench.played("two").await), (30, 10));
    assert_eq!(bench.count("SELECT count(*) FROM heartbeat_queue_failed").await, 2);
    let whole = "SELECT count(*) FROM heartbeat_queue_failed WHERE payload = '\\x090909'";
    assert_eq!(bench.count(whole).await, 1, "what nobody can read is kept as it is");
    assert_eq!(bench.fold().await, 0);
}

async fn a_forgotten_video_does_not_come_back(bench: Bench) {
    let lane_of_one = lane("one", bench.queue.store().lanes());
    let both = || bench.batch(None, &[beat("one", 0), beat("two", 0), beat("one", 20)]);
    bench.enqueue(&[both()]).await;
    bench.fold().await;
    bench.enqueue(&[both()]).await;
    forget(&bench.queue, "one", lane_of_one, &Part::default()).await.expect("it is forgotten");
    bench.fold().await;
    assert_eq!((bench.played("one").await, bench.played("two").await), (0, 20));
    // What comes later is not meant.
    bench.enqueue(&[both()]).await;
    bench.fold().await;
    assert_eq!((bench.played("one").await, bench.played("two").await), (20, 30));
}

async fn views_are_folded_in_their_order(bench: Bench) {
    let noon = (bench.clock.now().date_naive() - chrono::Days::new(1))
        .and_hms_opt(12, 0, 0)
        .expect("noon")
        .and_utc();
    let at = |minutes| noon + chrono::TimeDelta::minutes(minutes);
    // A viewer counts once in half an hour: which ones count depends on those before.
    for minutes in [0, 20, 40, 60, 80, 100] {
        bench.enqueue(&[bench.batch(Some(Uuid::now_v7()), &[view("one", at(minutes))])]).await;
    }
    assert_eq!(bench.fold().await, 6);
    let views = "SELECT views FROM view_totals WHERE video_id = 'one'";
    assert_eq!(bench.count(views).await, 3);
}

async fn replayed_chunks_are_remembered_for_themselves(bench: Bench) {
    let id = Uuid::now_v7();
    let chunk = || [bench.batch(Some(id), &[beat("one", 0)])];
    let replay = async || {
        bench
            .queue
            .enqueue(Ring::Replay, &chunk(), bench.clock.now())
            .await
            .expect("it is enqueued")
            .remove(0)
    };
    assert_eq!(replay().await, Enqueued::New);
    bench.enqueue(&chunk()).await;
    bench.fold().await;
    assert!(matches!(replay().await, Enqueued::Duplicate(_)));
    bench.fold().await;
    assert_eq!(bench.played("one").await, 20, "once as a chunk, once as a batch of a client");
}
