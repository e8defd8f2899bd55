//! The rule, by the cases that other systems publish, as far as they fit it.

use chrono::TimeDelta;
use heatstrip::viewers::epoch::Rotation;
use serde_json::json;

use super::{Engine, at, numbers, sent, view};
use crate::support::{App, Settings};

/// Sends views of one video one after the other, each folded alone, and returns how many count after each.
async fn counted(engine: &Engine, video: &str, viewed: &[(&str, i64)]) -> Vec<i64> {
    let mut counts = Vec::new();
    for (viewer, minutes) in viewed {
        let at = at("2026-11-21T10:00:00Z") + TimeDelta::minutes(*minutes);
        engine.send(&[sent(video, viewer, at)]).await;
        engine.fold().await;
        let query = format!("SELECT views FROM view_totals WHERE video_id = '{video}'");
        counts.push(engine.count(&query).await);
    }
    counts
}

/// PeerTube (`server/core/lib/views/shared/video-views.ts`): a viewer's views of a video count once until they expire; another
/// viewer and another video count beside them.
#[tokio::test]
async fn as_peertube_counts() {
    let engine = Engine::start("2026-11-21T20:00:00Z", Rotation::Monthly).await;
    assert_eq!(counted(&engine, "v", &[("ada", 0), ("ada", 1), ("ada", 29), ("bob", 2)]).await, [1, 1, 1, 2]);
    assert_eq!(counted(&engine, "v", &[("ada", 30), ("bob", 31), ("bob", 32)]).await, [3, 3, 4]);
    assert_eq!(counted(&engine, "w", &[("ada", 31)]).await, [1]);
}

/// Discourse (`app/models/topic_view_item.rb`): one view of a topic and user for `topic_view_duration_hours`, 8 of them, however
/// often it is opened, and one row of a viewer for ever.
#[tokio::test]
async fn as_discourse_counts() {
    let engine = Engine::start("2026-11-23T10:00:00Z", Rotation::Monthly).await;
    engine.store.set_view_rule(None, Some(8 * 60)).await.expect("set");
    let opened = [("ada", 0), ("ada", 60), ("ada", 479), ("ada", 480), ("ada", 959), ("ada", 960)];
    assert_eq!(counted(&engine, "v", &opened).await, [1, 1, 1, 2, 2, 3]);
    assert_eq!(engine.count("SELECT recent_viewers FROM view_totals").await, 1, "one viewer");
}

/// Mastodon (`app/models/trends/history.rb`): accounts of a day are distinct in a sketch, uses are counted beside it, and the next
/// day begins anew, without a cliff in the total.
#[tokio::test]
async fn as_mastodon_counts() {
    let app = App::start(Settings { now: at("2026-11-21T23:59:00Z"), ..Settings::default() }).await;
    let one = |viewer: &str| json!({"video_id": "v", "viewer_id": viewer});
    view(&app, json!([one("ada"), one("bob"), one("ada")])).await;
    app.clock.set(at("2026-11-22T00:29:00Z"));
    view(&app, json!([one("ada"), one("cem")])).await;
    assert_eq!(numbers(&app, "v").await, (4, 3, 3));
    for (day, views, viewers) in [("2026-11-21", 2, 2), ("2026-11-22", 2, 2)] {
        let answer = app.json(&format!("/v1/videos/v/views?from={day}&to={day}")).await;
        assert_eq!((&answer["views"], &answer["viewers"]), (&json!(views), &json!(viewers)), "{day}");
    }
}

/// The window holds across midnight, across batches and inside one, and for views that come late.
#[tokio::test]
async fn the_window_does_not_end_at_midnight_nor_with_a_batch() {
    let engine = Engine::start("2026-11-22T10:00:00Z", Rotation::Monthly).await;
    let late = [sent("v", "ada", at("2026-11-21T23:50:00Z")), sent("v", "ada", at("2026-11-22T00:19:59Z"))];
    engine.send(&late).await;
    engine.send(&[sent("v", "ada", at("2026-11-22T00:20:00Z"))]).await;
    engine.fold().await;
    assert_eq!(engine.count("SELECT views FROM view_totals").await, 2);
    // As much before the first counted view as another must be behind the last.
    engine.send(&[sent("v", "ada", at("2026-11-21T23:20:01Z"))]).await;
    engine.fold().await;
    assert_eq!(engine.count("SELECT views FROM view_totals").await, 2);
    engine.send(&[sent("v", "ada", at("2026-11-21T23:20:00Z"))]).await;
    engine.fold().await;
    assert_eq!(engine.count("SELECT views FROM view_totals").await, 3);
    assert_eq!(engine.drift().await, 0);
}

#[tokio::test]
async fn without_a_window_every_view_counts() {
    let engine = Engine::start("2026-11-21T20:00:00Z", Rotation::Monthly).await;
    engine.store.set_view_rule(None, Some(0)).await.expect("set");
    assert_eq!(
        counted(&engine, "v", &[("ada", 0), ("ada", 0), ("ada", -5), ("ada", -2)]).await,
        [1, 2, 3, 4]
    );
}
