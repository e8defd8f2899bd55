//! Ranges of days: pieces, regions, ends that are left out, refusals.

use serde_json::{Value, json};

use super::{at, view};
use crate::support::{App, Settings};

/// An audience over three months, one day after the other as it happened.
async fn audience() -> App {
    let app = App::start(Settings { now: at("2026-09-29T10:00:00Z"), ..Settings::default() }).await;
    for (now, region, viewer) in [
        ("2026-09-29", "JP", "ada"),
        ("2026-09-30", "KR", "bob"),
        ("2026-10-05", "JP", "ada"),
        ("2026-10-06", "KR", "ada"),
        ("2026-11-01", "JP", "ada"),
        ("2026-11-20", "JP", "cem"),
    ] {
        app.clock.set(at(&format!("{now}T10:00:00Z")));
        view(&app, json!({"video_id": "v", "viewer_id": viewer, "region": region})).await;
    }
    app
}

async fn range(app: &App, query: &str) -> Value {
    app.json(&format!("/v1/videos/v/views?{query}")).await
}

#[tokio::test]
async fn a_range_is_united_from_months_and_days() {
    let app = audience().await;
    let whole = range(&app, "from=2026-09-01&to=2026-11-30").await;
    let expected = json!({
        "video_id": "v", "regions": ["GLOBAL"], "from": "2026-09-01", "to": "2026-11-30", "scope": "viewer-months",
        "views": 6, "viewers": 5, "relative_error": 0.0, "exact": true,
        "pieces": {"months": ["2026-09-01", "2026-10-01", "2026-11-01"], "days": []},
        "rule": {"after_secs": 10, "window_mins": 30}, "generated_at": "2026-11-20T10:00:00Z",
    });
    assert_eq!(whole, expected);
    let part = range(&app, "from=2026-09-30&to=2026-11-01").await;
    assert_eq!((&part["views"], &part["viewers"]), (&json!(4), &json!(3)));
    assert_eq!(part["pieces"], json!({"months": ["2026-10-01"], "days": ["2026-09-30", "2026-11-01"]}));
}

#[tokio::test]
async fn regions_are_united() {
    let app = audience().await;
    for (region, views, viewers) in
        [("JP", 4, 4), ("KR", 2, 2), ("JP,KR", 6, 5), ("XX", 0, 0), ("GLOBAL", 6, 5)]
    {
        let answer = range(&app, &format!("region={region}")).await;
        assert_eq!((&answer["views"], &answer["viewers"]), (&json!(views), &json!(viewers)), "{region}");
        assert_eq!((&answer["from"], &answer["to"]), (&json!("2026-09-29"), &json!("2026-11-20")));
    }
}

#[tokio::test]
async fn ends_may_be_left_out_and_nonsense_is_refused() {
    let app = audience().await;
    assert_eq!(range(&app, "from=2026-11-02").await["views"], json!(1));
    assert_eq!(range(&app, "to=2026-09-29").await["views"], json!(1));
    let nothing = app.json("/v1/videos/nobody/views?region=JP").await;
    assert_eq!(
        (&nothing["from"], &nothing["views"], &nothing["scope"]),
        (&Value::Null, &json!(0), &json!("viewers"))
    );
    for wrong in ["from=2026-11-02&to=2026-11-01", "from=yesterday", "region=jp!", "to=2026-1-1"] {
        assert_eq!(app.get(&format!("/v1/videos/v/views?{wrong}")).await.status(), 400, "{wrong}");
    }
}
