//! The same heartbeats and views on a cluster and on one server: every answer is the same, whatever has been compacted.

use heatstrip::{
    events::{lane::lane, part::Part},
    heatmap::{
        compaction::{self, Step},
        store::pieces::{Limits, Rows, ShardKey},
    },
    views, work,
    work::{
        forget::forget,
        nightly::{Keep, Night},
    },
};
use rand::{Rng, RngExt};
use serde_json::{Value, json};

use super::pair::{Pair, day};
use crate::support::chance;

const VIDEOS: [&str; 5] = ["a", "b", "c", "d", "e"];
const REGIONS: [&str; 3] = ["JP", "KR", "US"];

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
                "view": rng.random_bool(0.2),
            })
        })
        .collect()
}

/// Asks for every strip and list.
async fn ask_everything(pair: &Pair) {
    for video in VIDEOS {
        for query in ["", "?resolution=5", "?resolution=60&region=JP", "?region=JP,KR", "?from=2026-11-21"] {
            pair.same(&format!("/v1/videos/{video}/heatmap{query}")).await;
        }
        pair.same(&format!("/v1/videos/{video}/regions")).await;
        pair.same(&format!("/v1/videos/{video}/days?from=2026-11-20&to=2026-11-21")).await;
    }
    pair.same("/v1/reach?video_id=a&video_id=b").await;
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

/// Asks for everything that is told of views and of the sample.
async fn ask_of_people(pair: &Pair) -> Value {
    for video in VIDEOS {
        for query in ["", "?from=2026-11-20&to=2026-11-21", "?from=2026-11-21&to=2026-11-21&region=JP"] {
            pair.same(&format!("/v1/videos/{video}/views{query}")).await;
        }
        pair.same(&format!("/v1/videos/{video}/audience?saw=0-30&missed=300-330")).await;
        pair.same(&format!("/v1/videos/{video}/audience?saw=100-200&region=JP")).await;
    }
    pair.same("/v1/audience/overlap?video_id=a&video_id=b&video_id=c").await;
    for by in ["rise", "hot", "top"] {
        pair.same(&format!("/v1/trending?by={by}")).await;
    }
    pair.same("/v1/views?video_id=a&video_id=b&video_id=nobody").await
}

#[tokio::test]
async fn views_and_people_are_those_of_one_server() {
    let Some(pair) = Pair::start("people").await else { return };
    for app in [&pair.cluster, &pair.one] {
        // So few that samples are thinned.
        app.store.set_sample_size(60).await.expect("a size");
    }
    let mut rng = chance();
    for round in 0..3 {
        pair.post(&heartbeats(&mut rng, 500)).await;
        pair.fold().await;
        let totals = ask_of_people(&pair).await;
        assert!(totals.to_string().contains("\"views\":"), "{totals}");
        let device =
            json!({"device_id": format!("viewer {round}"), "user_id": format!("viewer {}", 300 + round)});
        let mut merged = Vec::new();
        for app in [&pair.cluster, &pair.one] {
            let response = app.client.post(format!("{}/v1/identify", app.url)).json(&device).send().await;
            let response = response.expect("an answer");
            assert_eq!(response.status(), 200);
            merged.push(response.json::<Value>().await.expect("JSON"));
        }
        assert_eq!(merged[0], merged[1]);
        ask_of_people(&pair).await;
    }
}

/// Where the sample is distributed more of it is sealed by the fold, and less is left to the night.
fn assert_same_night(nights: &mut [work::nightly::Summary]) {
    for night in &mut *nights {
        night.audience.sealed = 0;
    }
    assert_eq!(nights[0], nights[1], "both did the same");
}

#[tokio::test]
async fn nights_removals_and_repairs_are_those_of_one_server() {
    let Some(pair) = Pair::start("nights").await else { return };
    let mut rng = chance();
    pair.post(&heartbeats(&mut rng, 600)).await;
    pair.fold().await;
    // So few of each video that they are not sealed at once.
    pair.post(&heartbeats(&mut rng, 20)).await;
    pair.fold().await;
    let mut nights = Vec::new();
    for app in [&pair.cluster, &pair.one] {
        let night = Night::new(&app.store, &app.clock).accept_clock(true);
        nights.push(
            night
                .run(day(20), Keep { fine_days: Some(0), ..Keep::default() }, |_| ())
                .await
                .expect("a night"),
        );
    }
    assert!(nights[0].compacted.rows > 0 && nights[0].audience.sealed > 0, "{:?}", nights[0]);
    assert_same_night(&mut nights);
    ask_everything(&pair).await;
    ask_of_people(&pair).await;

    // What is counted twice over is compared, and healed where it differs.
    for app in [&pair.cluster, &pair.one] {
        let broken = "UPDATE view_totals SET views = views + 7 WHERE video_id = 'a'";
        app.database.connect().await.execute(broken, &[]).await.expect("a fault");
        let found = views::reconcile::reconcile(&app.store).await.expect("a comparison");
        assert_eq!((found.views, found.recent_viewers, found.lifetime_viewers), (1, 0, 0), "{found:?}");
    }
    ask_of_people(&pair).await;

    // A day of one video goes, then all of another, of which something waits in the queue.
    pair.post(&heartbeats(&mut rng, 100)).await;
    for (video, of) in [("b", Some(day(21))), ("c", None)] {
        let mut forgotten = Vec::new();
        for app in [&pair.cluster, &pair.one] {
            let lane = lane(video, app.store.lanes());
            let part = Part { day: of, ..Part::default() };
            forgotten.push(forget(&app.store, video, lane, &part).await.expect("it is forgotten"));
        }
        assert_eq!(forgotten[0], forgotten[1], "{video}");
        assert!(forgotten[0].rows.shards > 0, "{:?}", forgotten[0]);
    }
    pair.fold().await;
    ask_everything(&pair).await;
    ask_of_people(&pair).await;

    // Everything before today goes: partitions are dropped, and rows of days that are not kept.
    let mut nights = Vec::new();
    for app in [&pair.cluster, &pair.one] {
        let keep = Keep { days: Some(0), recent_days: Some(0), ..Keep::default() };
        let night = Night::new(&app.store, &app.clock).accept_clock(true);
        nights.push(night.run(day(21), keep, |_| ()).await.expect("a night"));
    }
    assert_same_night(&mut nights);
    assert!(nights[0].deleted_rows > 0 && nights[0].audience.dropped_days > 0, "{:?}", nights[0]);
    ask_everything(&pair).await;
    pair.same("/v1/views?video_id=a&video_id=b").await;
}
