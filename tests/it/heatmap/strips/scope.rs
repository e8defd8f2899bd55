//! What a viewer is: a person within a salt epoch.

use heatstrip::viewers::{
    epoch::Rotation,
    salt::{SaltSource, Salts},
};
use serde_json::json;

use super::{beat, instant, watch};
use crate::support::{App, Settings};

#[tokio::test]
async fn scope_tells_what_a_viewer_is() {
    let days =
        ["2026-10-31T23:59:59Z", "2026-11-15T12:00:00Z", "2026-11-16T00:00:00Z", "2026-11-18T10:00:00Z"];
    for (rotation, from, scope, viewers) in [
        (Rotation::Daily, "2026-11-18", "viewers", 1),
        (Rotation::Daily, "2026-11-16", "viewer-days", 2),
        (Rotation::Daily, "2026-10-31", "viewer-days", 4),
        (Rotation::Weekly, "2026-11-16", "viewers", 1),
        (Rotation::Weekly, "2026-11-15", "viewer-weeks", 2),
        (Rotation::Weekly, "2026-10-31", "viewer-weeks", 3),
        (Rotation::Monthly, "2026-11-01", "viewers", 1),
        (Rotation::Monthly, "2026-10-31", "viewer-months", 2),
        (Rotation::Never, "2026-10-31", "viewers", 1),
    ] {
        let app = App::start(Settings {
            now: instant(days[0]),
            salts: SaltSource::Made(rotation),
            ..Settings::default()
        })
        .await;
        for day in days {
            app.clock.set(instant(day));
            watch(&app, &[beat("v", "a", (0, 0))]).await;
        }
        for path in [format!("/v1/videos/v/heatmap?from={from}"), format!("/v1/videos?from={from}")] {
            let answer = app.json(&path).await;
            assert_eq!(
                (&answer["scope"], &answer["to"]),
                (&json!(scope), &json!("2026-11-18")),
                "{rotation} {path}"
            );
            let counted = answer.get("viewers").unwrap_or(&answer["videos"][0]["viewers"]);
            assert_eq!(counted, viewers, "{rotation} {path}");
        }
    }
}

#[tokio::test]
async fn epochs_of_several_kinds_count_viewer_epochs() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 0))]).await;
    app.clock.set(instant("2026-11-22T10:00:00Z"));
    let weekly = Salts::new(app.store.clone(), SaltSource::Made(Rotation::Weekly), app.clock.clone());
    weekly.salt(app.clock.today()).await.expect("a salt");
    watch(&app, &[beat("v", "a", (0, 0))]).await;
    for path in ["/v1/videos/v/heatmap", "/v1/videos"] {
        assert_eq!(app.json(path).await["scope"], "viewer-epochs", "{path}");
    }
}
