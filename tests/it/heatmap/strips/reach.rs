//! How many different people watched any of several videos, against plain sets.

use std::collections::{BTreeMap, BTreeSet};

use heatstrip::{
    heatmap::compaction,
    viewers::{epoch::Rotation, salt::SaltSource},
};
use rand::RngExt;
use serde_json::{Value, json};

use super::{assert_problem, beat, instant, names, watch};
use crate::support::{App, Settings, chance};

async fn put_channel(app: &App, video: &str, channel: &str) {
    let request = app.client.put(format!("{}/v1/videos/{video}", app.url));
    let body = json!({"channel": channel}).to_string();
    assert_eq!(request.body(body).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn the_answer_has_these_fields() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 9)), beat("v", "b", (0, 0)), beat("w", "a", (5, 6))]).await;
    put_channel(&app, "w", "c").await;
    let text = app.get("/v1/reach?video_id=v&video_id=w&video_id=v").await.text().await.expect("a body");
    let fields = [
        "videos",
        "regions",
        "from",
        "to",
        "scope",
        "viewers",
        "sum_of_videos",
        "relative_error",
        "exact",
        "generated_at",
    ];
    assert_eq!(names(&text), fields);
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        answer,
        json!({"videos": 2, "regions": ["GLOBAL"], "from": "2026-10-25", "to": "2026-11-21", "scope": "viewers", "viewers": 2,
               "sum_of_videos": 3, "relative_error": 0.0, "exact": true, "generated_at": "2026-11-21T10:00:00Z"})
    );
    let channel = app.json("/v1/reach?channel=c").await;
    assert_eq!(
        (&channel["channel"], &channel["videos"], &channel["viewers"]),
        (&json!("c"), &json!(1), &json!(1))
    );
    for unknown in ["channel=x", "video_id=x", "video_id=v&region=KR"] {
        let answer = app.json(&format!("/v1/reach?{unknown}")).await;
        assert_eq!(
            (&answer["viewers"], &answer["sum_of_videos"], &answer["exact"]),
            (&json!(0), &json!(0), &json!(true))
        );
    }
}

#[tokio::test]
async fn a_question_names_videos_or_a_channel() {
    let app = App::start(Settings::default()).await;
    let many: Vec<String> = (0..101).map(|n| format!("video_id=v{n}")).collect();
    for (query, says) in [
        ("", "name videos with video_id, or one channel"),
        ("video_id=v&channel=c", "name videos with video_id, or one channel"),
        ("channel=", "channel must be 1 to 128 bytes"),
        ("channel=a&channel=b", "channel may be given once only"),
        ("video_id=", "video_id must be 1 to 128 bytes"),
        (&many.join("&"), "video_id may be given at most 100 times"),
        ("video_id=v&region=G", "region must be"),
        ("video_id=v&from=2026-11-22", "from is later than to"),
        ("video_id=v&from=yesterday", "from must be a day"),
    ] {
        assert_problem(&app, &format!("/v1/reach?{query}"), says).await;
    }
    assert_eq!(app.get(&format!("/v1/reach?{}", many[1..].join("&"))).await.status(), 200);
}

/// Random people, videos, regions and days, in canonical rows and shards, under every rotation.
#[tokio::test]
async fn reach_is_the_union_of_its_videos() {
    let mut chance = chance();
    for rotation in [Rotation::Daily, Rotation::Weekly, Rotation::Never] {
        let app = App::start(Settings {
            now: instant("2026-11-14T10:00:00Z"),
            salts: SaltSource::Made(rotation),
            ..Settings::default()
        })
        .await;
        // The viewers of each video, region and day.
        let mut watched: BTreeMap<(String, &str, u32), BTreeSet<u32>> = BTreeMap::new();
        let days = 14..=21;
        for day in days.clone() {
            app.clock.set(instant(&format!("2026-11-{day}T10:00:00Z")));
            let mut beats = Vec::new();
            for _ in 0..120 {
                let (video, viewer) =
                    (format!("video {}", chance.random_range(0..12)), chance.random_range(0..80));
                let region = ["JP", "KR"][chance.random_range(0..2)];
                let mut said = beat(&video, &format!("viewer {viewer}"), (0, 4));
                said["region"] = json!(region);
                beats.push(said);
                watched.entry((video, region, day)).or_default().insert(viewer);
            }
            watch(&app, &beats).await;
            if day == 18 {
                let through = "2026-11-17".parse().expect("a day");
                compaction::run(&app.store, through, |_| ()).await.expect("a compaction");
            }
        }
        for video in 0..12 {
            put_channel(&app, &format!("video {video}"), if video < 5 { "first" } else { "second" }).await;
        }
        let epoch = |day: u32| match rotation {
            Rotation::Daily => day,
            // 2026-11-16 is a Monday.
            Rotation::Weekly => u32::from(day >= 16),
            _ => 0,
        };
        for (videos, query) in [
            (vec![3], "video_id=video%203".to_owned()),
            ((0..5).collect(), "channel=first".to_owned()),
            ((5..12).collect(), "channel=second".to_owned()),
            (vec![0, 7, 11], "video_id=video%200&video_id=video%2011&video_id=video%207".to_owned()),
        ] {
            for (regions, region) in
                [(vec!["JP", "KR"], ""), (vec!["KR"], "&region=KR"), (vec!["JP", "KR"], "&region=KR,JP")]
            {
                for (from, to) in [(14, 21), (16, 17), (17, 20)] {
                    let mut people: BTreeSet<(u32, u32)> = BTreeSet::new();
                    let mut of_videos: BTreeSet<(u32, u32, &str)> = BTreeSet::new();
                    for ((video, of_region, day), viewers) in &watched {
                        let number: u32 = video["video ".len()..].parse().expect("a number");
                        if videos.contains(&number)
                            && regions.contains(of_region)
                            && (from..=to).contains(day)
                        {
                            people.extend(viewers.iter().map(|&viewer| (epoch(*day), viewer)));
                            of_videos
                                .extend(viewers.iter().map(|&viewer| (epoch(*day), viewer, video.as_str())));
                        }
                    }
                    let asked = format!("/v1/reach?{query}{region}&from=2026-11-{from}&to=2026-11-{to}");
                    let answer = app.json(&asked).await;
                    assert_eq!(answer["viewers"], people.len(), "{rotation} {asked}");
                    assert_eq!(answer["sum_of_videos"], of_videos.len(), "{rotation} {asked}");
                    assert_eq!(answer["videos"], videos.len(), "{rotation} {asked}");
                    assert_eq!(answer["exact"], true, "{rotation} {asked}");
                }
            }
        }
    }
}
