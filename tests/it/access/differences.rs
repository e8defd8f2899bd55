//! A member of the public subtracts answers that a minimum audience lets through: all regions and all but one, a week and
//! six days of it, one resolution and another. What is left over would be the few that each answer hides.

use heatstrip::access::key::{Role, Secret};
use serde_json::{Value, json};

use super::{get, heartbeat, key, made, post, random_id, request};
use crate::support::{App, Settings};

/// What `--min-audience` says.
const LEAST: u64 = 5;

/// The questions that a key with a minimum audience may ask about a video.
const QUESTIONS: [&str; 18] = [
    "/v1/videos/VIDEO/heatmap",
    "/v1/videos/VIDEO/heatmap?resolution=1",
    "/v1/videos/VIDEO/heatmap?resolution=60",
    "/v1/videos/VIDEO/heatmap?resolution=3600",
    "/v1/videos/VIDEO/heatmap?from=2026-11-20",
    "/v1/videos/VIDEO/heatmap?from=2026-11-21",
    "/v1/videos/VIDEO/heatmap?to=2026-11-20",
    "/v1/videos/VIDEO/heatmap?region=JP",
    "/v1/videos/VIDEO/heatmap?region=KR",
    "/v1/videos/VIDEO/heatmap?region=JP,KR",
    "/v1/videos/VIDEO/heatmap?format=columns",
    "/v1/videos/VIDEO/heatmap?format=csv",
    "/v1/videos/VIDEO/heatmap?format=ytdlp",
    "/v1/videos/VIDEO/heatmap?format=peertube",
    "/v1/videos/VIDEO/heatmap.svg",
    "/v1/videos/VIDEO/views",
    "/v1/videos/VIDEO/views?from=2026-11-20&to=2026-11-21",
    "/v1/videos/VIDEO/views?to=2026-11-20",
];

/// Keys for the public, on a server where videos are watched.
struct World {
    app: App,
    player: Secret,
    reader: Secret,
    /// A key that is shown everything.
    owner: Secret,
}

impl World {
    async fn new() -> World {
        let app = App::start(Settings { cache_ttl_secs: 60, ..Settings::default() }).await;
        let player = made(&app, &key("player", Role::Player)).await;
        let mut guarded = key("reader", Role::Reader);
        guarded.min_audience = Some(LEAST);
        let reader = made(&app, &guarded).await;
        let owner = made(&app, &key("owner", Role::Reader)).await;
        World { app, player, reader, owner }
    }

    /// Somebody watches these seconds of a video on a day, which is a view.
    async fn watched(&self, video: &str, region: &str, seconds: (u32, u32), at: &str) {
        let viewer = random_id();
        let mut beat = heartbeat(video, &viewer, region, seconds);
        beat["at"] = at.into();
        assert_eq!(post(&self.app, &beat, &self.player).await.0, 202);
        let view = json!({"video_id": video, "viewer_id": viewer, "region": region, "at": at});
        let post =
            request(&self.app, reqwest::Method::POST, "/v1/views", &self.player).body(view.to_string());
        assert_eq!(post.send().await.expect("an answer").status(), 202);
    }

    /// What a stranger is told about a video, but for its name and the moment.
    async fn told(&self, video: &str, question: &str) -> String {
        let response = get(&self.app, &question.replace("VIDEO", video), &self.reader).await;
        let status = response.status();
        // An answer is kept for a minute, or for a few seconds where there is nothing to say.
        let control =
            response.headers().get("cache-control").map_or("", |value| value.to_str().expect("text"));
        let max_age =
            control.split("max-age=").nth(1).and_then(|rest| rest.split(',').next()?.parse::<u64>().ok());
        let kept = max_age.map(|max_age| max_age > 10);
        let text = response.text().await.expect("text").replace(video, "VIDEO");
        let text = match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(mut answer)) => {
                answer.remove("generated_at");
                answer.remove("request_id");
                Value::Object(answer).to_string()
            }
            _ => text,
        };
        format!("{status} {kept:?} {text}")
    }
}

/// Another region, another day, further on in the video, again and again: one viewer more leaves every answer as it is.
#[tokio::test]
async fn one_viewer_more_changes_no_answer() {
    let world = World::new().await;
    for video in ["without", "withone"] {
        for _ in 0..6 {
            world.watched(video, "JP", (0, 59), "2026-11-21T09:00:00Z").await;
        }
    }
    world.watched("withone", "KR", (30, 119), "2026-11-20T09:00:00Z").await;
    world.app.fold().await;
    let seen = get(&world.app, "/v1/videos/withone/heatmap", &world.owner).await;
    assert_eq!(seen.json::<Value>().await.expect("JSON")["viewers"], 7, "the viewer is there");
    for question in QUESTIONS {
        assert_eq!(
            world.told("without", question).await,
            world.told("withone", question).await,
            "{question}"
        );
    }
}

/// Few viewers of a video are as nobody.
#[tokio::test]
async fn few_viewers_are_as_nobody() {
    let world = World::new().await;
    for _ in 0..4 {
        world.watched("quietly", "JP", (7, 90), "2026-11-20T09:00:00Z").await;
    }
    world.app.fold().await;
    for question in QUESTIONS {
        assert_eq!(
            world.told("quietly", question).await,
            world.told("unknown", question).await,
            "{question}"
        );
    }
    let several = |video: &str| format!("/v1/views?video_id={video}");
    assert_eq!(
        world.told("quietly", &several("quietly")).await,
        world.told("unknown", &several("unknown")).await
    );
}

/// Whatever is subtracted from whatever: all numbers of viewers are steps.
#[tokio::test]
async fn numbers_come_in_steps() {
    let world = World::new().await;
    for (viewers, region, day) in [(13, "JP", 20), (9, "JP", 21), (7, "KR", 21), (3, "FR", 20)] {
        for number in 0..viewers {
            let at = format!("2026-11-{day}T09:00:00Z");
            world.watched("v", region, (0, 20 + 7 * number), &at).await;
        }
    }
    world.app.fold().await;
    let mut shown = 0;
    for question in
        QUESTIONS.iter().filter(|question| !question.contains("format") && !question.contains("svg"))
    {
        let response = get(&world.app, &question.replace("VIDEO", "v"), &world.reader).await;
        if response.status() == 403 {
            continue;
        }
        let answer: Value = response.json().await.expect("JSON");
        let empty = Vec::new();
        let buckets = answer["buckets"].as_array().unwrap_or(&empty);
        let fields = buckets.iter().flat_map(|bucket| [&bucket["viewers"], &bucket["reached"]]);
        let totals = [&answer["viewers"], &answer["peak"], &answer["views"], &answer["viewers"]["recent"]];
        for number in fields.chain(totals).filter_map(Value::as_u64) {
            assert!(number > 0 && number % LEAST == 0, "{question}: {number} in {answer}");
            shown += 1;
        }
    }
    assert!(shown > 100, "{shown} numbers");
}
