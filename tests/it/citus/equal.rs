//! The same heartbeats and views on a cluster and on one server: every answer is the same, whatever has been compacted.

use serde_json::{Value, json};

use super::cluster;
use crate::support::{App, Settings, TestDatabase, chance, one_server};
use chrono::NaiveDate;
use heatstrip::{
    events::{lane::lane, part::Part},
    heatmap::{
        compaction::{self, Step},
        store::pieces::{Limits, Rows, ShardKey},
    },
    postgres::Store,
    work::forget::forget,
};
use rand::{Rng, RngExt};

const VIDEOS: [&str; 5] = ["a", "b", "c", "d", "e"];
const REGIONS: [&str; 3] = ["JP", "KR", "US"];

/// Of some days of heartbeats, and of the month of views.
const SALTS: &str = "
    INSERT INTO salt_epochs (purpose, first_day, last_day, rotation, salt, made_at, used_through)
    SELECT 'heartbeats', day, day, 'daily', decode(md5(day::text) || md5('more'), 'hex'), day + time '00:00', day
    FROM (SELECT date '2026-11-18' + n AS day FROM generate_series(0, 3) AS n) AS days
    UNION ALL
    SELECT 'views', '2026-11-01', '2026-11-30', 'monthly', decode(md5('views') || md5('more'), 'hex'), '2026-11-01', '2026-11-21'";

/// Two servers that are told the same.
struct Pair {
    cluster: App,
    one: App,
}

impl Pair {
    async fn start(name: &str) -> Option<Pair> {
        let on_cluster = cluster().await?.database(name).await;
        let on_one = one_server().await;
        Some(Pair { cluster: start(on_cluster).await, one: start(on_one).await })
    }

    async fn post(&self, heartbeats: &[Value]) {
        for app in [&self.cluster, &self.one] {
            let response = app.post(json!(heartbeats).to_string()).await;
            assert_eq!(response.status(), 202, "{}", response.text().await.expect("a body"));
        }
    }

    async fn fold(&self) {
        let (cluster, one) = (self.cluster.fold().await, self.one.fold().await);
        assert_eq!(cluster, one, "both fold as many");
    }

    /// Asks both, and returns the answer.
    async fn same(&self, path: &str) -> Value {
        let (cluster, one) = (self.cluster.json(path).await, self.one.json(path).await);
        assert_eq!(cluster, one, "{path}");
        cluster
    }
}

/// Elements of sketches are hashes with a salt, of which each database would make its own: equal answers need equal ones.
async fn start(database: TestDatabase) -> App {
    let client = database.connect().await;
    client.batch_execute(SALTS).await.expect("salts");
    let store = Store::connect(&database.url, 8).await.expect("a migrated database");
    App::start_on(database, store, Settings::default()).await
}

fn heartbeats(rng: &mut impl Rng, beats: usize) -> Vec<Value> {
    (0..beats)
        .map(|_| {
            let start = rng.random_range(0..600);
            json!({
                "video_id": VIDEOS[rng.random_range(0..VIDEOS.len())],
                "region": REGIONS[rng.random_range(0..REGIONS.len())],
                "viewer_id": format!("viewer {}", rng.random_range(0..400)),
                "start_sec": start,
                "end_sec": start + rng.random_range(0..30),
                "at": format!("2026-11-{}T09:00:00Z", rng.random_range(20..22)),
            })
        })
        .collect()
}

fn day(of_november: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, of_november).expect("a day of November")
}

async fn ask_everything(pair: &Pair) {
    for video in VIDEOS {
        for query in ["", "?resolution=5", "?resolution=60&region=JP", "?region=JP,KR", "?from=2026-11-21"] {
            pair.same(&format!("/v1/videos/{video}/heatmap{query}")).await;
        }
        pair.same(&format!("/v1/videos/{video}/regions")).await;
    }
    pair.same("/v1/videos?limit=3").await;
    pair.same("/v1/videos?limit=10&region=JP").await;
}

#[tokio::test]
async fn answers_are_those_of_one_server() {
    let Some(pair) = Pair::start("equal").await else { return };
    let mut rng = chance();
    for _ in 0..3 {
        pair.post(&heartbeats(&mut rng, 400)).await;
        pair.fold().await;
        ask_everything(&pair).await;
        // A hot video, a piece of a night that is cut short, and a whole night.
        for app in [&pair.cluster, &pair.one] {
            assert!(compaction::compact_hot(&app.store, "a", day(21)).await.expect("a hot video") > 0);
        }
        ask_everything(&pair).await;
        for app in [&pair.cluster, &pair.one] {
            let limits = Limits { rows: 20, ..compaction::PIECE };
            let piece = compaction::step(&app.store, Rows::Runs, day(20), &ShardKey::first(), limits).await;
            assert!(matches!(piece, Ok(Step::Moved(_))), "{piece:?}");
        }
        ask_everything(&pair).await;
        let mut moved = Vec::new();
        for app in [&pair.cluster, &pair.one] {
            moved.push(compaction::run(&app.store, day(21), |_| ()).await.expect("a night").rows);
        }
        assert!(moved[0] > 0, "there was something to move");
        ask_everything(&pair).await;
        // Of canonical rows, of runs that wait, and of what waits in the queue.
        pair.post(&heartbeats(&mut rng, 200)).await;
        pair.fold().await;
        pair.post(&heartbeats(&mut rng, 50)).await;
        let of_jp = Part { region: Some("JP".parse().expect("a region")), ..Part::default() };
        let behind = Part { after_sec: Some(303), day: Some(day(21)), ..Part::default() };
        for (video, part) in [("a", &behind), ("b", &of_jp)] {
            let mut gone = Vec::new();
            for app in [&pair.cluster, &pair.one] {
                let lane = lane(video, app.store.lanes());
                gone.push(forget(&app.store, video, lane, part).await.expect("forgotten"));
            }
            assert_eq!(gone[0], gone[1], "{part:?}");
            assert!(gone[0].rows.canonical > 0 && gone[0].rows.shards > 0, "{gone:?}");
        }
        pair.fold().await;
        ask_everything(&pair).await;
    }
}
