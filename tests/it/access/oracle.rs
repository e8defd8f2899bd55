//! A member of the public writes heartbeats and reads strips, and wants to know what somebody watched. Each attack found it
//! on a server without keys.

use heatstrip::access::key::{Role, Secret};
use reqwest::Method;
use serde_json::{Value, json};

use super::{get, heartbeat, key, made, post, random_id, request};
use crate::support::{App, Settings};

/// The target's id, which others know: a member's number, a mail address.
const TARGET: &str = "alice@example.org";

/// A world in which the target watched seconds 20 to 39 among others, with keys for the public.
struct World {
    app: App,
    player: Secret,
    reader: Secret,
}

async fn world() -> World {
    let app = App::start(Settings::default()).await;
    let server = made(&app, &key("server", Role::Server)).await;
    let player = made(&app, &key("player", Role::Player)).await;
    let mut guarded = key("reader", Role::Reader);
    guarded.min_audience = Some(5);
    let reader = made(&app, &guarded).await;
    assert_eq!(post(&app, &heartbeat("v", TARGET, "JP", (20, 39)), &server).await.0, 202);
    for _ in 0..10 {
        assert_eq!(post(&app, &heartbeat("v", &random_id(), "JP", (0, 59)), &player).await.0, 202);
    }
    app.fold().await;
    World { app, player, reader }
}

impl World {
    async fn strip(&self, query: &str) -> (u16, Value) {
        let response = get(&self.app, &format!("/v1/videos/v/heatmap{query}"), &self.reader).await;
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }
}

/// Returns where a strip shows another number of viewers than before.
fn changed(before: &Value, after: &Value) -> Vec<u64> {
    let buckets = |strip: &Value| strip["buckets"].as_array().expect("buckets").clone();
    let pairs = buckets(before).into_iter().zip(buckets(after));
    pairs
        .filter(|(before, after)| before["viewers"] != after["viewers"])
        .map(|(bucket, _)| bucket["bucket"].as_u64().expect("a number"))
        .collect()
}

/// What makes all of these work: where a heartbeat in the target's name changes nothing, the target had been.
#[tokio::test]
async fn nobody_writes_in_a_name_that_is_known() {
    let world = world().await;
    let (_, before) = world.strip("?resolution=1").await;
    for region in ["JP", "KR", "QQ"] {
        let (status, answer) =
            post(&world.app, &heartbeat("v", TARGET, region, (0, 59)), &world.player).await;
        assert_eq!(status, 422, "{answer}");
        assert_eq!(answer["rejected"][0]["reason"], "bad_token", "{answer}");
        let told = answer.to_string();
        assert!(!told.contains(TARGET), "{told}");
    }
    world.app.fold().await;
    let (_, after) = world.strip("?resolution=1").await;
    assert_eq!(changed(&before, &after), [0; 0]);
}

/// A view in the target's name that does not count, because they viewed already, would say that they did: in the totals, in the
/// recent viewers, in reach and in what is trending.
#[tokio::test]
async fn nobody_is_viewed_in_a_name_that_is_known() {
    let world = world().await;
    let view = |viewer: &str| json!({"video_id": "v", "viewer_id": viewer, "region": "JP"}).to_string();
    let send = async |viewer: &str| {
        let path = "/v1/views";
        let post = request(&world.app, Method::POST, path, &world.player).body(view(viewer)).send();
        let response = post.await.expect("an answer");
        (response.status().as_u16(), response.json::<Value>().await.expect("JSON"))
    };
    for _ in 0..10 {
        assert_eq!(send(&random_id()).await.0, 202);
    }
    world.app.fold().await;
    let views = async || {
        let response = get(&world.app, "/v1/videos/v/views", &world.reader).await;
        response.json::<Value>().await.expect("JSON")["viewers"].clone()
    };
    let before = views().await;
    assert_eq!((&before["recent"], &before["lifetime"]), (&json!(10), &json!(10)));
    let (status, answer) = send(TARGET).await;
    assert_eq!((status, &answer["rejected"][0]["reason"]), (422, &json!("bad_token")), "{answer}");
    assert!(!answer.to_string().contains(TARGET), "{answer}");
    world.app.fold().await;
    assert_eq!(views().await, before);
    let lists = ["/v1/reach?video_id=v", "/v1/trending", "/v1/videos/v/days", "/v1/videos/v/audience?at=20"];
    for path in lists {
        for key in [&world.reader, &world.player] {
            assert_eq!(get(&world.app, path, key).await.status(), 403, "{path}");
        }
    }
}

/// On an open server the path is found exactly: this is what keys are for.
#[tokio::test]
async fn without_keys_the_path_is_found() {
    let app = App::start(Settings::default()).await;
    let send = async |viewer: &str, seconds| {
        assert_eq!(app.post(heartbeat("v", viewer, "JP", seconds).to_string()).await.status(), 202);
        app.fold().await;
    };
    send("somebody", (0, 59)).await;
    send(TARGET, (20, 39)).await;
    let before = app.json("/v1/videos/v/heatmap?resolution=1").await;
    send(TARGET, (0, 59)).await;
    let after = app.json("/v1/videos/v/heatmap?resolution=1").await;
    let unchanged: Vec<u64> = (0..60).filter(|second| !changed(&before, &after).contains(second)).collect();
    assert_eq!(unchanged, Vec::from_iter(20..40));
}

/// A region of one's own, in which the target would stand alone.
#[tokio::test]
async fn an_invented_region_is_not_shown() {
    let world = world().await;
    assert_eq!(post(&world.app, &heartbeat("v", &random_id(), "QQ", (0, 59)), &world.player).await.0, 202);
    world.app.fold().await;
    for query in
        ["?region=QQ", "?region=JP,QQ", "?region=KR", "?region=QQ&resolution=1", "?region=qq&format=csv"]
    {
        assert_eq!(world.strip(query).await.0, 403, "{query}");
    }
    assert_eq!(world.strip("?region=JP").await.0, 200);
    let picture = get(&world.app, "/v1/videos/v/heatmap.svg?region=QQ", &world.reader).await;
    assert_eq!(picture.status(), 403);
}

/// Five ids of one's own beside the target lift a bucket above any minimum audience; but the target cannot be put there.
#[tokio::test]
async fn padding_beats_the_minimum_and_still_shows_nobody() {
    let world = world().await;
    for _ in 0..5 {
        let beat = heartbeat("quiet", &random_id(), "QQ", (0, 59));
        assert_eq!(post(&world.app, &beat, &world.player).await.0, 202);
    }
    assert_eq!(post(&world.app, &heartbeat("quiet", TARGET, "QQ", (0, 59)), &world.player).await.0, 422);
    world.app.fold().await;
    let response = get(&world.app, "/v1/videos/quiet/heatmap?region=QQ", &world.reader).await;
    let strip: Value = response.json().await.expect("JSON");
    assert_eq!(strip["viewers"], 5, "all of them are the attacker's own");
}

/// The rest of what a reader could ask: days, resolutions, shapes, lists.
#[tokio::test]
async fn what_few_did_is_withheld_in_every_shape() {
    let world = world().await;
    let viewer = random_id();
    assert_eq!(post(&world.app, &heartbeat("lonely", &viewer, "JP", (7, 7)), &world.player).await.0, 202);
    world.app.fold().await;
    for query in
        ["", "?resolution=1", "?resolution=3600", "?from=2026-11-21&to=2026-11-21", "?format=columns"]
    {
        let response = get(&world.app, &format!("/v1/videos/lonely/heatmap{query}"), &world.reader).await;
        let strip: Value = response.json().await.expect("JSON");
        for field in ["viewers", "seconds_played", "peak"] {
            assert_eq!(strip[field], Value::Null, "{query} {field}");
        }
    }
    for format in ["csv", "ytdlp", "peertube"] {
        let path = format!("/v1/videos/lonely/heatmap?format={format}");
        let text = get(&world.app, &path, &world.reader).await.text().await.expect("a text");
        assert!(!text.contains(",1,") && !text.contains("1.0") && !text.contains("100"), "{text}");
    }
    for path in ["/v1/videos", "/v1/videos/lonely/regions", "/v1/counts/video/lonely"] {
        assert_eq!(get(&world.app, path, &world.reader).await.status(), 403, "{path}");
    }
}
