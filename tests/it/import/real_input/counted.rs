//! The strips say what was watched.

use std::collections::BTreeSet;

use chrono::Utc;
use heatstrip::postgres::Store;
use serde_json::{Value, json};

use super::{EXACT, counts, database, run, statements, text, unpacked, watched::Watched, yesterday};
use crate::support::{App, Settings, TestDatabase};

#[tokio::test]
async fn every_second_of_the_statements_is_counted() {
    let (file, real) = statements();
    let watched = Watched::of(&unpacked(&file));
    let crowded = watched.seconds().filter(|viewers| viewers.len() > EXACT).count();
    if real {
        assert_eq!(watched.seconds().count(), 5_245);
        assert_eq!(crowded, 27);
    }
    let database = database().await;
    let day = yesterday().to_string();
    let replay = ["replay", text(&file), "--format", "xapi", "--captured-on", &day];
    let said = run(&database, &replay).await;
    let expected = format!("{} heartbeats accepted, {} rejected\n", watched.heartbeats, watched.rejected);
    assert!(said.starts_with(&expected), "{said} instead of {expected}");
    assert_eq!(
        run(&database, &["work", "--once"]).await,
        format!("folded {} heartbeats\n", watched.heartbeats)
    );
    assert_strips(&database, &watched, &[1, 10], 1).await;
    let once = counts(&database).await;

    // The same file counts nothing the second time, unless that is meant.
    let said = run(&database, &replay).await;
    let known =
        format!("0 heartbeats accepted, {} known from an earlier replay of this file, ", watched.heartbeats);
    assert!(said.starts_with(&known), "{said}");
    assert_eq!(run(&database, &["work", "--once"]).await, "folded 0 heartbeats\n");
    assert_eq!(counts(&database).await, once);

    let said = run(&database, &[&replay[..], &["--again"]].concat()).await;
    assert!(said.starts_with(&expected), "{said}");
    run(&database, &["work", "--once"]).await;
    assert_eq!(counts(&database).await, (once.0 * 2, once.1), "plays twice, viewers once");
    assert_strips(&database, &watched, &[10], 2).await;
}

/// Compares every video's strip, by HTTP, after so many replays.
async fn assert_strips(database: &TestDatabase, watched: &Watched, resolutions: &[u32], times: u64) {
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let settings = Settings {
        now: Utc::now(),
        salts: heatstrip::viewers::salt::SaltSource::Given(heatstrip::viewers::hash::Salt::new(
            "pepper-2026-01-01".into(),
        )),
        ..Settings::default()
    };
    let url = database.url.clone();
    let app = App::start_on(TestDatabase { url }, store, settings).await;
    for (video, by_second) in &watched.viewers {
        let plays = &watched.plays[video];
        for &resolution in resolutions {
            let encoded: String = video.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let strip = app.json(&format!("/v1/videos/{encoded}/heatmap?resolution={resolution}")).await;
            let everybody: BTreeSet<&usize> = by_second.values().flatten().collect();
            let last_sec = *by_second.keys().max().expect("a second");
            let exact = everybody.len() <= EXACT;
            assert_eq!((&strip["from"], &strip["to"]), (&json!(yesterday()), &json!(yesterday())), "{video}");
            assert_eq!((&strip["scope"], &strip["exact"]), (&json!("viewers"), &json!(exact)), "{video}");
            assert_eq!(strip["seconds_played"], plays.values().sum::<u64>() * times, "{video}");
            assert_count(&strip["viewers"], everybody.len(), video);
            let buckets = strip["buckets"].as_array().expect("buckets");
            assert_eq!(buckets.len() as u32, last_sec / resolution + 1, "{video}");
            for (bucket, first) in buckets.iter().zip((0..).step_by(resolution as usize)) {
                let secs = first..first + resolution;
                let there: BTreeSet<&usize> =
                    by_second.range(secs.clone()).flat_map(|(_, viewers)| viewers).collect();
                let played: u64 = plays.range(secs).map(|(_, plays)| plays).sum();
                assert_eq!(bucket["bucket"], first, "{video}");
                assert_eq!(bucket["seconds_played"], played * times, "{video} at {first}");
                assert_count(&bucket["viewers"], there.len(), &format!("{video} at {first}"));
            }
            // The sets grow from the right, because whoever is there later has reached what comes before.
            let mut later: BTreeSet<&usize> = BTreeSet::new();
            for bucket in buckets.iter().rev() {
                let first = bucket["bucket"].as_u64().expect("a second") as u32;
                later.extend(by_second.range(first..first + resolution).flat_map(|(_, viewers)| viewers));
                if exact {
                    assert_eq!(bucket["reached"], later.len(), "{video} at {first}");
                }
            }
        }
    }
}

fn assert_count(said: &Value, truth: usize, place: &str) {
    let said = said.as_u64().expect("a count");
    if truth <= EXACT {
        assert_eq!(said, truth as u64, "{place}");
    } else {
        assert!(said.abs_diff(truth as u64) as f64 <= truth as f64 * 0.08, "{said} for {truth}: {place}");
    }
}
