//! Strips end where the catalogue says that the video does, in every format and whatever form the rows have.

use std::time::Duration;

use heatstrip::work::nightly::{self, Keep};
use reqwest::header;
use serde_json::{Value, json};

use super::{beat, delete, put_duration, watch};
use crate::support::{App, Settings, until};

/// One heartbeat at the end of the day must not stretch a video of three minutes to it.
#[tokio::test]
async fn a_poisoned_video_is_as_long_as_it_is() {
    let app = App::start(Settings::default()).await;
    let poison = beat("v", "stranger", (86_399, 86_399));
    watch(&app, &[beat("v", "a", (0, 179)), beat("v", "b", (0, 99)), beat("v", "a", (170, 189)), poison])
        .await;
    let strip = app.json("/v1/videos/v/heatmap?resolution=60").await;
    assert_eq!(strip["buckets"].as_array().expect("buckets").len(), 1_440, "the day");

    put_duration(&app, "v", 180.0).await;
    let strip = app.json("/v1/videos/v/heatmap").await;
    let buckets = strip["buckets"].as_array().expect("buckets");
    assert_eq!(buckets.len(), 36);
    assert_eq!(
        (&strip["viewers"], &strip["peak"]),
        (&json!(2), &json!(2)),
        "who watched only beyond is not in it"
    );
    let played: u64 = buckets.iter().map(|bucket| bucket["seconds_played"].as_u64().expect("a count")).sum();
    assert_eq!((played, &strip["seconds_played"]), (180 + 100 + 10, &json!(180 + 100 + 10)));
    assert_eq!(buckets[35]["seconds_played"], 10, "175 to 179, twice");
    assert_eq!(buckets[35]["replay"], 2.0);

    let lengths = async |resolution: u32| {
        let path = |format: &str| format!("/v1/videos/v/heatmap?resolution={resolution}&format={format}");
        let columns = app.json(&path("columns")).await;
        let ytdlp = app.json(&path("ytdlp")).await;
        let csv = app.get(&path("csv")).await.text().await.expect("a text");
        [
            columns["buckets"]["bucket"].as_array().expect("a column").len(),
            ytdlp.as_array().expect("markers").len(),
            csv.lines().count() - 1,
        ]
    };
    for (resolution, length) in [(1, 180), (5, 36), (7, 26), (60, 3), (3600, 1)] {
        assert_eq!(lengths(resolution).await, [length; 3], "{resolution} s");
    }
    let peertube = app.json("/v1/videos/v/heatmap?format=peertube").await;
    assert_eq!(peertube["data"].as_array().expect("seconds").len(), 180);
    let svg = app.get("/v1/videos/v/heatmap.svg").await;
    assert_eq!(svg.headers()[header::CONTENT_TYPE], "image/svg+xml");
    let svg = svg.text().await.expect("a text");
    assert!(svg.contains(">2:") && !svg.contains(":00:00"), "the picture ends there too: {svg}");

    // Lists say how long it is; their viewers and seconds are those of all that was accepted.
    let list = app.json("/v1/videos").await;
    assert_eq!(
        list["videos"][0],
        json!({"video_id": "v", "viewers": 3, "seconds_played": 180 + 100 + 20 + 1, "last_sec": 179})
    );
    delete(&app, "v").await;
    let strip = app.json("/v1/videos/v/heatmap?resolution=60").await;
    assert_eq!(strip["buckets"].as_array().expect("buckets").len(), 1_440, "nothing was removed");
}

/// An entry is felt at once although answers are kept: another length is another question.
#[tokio::test]
async fn a_kept_answer_does_not_outlive_the_length() {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    watch(&app, &[beat("v", "a", (0, 599))]).await;
    let length = async || {
        let strip = app.json("/v1/videos/v/heatmap?resolution=60").await;
        strip["buckets"].as_array().expect("buckets").len()
    };
    for (duration_sec, buckets) in [(None, 10), (Some(180.0), 3), (Some(181.0), 4), (None, 10)] {
        match duration_sec {
            Some(duration_sec) => put_duration(&app, "v", duration_sec).await,
            None => assert_eq!(delete(&app, "v").await, 204),
        }
        until("the strip has its length", Duration::from_secs(20), async || {
            (length().await == buckets).then_some(())
        })
        .await;
    }
}

/// The strips of a video whose end cuts a bucket of every level but the first.
async fn strips(app: &App, video: &str) -> Vec<Value> {
    let mut strips = Vec::new();
    for query in [
        "resolution=1",
        "resolution=5",
        "resolution=10",
        "resolution=60",
        "resolution=7",
        "resolution=60&region=JP",
        "resolution=5&region=JP,KR",
    ] {
        let mut strip = app.json(&format!("/v1/videos/{video}/heatmap?{query}")).await;
        strip["generated_at"] = Value::Null;
        strip["video_id"] = Value::Null;
        strips.push(strip);
    }
    strips
}

/// Of two videos that were watched alike, one becomes runs and the other seconds with levels and counts.
#[tokio::test]
async fn a_trimmed_strip_is_the_same_in_every_form() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    sql.batch_execute(
        "SELECT ensure_canonical_partition('2026-11-20');
         INSERT INTO video_heatmap_spread VALUES ('seconds', '2026-11-20', 0)",
    )
    .await
    .expect("a mark");
    for video in ["runs", "seconds"] {
        let yesterday = |viewer: &str, region: &str, secs: (u32, u32)| {
            let mut beat = beat(video, viewer, secs);
            beat["region"] = json!(region);
            beat["at"] = json!("2026-11-20T12:00:00Z");
            beat
        };
        watch(
            &app,
            &[
                yesterday("a", "JP", (0, 130)),
                yesterday("b", "KR", (20, 71)),
                yesterday("b", "KR", (70, 72)),
                // In the buckets that the end cuts, and behind it.
                yesterday("c", "JP", (72, 74)),
                yesterday("d", "KR", (73, 400)),
            ],
        )
        .await;
        put_duration(&app, video, 71.2).await;
    }
    let of_shards = strips(&app, "runs").await;
    assert_eq!(of_shards[0]["buckets"].as_array().expect("buckets").len(), 72);
    for strip in &of_shards[..5] {
        assert_eq!(
            (&strip["viewers"], &strip["seconds_played"]),
            (&json!(2), &json!(72 + 52 + 2)),
            "{strip}"
        );
    }
    assert_eq!(strips(&app, "seconds").await, of_shards);

    let through = "2026-11-20".parse().expect("a day");
    nightly::run(&app.store, &app.clock, through, Keep::default(), |_| ()).await.expect("a night");
    for (table, video) in [
        ("video_heatmap_runs", "runs"),
        ("video_heatmap_60s", "seconds"),
        // These know nothing of an end.
        ("video_heatmap_counts", "seconds"),
    ] {
        let videos = format!("SELECT DISTINCT video_id FROM {table}");
        let videos = sql.query(&videos, &[]).await.expect("videos");
        assert_eq!(videos.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), [video], "{table}");
    }
    assert_eq!(strips(&app, "runs").await, of_shards);
    assert_eq!(strips(&app, "seconds").await, of_shards);

    // Of days that are kept by 5 s only, the bucket that the end cuts is there as a whole.
    let keep = Keep { fine_days: Some(0), ..Keep::default() };
    nightly::run(&app.store, &app.clock, through, keep, |_| ()).await.expect("a night");
    let column = |strip: &Value, name: &str| -> Vec<u64> {
        let buckets = strip["buckets"].as_array().expect("buckets");
        buckets.iter().map(|bucket| bucket[name].as_u64().expect("a count")).collect()
    };
    let thinned = app.json("/v1/videos/seconds/heatmap?resolution=5").await;
    for (name, last) in [("viewers", 4), ("seconds_played", 5 + 2 + 3 + 3 + 2)] {
        let (mut expected, found) = (column(&of_shards[1], name), column(&thinned, name));
        expected[14] = last;
        assert_eq!(found, expected, "{name}");
    }
    let of_runs = app.json("/v1/videos/runs/heatmap?resolution=5").await;
    assert_eq!(of_runs["buckets"], of_shards[1]["buckets"], "runs are not thinned");
}
