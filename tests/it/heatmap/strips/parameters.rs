//! What may be asked for, and what not.

use std::fmt::Write;

use reqwest::header;
use serde_json::json;

use super::{assert_problem, beat, header_of, watch};
use crate::support::{App, Settings};

#[tokio::test]
async fn bad_parameters_are_problems() {
    let app = App::start(Settings::default()).await;
    let strip = "/v1/videos/v/heatmap";
    for resolution in ["0", "3601", "1.5", "abc", "", "-5", "5s", "99999999999999999999", "%00", "0x5", "+5"]
    {
        assert_problem(&app, &format!("{strip}?resolution={resolution}"), "resolution").await;
    }
    let days = [
        "2026-2-3",
        "2026-02-30",
        "20260203",
        "2026-02-03T00:00:00Z",
        "today",
        "",
        "2026-13-01",
        "%202026-02-03",
        "-4800-01-01",
        "%2B262142-12-31",
        "10000-01-01",
        "-0001-01-01",
        "0000-01-01",
        "infinity",
        "2026-02-03%00",
    ];
    for day in days {
        for end in ["from", "to"] {
            assert_problem(&app, &format!("{strip}?{end}={day}"), end).await;
            assert_problem(&app, &format!("/v1/videos?{end}={day}"), end).await;
        }
    }
    assert_problem(&app, &format!("{strip}?from=2026-11-22&to=2026-11-21"), "from is later than to").await;
    assert_problem(&app, "/v1/videos?from=2026-11-22&to=2026-11-21", "from is later than to").await;
    assert_problem(&app, "/v1/videos?from=2026-11-22", "from is later than to").await;
    for region in [
        "",
        ",",
        "JP,",
        "J",
        "JP,,KR",
        "JP%20",
        "J_P",
        "A2345678901234567",
        "JP;KR",
        "%E6%97%A5",
        "*",
        "GLOBAL,j",
    ] {
        assert_problem(&app, &format!("{strip}?region={region}"), "region").await;
        assert_problem(&app, &format!("/v1/videos?region={region}"), "region").await;
    }
    for limit in ["0", "101", "-1", "1.5", "all", ""] {
        assert_problem(&app, &format!("/v1/videos?limit={limit}"), "limit").await;
    }
    for twice in ["region=JP&region=KR", "resolution=5&resolution=5", "from=2026-11-01&from=2026-11-01"] {
        assert_problem(&app, &format!("{strip}?{twice}"), "duplicate field").await;
    }
}

#[tokio::test]
async fn the_extreme_days_and_resolutions_are_possible() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 599)), beat("v", "a", (86_390, 86_399))]).await;
    let all = app.json("/v1/videos/v/heatmap?from=0001-01-01&to=9999-12-31&resolution=3600").await;
    assert_eq!((&all["from"], &all["to"]), (&json!("0001-01-01"), &json!("9999-12-31")));
    assert_eq!(all["buckets"].as_array().map(Vec::len), Some(24));
    let fine = app.json("/v1/videos/v/heatmap?resolution=1").await;
    assert_eq!(fine["buckets"].as_array().map(Vec::len), Some(86_400));
    assert_eq!(fine["seconds_played"], 610);
    let list = app.json("/v1/videos?from=0001-01-01&to=9999-12-31").await;
    assert_eq!(
        list["videos"][0],
        json!({"video_id": "v", "viewers": 1, "seconds_played": 610, "last_sec": 86_399})
    );
    app.json("/v1/videos?to=0001-01-01").await;
}

#[tokio::test]
async fn video_ids_are_taken_as_they_are() {
    let app = App::start(Settings::default()).await;
    let longest = "v".repeat(128);
    let ids = [
        "uuid://7d4f3c70-1e79-4243-9b7d-166076ce8bfb",
        "https://video.example/a?b=c&d#e",
        "100%",
        "%2F",
        "a b",
        "a+b",
        "ビデオ",
        "heatmap",
        "x/heatmap",
        "a'b\"c\\d",
        "🎬",
        "\u{200b}",
        ";",
        "{video_id}",
        &longest,
    ];
    watch(&app, &ids.map(|id| beat(id, "a", (0, 4)))).await;
    for id in ids {
        let mut encoded = String::new();
        for byte in id.bytes() {
            write!(encoded, "%{byte:02X}").expect("a text takes everything");
        }
        let strip = app.json(&format!("/v1/videos/{encoded}/heatmap")).await;
        assert_eq!((&strip["video_id"], &strip["viewers"]), (&json!(id), &json!(1)));
    }
    let plainly = app.json("/v1/videos/uuid%3A%2F%2F7d4f3c70-1e79-4243-9b7d-166076ce8bfb/heatmap").await;
    assert_eq!(plainly["viewers"], 1);
    let other_case = app.json("/v1/videos/UUID%3A%2F%2F7d4f3c70-1e79-4243-9b7d-166076ce8bfb/heatmap").await;
    assert_eq!(other_case["viewers"], 0);

    let too_long = "v".repeat(129);
    for id in ["%00", "a%00b", "a%0Ab", "%7F", "%C2%85", &too_long, "%E3%83%93".repeat(43).as_str()] {
        assert_problem(&app, &format!("/v1/videos/{id}/heatmap"), "video_id").await;
    }
    assert_problem(&app, "/v1/videos//heatmap", "video_id").await;
    for id in ["%FF", "a%C3", "%ED%A0%80"] {
        assert_problem(&app, &format!("/v1/videos/{id}/heatmap"), "").await;
    }
    for path in ["/v1/videos/a/b/heatmap", "/v1/videos/a", "/v1/videos/a/heatmap/"] {
        let response = app.get(path).await;
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn regions_are_united() {
    let app = App::start(Settings::default()).await;
    let in_region = |region: &str, viewer: &str| {
        let mut beat = beat("v", viewer, (0, 0));
        beat["region"] = json!(region);
        beat
    };
    watch(&app, &[in_region("jp", "a"), in_region("KR", "a"), in_region("KR", "b"), in_region("US", "c")])
        .await;
    for (region, regions, viewers) in [
        ("jp", vec!["JP"], 1),
        ("kr,JP", vec!["JP", "KR"], 2),
        ("KR,KR,kr", vec!["KR"], 2),
        ("US,JP,KR,XX", vec!["JP", "KR", "US", "XX"], 3),
        ("GLOBAL", vec!["GLOBAL"], 3),
        ("global", vec!["GLOBAL"], 3),
        ("JP,GLOBAL", vec!["GLOBAL"], 3),
        ("GLOBAL,KR", vec!["GLOBAL"], 3),
        ("JP%2CKR", vec!["JP", "KR"], 2),
    ] {
        let strip = app.json(&format!("/v1/videos/v/heatmap?region={region}")).await;
        assert_eq!((&strip["regions"], &strip["viewers"]), (&json!(regions), &json!(viewers)), "{region}");
        let list = app.json(&format!("/v1/videos?region={region}")).await;
        assert_eq!(
            (&list["regions"], &list["videos"][0]["viewers"]),
            (&json!(regions), &json!(viewers)),
            "{region}"
        );
    }
    let strip = app.json("/v1/videos/v/heatmap").await;
    assert_eq!((&strip["regions"], &strip["resolution"]), (&json!(["GLOBAL"]), &json!(5)));
}
